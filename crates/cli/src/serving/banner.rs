//! What `wharf up` says when it serves: where, which routes, and what each component may touch.

use crate::debug::connect;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use wharf_node::Description;

/// The files of a node.
pub(crate) struct Places<'a> {
    pub(crate) state: &'a Path,
    pub(crate) operator: Option<&'a Path>,
    /// The component that can be debugged, and where.
    pub(crate) debugger: Option<(&'a str, SocketAddr)>,
}

/// Returns the lines for people. The first one starts with the URL.
pub(crate) fn text(url: &str, app: &Description, places: &Places<'_>, quiet: bool) -> String {
    let mut text = format!("{url} serves {} {}\n", app.name, app.version);
    if !quiet {
        text.push_str(&details(app));
        if let Some(operator) = places.operator {
            let _ = writeln!(text, "labels are bound by {}", operator.display());
        }
        let _ = writeln!(text, "state in {}", places.state.display());
        if let Some((component, address)) = places.debugger {
            let _ = writeln!(text, "{component} can be debugged: {}", connect(address));
        }
    }
    text
}

/// Returns the line for scripts.
pub(crate) fn json(url: &str, app: &Description, places: &Places<'_>) -> String {
    let routes: Vec<_> =
        app.routes.iter().map(|line| serde_json::json!({ "route": line.route, "target": line.target })).collect();
    let components: Vec<_> = app
        .components
        .iter()
        .map(|line| {
            serde_json::json!({
                "name": line.name,
                "serves": line.serves,
                "grants": line.grants,
                "notes": line.notes,
                "compiled_ms": line.compiled.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
            })
        })
        .collect();
    let line = serde_json::json!({
        "url": url,
        "app": app.name,
        "version": app.version,
        "pid": std::process::id(),
        "state": places.state.display().to_string(),
        "debugger": places.debugger.map(|(_, address)| address.to_string()),
        "routes": routes,
        "components": components,
    });
    format!("{line}\n")
}

/// Returns the lines about a version that was put in the place of another.
pub(crate) fn swapped(app: &Description) -> String {
    format!("a new version is in place: {} {}\n{}", app.name, app.version, details(app))
}

pub(crate) fn details(app: &Description) -> String {
    let mut text = String::new();
    let width = app.routes.iter().map(|line| line.route.chars().count()).max().unwrap_or(0);
    for line in &app.routes {
        let _ = writeln!(text, "  {:width$}  → {}", line.route, line.target);
    }
    for line in &app.components {
        let grants = if line.grants.is_empty() { "nothing".to_owned() } else { line.grants.join(", ") };
        let serves = line.serves.unwrap_or("no HTTP");
        let _ = write!(text, "{} ({serves}) may touch: {grants}", line.name);
        match line.compiled {
            Some(took) => {
                let _ = writeln!(text, "; compiled in {:.1} s", took.as_secs_f64());
            }
            None => text.push('\n'),
        }
        for note in &line.notes {
            let _ = writeln!(text, "  note: {note}");
        }
    }
    text
}
