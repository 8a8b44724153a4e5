//! Where boxes and arrows of a drawing are: columns from left to right, no box over another one.
//!
//! In: a [`Graph`]. Out: a [`Layout`] in pixels. Next: `svg`.

use super::{Edge, Graph, Node, NodeKind};
use std::collections::HashSet;

/// The width of a character of the drawing's font.
const LETTER: i32 = 8;

/// The longest text of a box; the whole is in its tool tip.
pub(super) const NAME_MAX: usize = 44;

/// The height of a line, and the room that an arrow takes where it leaves its box.
const LINE: i32 = 18;

/// Between boxes that are above each other, and around the drawing.
const GAP: i32 = 22;

/// Between columns, beside the longest label there.
const LANE: i32 = 56;

/// A box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// An arrow through some points, with where its label begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) edge: usize,
    pub(super) points: Vec<(i32, i32)>,
    pub(super) label: (i32, i32),
}

/// A drawing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// By the index of the node.
    pub(super) boxes: Vec<Rect>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// What stands in a column: a box, or the place where a long arrow passes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Node(usize),
    Pass(usize),
}

pub(super) fn layout(graph: &Graph) -> Layout {
    let column_of = columns(graph);
    let count = column_of.iter().max().map_or(0, |last| last + 1);
    let mut columns: Vec<Vec<Place>> = vec![Vec::new(); count];
    for (node, column) in column_of.iter().enumerate() {
        columns[*column].push(Place::Node(node));
    }
    for (at, edge) in graph.edges.iter().enumerate() {
        for column in columns.iter_mut().take(column_of[edge.to]).skip(column_of[edge.from] + 1) {
            column.push(Place::Pass(at));
        }
    }
    order(graph, &mut columns);
    let mut layout =
        Layout { boxes: vec![Rect { x: 0, y: 0, width: 0, height: 0 }; graph.nodes.len()], ..Layout::default() };
    let passes = place(graph, &columns, &mut layout);
    layout.arrows = arrows(graph, &column_of, &passes, &mut layout);
    layout
}

/// Triggers first, then each component after those that call it, and what is touched last.
fn columns(graph: &Graph) -> Vec<usize> {
    let is_called = |edge: &&Edge| graph.nodes[edge.to].kind == NodeKind::Component;
    let first = |node: &Node| usize::from(node.kind != NodeKind::Trigger);
    let mut column: Vec<usize> = graph.nodes.iter().map(first).collect();
    // As many rounds as there are nodes settle everything that has an order; components that call each other in a circle have none.
    let components = graph.nodes.iter().filter(|node| node.kind == NodeKind::Component).count();
    let forward: Vec<&Edge> = without_circles(graph).into_iter().filter(is_called).collect();
    for _ in 0..components {
        let mut is_settled = true;
        for edge in &forward {
            let next = column[edge.from] + 1;
            if column[edge.to] < next {
                (column[edge.to], is_settled) = (next, false);
            }
        }
        if is_settled {
            break;
        }
    }
    let is_last = |node: &Node| !matches!(node.kind, NodeKind::Trigger | NodeKind::Component);
    let inner = graph.nodes.iter().zip(&column).filter(|(node, _)| !is_last(node)).map(|(_, column)| column + 1).max();
    for (_, column) in graph.nodes.iter().zip(&mut column).filter(|(node, _)| is_last(node)) {
        *column = inner.unwrap_or(0);
    }
    compact(&column)
}

/// Returns the arrows that are in no circle.
fn without_circles(graph: &Graph) -> Vec<&Edge> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    for edge in &graph.edges {
        next[edge.from].push(edge.to);
    }
    let leads_to = |from: usize, to: usize| {
        let mut seen = vec![false; next.len()];
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if !std::mem::replace(&mut seen[at], true) {
                open.extend(&next[at]);
            }
        }
        false
    };
    graph.edges.iter().filter(|edge| !leads_to(edge.to, edge.from)).collect()
}

/// Leaves no column empty.
fn compact(column: &[usize]) -> Vec<usize> {
    let mut used: Vec<usize> = column.to_vec();
    used.sort_unstable();
    used.dedup();
    column.iter().map(|column| used.binary_search(column).unwrap_or_default()).collect()
}

