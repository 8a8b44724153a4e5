//! A graph as text: each trigger with its way, then each component with what it uses.

use super::{Edge, EdgeKind, Graph, Node, NodeKind};
use std::fmt::{self, Write};

/// Returns a graph as text, a line for each call.
pub fn text(graph: &Graph) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(graph, &mut out);
    // Names come from a file that anybody may have written.
    out.chars().map(|c| if c == '\n' { c } else { visible(c) }).collect()
}

fn visible(c: char) -> char {
    let text = wharf_component::printable_line(c.encode_utf8(&mut [0; 4]));
    text.chars().next().unwrap_or(' ')
}

fn write(graph: &Graph, out: &mut String) -> fmt::Result {
    writeln!(out, "{}", graph.title)?;
    let of = |kind: NodeKind| graph.nodes.iter().enumerate().filter(move |(_, node)| node.kind == kind);
    if of(NodeKind::Trigger).next().is_some() {
        writeln!(out, "\ntriggers")?;
    }
    for (at, trigger) in of(NodeKind::Trigger) {
        for edge in graph.edges.iter().filter(|edge| edge.from == at) {
            writeln!(out, "  {}{}", trigger.name, way(graph, edge))?;
        }
    }
    writeln!(out, "\ncomponents")?;
    for (at, component) in of(NodeKind::Component) {
        write_component(graph, at, component, out)?;
    }
    Ok(())
}

/// Follows a request over its middleware to its target. Several requests may share a middleware: each way is told.
fn way(graph: &Graph, first: &Edge) -> String {
    let mut text = format!(" ─▶ {}", graph.nodes[first.to].name);
    let mut at = first.to;
    // A chain has no component twice.
    for _ in 0..graph.nodes.len() {
        let next: Vec<&Edge> =
            graph.edges.iter().filter(|edge| edge.from == at && edge.kind == EdgeKind::Passes).collect();
        match next.as_slice() {
            [] => break,
            [one] => {
                text.push_str(&format!(" ─▶ {}", graph.nodes[one.to].name));
                at = one.to;
            }
            several => {
                let names: Vec<&str> = several.iter().map(|edge| graph.nodes[edge.to].name.as_str()).collect();
                text.push_str(&format!(" ─▶ {}", names.join(" or ")));
                break;
            }
        }
    }
    text
}

fn write_component(graph: &Graph, at: usize, component: &Node, out: &mut String) -> fmt::Result {
    writeln!(out, "  {}   {}", component.name, component.detail)?;
    let mut edges: Vec<&Edge> =
        graph.edges.iter().filter(|edge| edge.from == at && edge.kind != EdgeKind::Passes).collect();
    edges.sort_by_key(|edge| edge.kind);
    let last = edges.len().saturating_sub(1);
    for (index, edge) in edges.iter().enumerate() {
        let branch = if index == last { "└─" } else { "├─" };
        let (to, words) = (&graph.nodes[edge.to].name, edge.kind.words());
        match edge.kind {
            EdgeKind::Fused | EdgeKind::Isolated => writeln!(out, "    {branch} {} ─▶ {to}   ({words})", edge.label)?,
            EdgeKind::Grant => writeln!(out, "    {branch} {to}")?,
            EdgeKind::Missing => writeln!(out, "    {branch} {to}   ({words})")?,
            _ => writeln!(out, "    {branch} ─▶ {to}   ({words})")?,
        }
    }
    let callers: Vec<&str> = graph
        .edges
        .iter()
        .filter(|edge| edge.to == at && graph.nodes[edge.from].kind == NodeKind::Component)
        .map(|edge| graph.nodes[edge.from].name.as_str())
        .collect();
    if !callers.is_empty() {
        writeln!(out, "       used by {}", callers.join(", "))?;
    }
    Ok(())
}
