use super::layout::{Rect, layout};
use super::{Edge, EdgeKind, Graph, Node, NodeKind, graph, svg, text};
use proptest::prelude::*;
use std::collections::BTreeMap;

const SHOP: &str = r#"
name = "shop"
version = "0.1.0"

[component.api]
source = "api.wasm"
[component.api.grants]
keyvalue = ["default"]
http = ["https://api.example.com", "http://users.wharf.internal"]
[component.api.dependencies]
"acme:auth/check@1.0.0" = { component = "auth" }
"acme:pdf/render@1.0.0" = { path = "pdf.wasm" }

[component.auth]
source = "auth.wasm"

[component.users]
source = "users.wasm"
grants = { http = ["http://api.wharf.internal"] }

[[trigger.http]]
route = "/api/..."
component = "api"
middleware = ["auth"]

[[trigger.http]]
route = "/health"
static = { status = 204 }

[[trigger.http]]
route = { private = true }
component = "users"
"#;

fn shop() -> Graph {
    let (app, problems) = wharf_app::parse(SHOP);
    graph(&app.unwrap_or_else(|| panic!("{problems:?}")), &BTreeMap::new())
}

#[test]
fn the_text_tells_who_calls_whom() {
    let expected = "\
shop 0.1.0

triggers
  /api/... ─▶ auth ─▶ api
  /health ─▶ static 204
  private ─▶ users

components
  api   api.wasm
    ├─ acme:auth/check@1.0.0 ─▶ auth   (fused)
    ├─ acme:pdf/render@1.0.0 ─▶ pdf.wasm   (isolated)
    ├─ ─▶ users   (HTTP within the process)
    ├─ http https://api.example.com
    └─ keyvalue default
       used by auth, users
  auth   auth.wasm
       used by api
  users   users.wasm
    └─ ─▶ api   (HTTP within the process)
       used by api
";
    let found = text(&shop());
    assert_eq!(found, expected, "found:\n{found}");
}

fn overlap(one: Rect, other: Rect) -> bool {
    one.x < other.x + other.width
        && other.x < one.x + one.width
        && one.y < other.y + other.height
        && other.y < one.y + one.height
}

/// Asserts that the drawing is XML, that no box is over another one, and that everything is on it.
fn check(graph: &Graph) {
    let drawing = svg(graph);
    let mut reader = quick_xml::Reader::from_str(&drawing);
    reader.config_mut().check_end_names = true;
    let mut depth = 0_i32;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} in {drawing}")) {
            quick_xml::events::Event::Start(_) => depth += 1,
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    let layout = layout(graph);
    for (at, one) in layout.boxes.iter().enumerate() {
        assert!(one.x >= 0 && one.y >= 0 && one.x + one.width <= layout.width && one.y + one.height <= layout.height);
        for other in &layout.boxes[at + 1..] {
            assert!(!overlap(*one, *other), "{one:?} {other:?}\n{drawing}");
        }
    }
    assert_eq!(layout.arrows.len(), graph.edges.len());
    for (x, y) in layout.arrows.iter().flat_map(|arrow| &arrow.points) {
        assert!((0..=layout.width).contains(x) && (0..=layout.height).contains(y), "{x} {y}");
    }
}

#[test]
fn the_drawing_shows_every_box_once() {
    let graph = shop();
    check(&graph);
    let drawing = svg(&graph);
    for name in ["api", "auth", "users", "pdf.wasm", "keyvalue default", "/health", "static 204"] {
        assert_eq!(drawing.matches(&format!(">{name}</text>")).count(), 1, "{name} in {drawing}");
    }
    assert!(drawing.contains("prefers-color-scheme: dark"));
}

#[test]
fn names_are_text_and_nothing_else() {
    let node = |name: &str| Node { kind: NodeKind::Outside, name: name.to_owned(), detail: "\u{1b}[31m".to_owned() };
    let names = ["<script>alert(1)</script>", "\"&'", "]]>", "\u{fffe}\u{0}\u{202e}", "é日本"];
    let graph = Graph { title: "</svg>".to_owned(), nodes: names.map(node).to_vec(), edges: Vec::new() };
    check(&graph);
    assert!(!svg(&graph).contains("<script") && !svg(&graph).contains(['\u{1b}', '\u{202e}', '\u{0}']));
}

fn any_graph() -> impl Strategy<Value = Graph> {
    let kinds =
        prop::sample::select(vec![NodeKind::Trigger, NodeKind::Component, NodeKind::Component, NodeKind::Capability]);
    let nodes = prop::collection::vec((kinds, "[a-z<&]{1,60}"), 1..12);
    let edges = prop::collection::vec((0..12_usize, 0..12_usize, 0..4_usize), 0..20);
    (nodes, edges).prop_map(|(nodes, edges)| {
        let count = nodes.len();
        let nodes = nodes.into_iter().map(|(kind, name)| Node { kind, detail: name.clone(), name }).collect();
        let kinds = [EdgeKind::Calls, EdgeKind::Passes, EdgeKind::Fused, EdgeKind::Http];
        let edge = |(from, to, kind): (usize, usize, usize)| Edge {
            from: from % count,
            to: to % count,
            kind: kinds[kind],
            label: "a:b/c".to_owned(),
        };
        Graph { title: "any".to_owned(), nodes, edges: edges.into_iter().map(edge).collect() }
    })
}

proptest! {
    #[test]
    fn any_graph_can_be_drawn(graph in any_graph()) {
        check(&graph);
        text(&graph);
    }
}