/// Puts each place near to what leads to it, so that fewer arrows cross.
fn order(graph: &Graph, columns: &mut [Vec<Place>]) {
    let direct: HashSet<(usize, usize)> = graph.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    for at in 1..columns.len() {
        let (before, rest) = columns.split_at_mut(at);
        let Some(last) = before.last() else { continue };
        let weight = |place: &Place| {
            let leads = |other: &Place| match (other, place) {
                (Place::Pass(one), Place::Pass(two)) => one == two,
                (Place::Node(node), Place::Pass(edge)) => graph.edges[*edge].from == *node,
                (Place::Node(from), Place::Node(to)) => direct.contains(&(*from, *to)),
                (Place::Pass(edge), Place::Node(to)) => graph.edges[*edge].to == *to,
            };
            let found: Vec<usize> = (0..last.len()).filter(|index| leads(&last[*index])).collect();
            if found.is_empty() { usize::MAX } else { found.iter().sum::<usize>() * 1000 / found.len() }
        };
        rest[0].sort_by_cached_key(weight);
    }
}

/// Gives each place its pixels, and returns those of the passing arrows: column, edge, point.
fn place(graph: &Graph, columns: &[Vec<Place>], layout: &mut Layout) -> Vec<(usize, usize, (i32, i32))> {
    let mut passes = Vec::new();
    let mut x = GAP;
    for (at, column) in columns.iter().enumerate() {
        let nodes = column.iter().filter_map(|place| match place {
            Place::Node(node) => Some(*node),
            Place::Pass(_) => None,
        });
        let width = nodes.clone().map(|node| box_width(&graph.nodes[node])).max().unwrap_or(0);
        // Room for the title.
        let mut y = GAP + 2 * LINE;
        for place in column {
            match place {
                Place::Node(node) => {
                    let ports = graph.edges.iter().filter(|edge| edge.from == *node).count();
                    let height = LINE * i32::try_from(ports.max(2)).unwrap_or(2) + LINE / 2;
                    layout.boxes[*node] = Rect { x, y, width, height };
                    y += height + GAP;
                }
                Place::Pass(edge) => {
                    passes.push((at, *edge, (x + width / 2, y + LINE / 2)));
                    y += LINE + GAP / 2;
                }
            }
        }
        layout.height = layout.height.max(y);
        let label = |edge: &Edge| letters(&super::svg::label(edge));
        let labels = graph.edges.iter().filter(|edge| nodes.clone().any(|node| node == edge.from)).map(label);
        x += width + LANE + labels.max().unwrap_or(0) * LETTER;
    }
    layout.width = x;
    passes
}

fn box_width(node: &Node) -> i32 {
    (letters(&node.name).max(letters(&node.detail)) + 3) * LETTER
}

/// The letters that are shown of a text.
fn letters(text: &str) -> i32 {
    i32::try_from(text.chars().count().min(NAME_MAX)).unwrap_or(0)
}

fn arrows(
    graph: &Graph,
    column_of: &[usize],
    passes: &[(usize, usize, (i32, i32))],
    layout: &mut Layout,
) -> Vec<Arrow> {
    let mut used = vec![0; graph.nodes.len()];
    let mut arrows = Vec::new();
    for (at, edge) in graph.edges.iter().enumerate() {
        let (from, to) = (layout.boxes[edge.from], layout.boxes[edge.to]);
        let port = from.y + LINE + LINE * used[edge.from];
        used[edge.from] += 1;
        let start = (from.x + from.width, port);
        let mut points = vec![start];
        if column_of[edge.to] > column_of[edge.from] {
            points.extend(passes.iter().filter(|pass| pass.1 == at).map(|pass| pass.2));
            points.push((to.x, to.y + to.height / 2));
        } else {
            // Back to the left: below everything.
            let below = layout.height + LINE / 2;
            layout.height = below + LINE;
            points.extend([
                (start.0 + LANE / 3, below),
                (to.x + to.width / 2, below),
                (to.x + to.width / 2, to.y + to.height),
            ]);
        }
        arrows.push(Arrow { edge: at, points, label: (start.0 + LETTER, port - 4) });
    }
    layout.height += GAP;
    arrows
}
