//! A graph as a drawing that any browser shows, on light and on dark ground.

use super::layout::{Arrow, NAME_MAX, Rect, layout};
use super::{Edge, EdgeKind, Graph, Node, NodeKind};
use std::fmt::{self, Write};

/// Colours by role; the dark ones replace the light ones where the viewer asks for them.
const STYLE: &str = "
text { font: 13px ui-monospace, monospace; fill: #1c2330; }
.title { font-weight: bold; font-size: 16px; }
.detail, .label { fill: #5b6577; font-size: 12px; }
rect { fill: #ffffff; stroke: #5b6577; }
.trigger rect { fill: #e8f1ff; stroke: #2f6fd0; }
.component rect { fill: #e9f7ee; stroke: #22824a; }
.outside rect { stroke-dasharray: 5 3; }
.missing rect { fill: #fdeaea; stroke: #c0322f; }
path { fill: none; stroke: #5b6577; stroke-width: 1.4; }
.isolated, .http { stroke-dasharray: 6 3; }
.gone { stroke: #c0322f; stroke-dasharray: 2 3; }
.head { fill: #5b6577; stroke: none; }
.ground { fill: #ffffff; stroke: none; }
@media (prefers-color-scheme: dark) {
text { fill: #e6eaf2; }
.detail, .label { fill: #a3adbf; }
rect { fill: #1b2130; stroke: #a3adbf; }
.trigger rect { fill: #14273f; stroke: #6ea8ff; }
.component rect { fill: #132a1e; stroke: #55c183; }
.missing rect { fill: #391b1b; stroke: #ff7b76; }
path { stroke: #a3adbf; }
.gone { stroke: #ff7b76; }
.head { fill: #a3adbf; }
.ground { fill: #0e121a; }
}
";

/// Returns the drawing of a graph, for light and dark pages.
pub fn svg(graph: &Graph) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(graph, &mut out);
    out
}

/// The words beside an arrow where it leaves its box.
pub(super) fn label(edge: &Edge) -> String {
    match edge.kind {
        EdgeKind::Fused | EdgeKind::Isolated => format!("{} ({})", edge.label, edge.kind.words()),
        EdgeKind::Http => "HTTP".to_owned(),
        EdgeKind::Passes => "then".to_owned(),
        EdgeKind::Calls | EdgeKind::Grant | EdgeKind::Missing => String::new(),
    }
}

fn write(graph: &Graph, out: &mut String) -> fmt::Result {
    let layout = layout(graph);
    let (width, height) = (layout.width, layout.height);
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">"#
    )?;
    writeln!(out, "<title>{}</title>", escape(&graph.title))?;
    writeln!(out, "<style>{STYLE}</style>")?;
    writeln!(
        out,
        r#"<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>"#
    )?;
    writeln!(out, r#"<rect class="ground" width="{width}" height="{height}"/>"#)?;
    writeln!(out, r#"<text class="title" x="22" y="30">{}</text>"#, escape(&graph.title))?;
    for arrow in &layout.arrows {
        write_arrow(&graph.edges[arrow.edge], arrow, out)?;
    }
    for (node, rect) in graph.nodes.iter().zip(&layout.boxes) {
        write_box(node, *rect, out)?;
    }
    writeln!(out, "</svg>")
}

fn write_arrow(edge: &Edge, arrow: &Arrow, out: &mut String) -> fmt::Result {
    let class = match edge.kind {
        EdgeKind::Isolated => "isolated",
        EdgeKind::Http => "http",
        EdgeKind::Missing => "gone",
        _ => "plain",
    };
    let mut path = String::new();
    let mut last: Option<(i32, i32)> = None;
    for (x, y) in &arrow.points {
        match last {
            None => write!(path, "M{x} {y}")?,
            // Leaves and arrives level: boxes are left at their right side and entered at their left one.
            Some((from_x, from_y)) if *x > from_x => {
                let middle = (from_x + x) / 2;
                write!(path, "C{middle} {from_y} {middle} {y} {x} {y}")?;
            }
            Some(_) => write!(path, "L{x} {y}")?,
        }
        last = Some((*x, *y));
    }
    writeln!(out, r#"<path class="{class}" marker-end="url(#head)" d="{path}"/>"#)?;
    let label = label(edge);
    if label.is_empty() {
        return Ok(());
    }
    let (x, y) = arrow.label;
    writeln!(out, r#"<text class="label" x="{x}" y="{y}">{}</text>"#, escape(&cut(&label)))
}

fn write_box(node: &Node, rect: Rect, out: &mut String) -> fmt::Result {
    let class = match node.kind {
        NodeKind::Trigger => "trigger",
        NodeKind::Component => "component",
        NodeKind::Outside => "outside",
        NodeKind::Static => "static",
        NodeKind::Capability => "capability",
        NodeKind::Missing => "missing",
    };
    let Rect { x, y, width, height } = rect;
    writeln!(out, r#"<g class="{class}"><title>{}</title>"#, escape(&format!("{} {}", node.name, node.detail)))?;
    writeln!(out, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>"#)?;
    writeln!(out, r#"<text x="{}" y="{}">{}</text>"#, x + 12, y + 18, escape(&cut(&node.name)))?;
    if !node.detail.is_empty() {
        writeln!(out, r#"<text class="detail" x="{}" y="{}">{}</text>"#, x + 12, y + 35, escape(&cut(&node.detail)))?;
    }
    writeln!(out, "</g>")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(NAME_MAX) {
        Some((_, _)) => {
            let kept: String = text.chars().take(NAME_MAX - 1).collect();
            format!("{kept}…")
        }
        None => text.to_owned(),
    }
}

/// Writes a text so that it is nothing but text in XML, whatever characters it has.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push_str(&wharf_component::printable_line(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}
