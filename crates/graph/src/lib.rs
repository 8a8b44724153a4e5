//! Who calls whom in an app: triggers, components, what satisfies their imports, and what they may touch.
//!
//! In: an app, and what its components import. Out: a [`Graph`]. Next: its text, its drawing, or its JSON form.

mod layout;
mod svg;
#[cfg(test)]
mod tests;
mod text;

use serde::Serialize;
use std::collections::BTreeMap;
use wharf_app::{App, Component, HttpGrant, Source, Supplier, Target};
use wharf_component::{Facts, PROVIDED, covers};

pub use svg::svg;
pub use text::text;

/// The graph of an app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The app with its version.
    pub title: String,
    /// Its boxes.
    pub nodes: Vec<Node>,
    /// Who calls whom.
    pub edges: Vec<Edge>,
}

/// One box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// What it stands for.
    pub kind: NodeKind,
    /// Its name.
    pub name: String,
    /// A second line; may be empty.
    pub detail: String,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// What starts a call.
    Trigger,
    /// A component of the app.
    Component,
    /// A component that is no part of the app.
    Outside,
    /// An answer that the manifest has.
    Static,
    /// What a grant leads to.
    Capability,
    /// An import that nothing satisfies.
    Missing,
}

/// One arrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The index of a node.
    pub from: usize,
    /// The index of another one.
    pub to: usize,
    /// How.
    pub kind: EdgeKind,
    /// What is imported, or empty.
    pub label: String,
}

/// How one calls the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// A trigger calls a component.
    Calls,
    /// A request goes on to the next component of its way.
    Passes,
    /// An import is satisfied by composing both into one.
    Fused,
    /// An import is satisfied by an instance of its own.
    Isolated,
    /// HTTP within the process.
    Http,
    /// A grant.
    Grant,
    /// Nothing satisfies the import.
    Missing,
}

impl EdgeKind {
    /// The words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Passes => "passes on to",
            Self::Fused => "fused",
            Self::Isolated => "isolated",
            Self::Http => "HTTP within the process",
            Self::Grant => "grant",
            Self::Missing => "nothing satisfies it",
        }
    }
}

/// Makes the graph. `facts` are those of the components whose bytes could be read; of others only the manifest is known.
pub fn graph(app: &App, facts: &BTreeMap<String, Facts>) -> Graph {
    let mut graph = Graph { title: format!("{} {}", app.name, app.version), ..Graph::default() };
    for component in &app.components {
        graph.node(NodeKind::Component, &component.name, &place(&component.source));
    }
    triggers(app, &mut graph);
    for component in &app.components {
        let from = graph.node(NodeKind::Component, &component.name, "");
        dependencies(component, from, &mut graph);
        grants(component, from, &mut graph);
        if let Some(facts) = facts.get(&component.name) {
            missing(component, facts, from, &mut graph);
        }
    }
    graph
}

impl Graph {
    /// Returns the node of that kind and name; makes it when there is none.
    fn node(&mut self, kind: NodeKind, name: &str, detail: &str) -> usize {
        if let Some(at) = self.nodes.iter().position(|node| node.kind == kind && node.name == name) {
            return at;
        }
        self.nodes.push(Node { kind, name: name.to_owned(), detail: detail.to_owned() });
        self.nodes.len() - 1
    }

    fn edge(&mut self, from: usize, to: usize, kind: EdgeKind, label: &str) {
        self.edges.push(Edge { from, to, kind, label: label.to_owned() });
    }
}

fn place(source: &Source) -> String {
    match source {
        Source::File(file) | Source::Fetched { file, .. } => file.clone(),
        Source::Url { url, .. } => url.clone(),
        Source::Registry { reference, version: Some(version), .. } => format!("{reference}:{version}"),
        Source::Registry { reference, .. } => reference.clone(),
        _ => String::new(),
    }
}

fn triggers(app: &App, graph: &mut Graph) {
    for trigger in &app.http {
        let mut at = match &trigger.route {
            Some(route) => graph.node(NodeKind::Trigger, &route.to_string(), "http"),
            None => graph.node(NodeKind::Trigger, "private", "http, from other components only"),
        };
        let mut kind = EdgeKind::Calls;
        for middleware in &trigger.middleware {
            let next = graph.node(NodeKind::Component, &middleware.component, "");
            graph.edge(at, next, kind, "");
            (at, kind) = (next, EdgeKind::Passes);
        }
        let target = match &trigger.target {
            Target::Component(name) => graph.node(NodeKind::Component, name, ""),
            Target::Static(answer) => graph.node(NodeKind::Static, &format!("static {}", answer.status), ""),
        };
        graph.edge(at, target, kind, "");
    }
}

fn dependencies(component: &Component, from: usize, graph: &mut Graph) {
    for dependency in &component.dependencies {
        let to = match &dependency.supplier {
            Supplier::Component(name) => graph.node(NodeKind::Component, name, ""),
            Supplier::Source(source) => graph.node(NodeKind::Outside, &place(source), "no part of the app"),
        };
        let kind = match dependency.link {
            wharf_app::Link::Fused => EdgeKind::Fused,
            wharf_app::Link::Isolated => EdgeKind::Isolated,
        };
        graph.edge(from, to, kind, dependency.import.as_str());
    }
}

fn grants(component: &Component, from: usize, graph: &mut Graph) {
    let grants = &component.grants;
    let mut granted: Vec<(&str, String)> = Vec::new();
    for grant in &grants.http {
        match grant {
            HttpGrant::Internal { component } => {
                let to = graph.node(NodeKind::Component, component, "");
                graph.edge(from, to, EdgeKind::Http, "");
            }
            HttpGrant::External(pattern) => granted.push(("http", pattern.to_string())),
        }
    }
    granted.extend(grants.net.iter().map(|pattern| ("net", pattern.to_string())));
    let labels = [
        ("keyvalue", &grants.keyvalue),
        ("sql", &grants.sql),
        ("blobstore", &grants.blobstore),
        ("messaging", &grants.messaging),
    ];
    for (capability, labels) in labels {
        granted.extend(labels.iter().map(|grant| (capability, grant.label.clone())));
    }
    granted.extend(grants.secrets.iter().map(|secret| ("secrets", secret.name.clone())));
    granted.extend(grants.config.iter().map(|config| ("config", config.key.clone())));
    granted.extend(grants.environment.iter().map(|variable| ("environment", variable.name.clone())));
    granted.extend(grants.files.iter().map(|files| ("files", files.host.clone())));
    for (capability, name) in granted {
        let to = graph.node(NodeKind::Capability, &format!("{capability} {name}"), "");
        graph.edge(from, to, EdgeKind::Grant, "");
    }
}

fn missing(component: &Component, facts: &Facts, from: usize, graph: &mut Graph) {
    for missing in wharf_component::check(facts, PROVIDED) {
        if !component.dependencies.iter().any(|dependency| covers(dependency.import.as_str(), &missing.import)) {
            let to = graph.node(NodeKind::Missing, &missing.import, "nothing satisfies it");
            graph.edge(from, to, EdgeKind::Missing, "");
        }
    }
}
