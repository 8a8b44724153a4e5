//! `wharf inspect`: what a component is, what it may ask for, and whether it can be served or run here.

use crate::command_error::CommandError;
use crate::commands::run::read;
use crate::output;
use crate::report;
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wharf_app::{App, Source};
use wharf_component::{Facts, PROVIDED};
use wharf_project::Project;

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A component or a core module; with --graph an app: a manifest, a folder with one, or a component
    file: PathBuf,
    /// Print everything as one JSON object
    #[arg(long, conflicts_with = "wit")]
    json: bool,
    /// Print the WIT text and nothing else
    #[arg(long)]
    wit: bool,
    /// Show who calls whom in an app: triggers, components, dependencies, grants
    #[arg(long, conflicts_with = "wit")]
    graph: bool,
    /// Draw the graph into this file; `-` for stdout
    #[arg(long, value_name = "FILE", requires = "graph", conflicts_with = "json")]
    svg: Option<PathBuf>,
}

pub(crate) fn run(args: &InspectArgs) -> Result<ExitCode, CommandError> {
    if args.graph {
        return graph(args);
    }
    let (_, facts) = read(&args.file)?;
    if args.wit {
        return output::data(&facts.wit);
    }
    if args.json {
        let missing = wharf_component::check(&facts, PROVIDED);
        let mut value = serde_json::to_value(&facts)
            .map_err(|error| CommandError::failed(format!("cannot write the facts as JSON: {error}")))?;
        if let Some(object) = value.as_object_mut() {
            object.insert("file".to_owned(), args.file.display().to_string().into());
            object.insert("verdict".to_owned(), json(&facts.verdict(&missing))?);
            object.insert("missing".to_owned(), json(&missing)?);
        }
        return output::data(&format!("{value:#}\n"));
    }
    output::data(&wharf_component::render_text(&facts))
}

fn graph(args: &InspectArgs) -> Result<ExitCode, CommandError> {
    let project = Project::find(&args.file)?;
    let app = project.read(None, report::warn)?.app;
    let graph = wharf_graph::graph(&app, &facts(&app, &project.folder()));
    if args.json {
        return output::data(&format!("{:#}\n", json(&graph)?));
    }
    let Some(file) = &args.svg else { return output::data(&wharf_graph::text(&graph)) };
    let drawing = wharf_graph::svg(&graph);
    if file == Path::new("-") {
        return output::data(&drawing);
    }
    std::fs::write(file, drawing)
        .map_err(|error| CommandError::failed(format!("cannot write {}: {error}", file.display())))?;
    output::talk(&format!("drew {}\n", file.display()));
    Ok(ExitCode::SUCCESS)
}

/// Returns what is known of the components that are there. What is not built yet is drawn by its manifest alone.
fn facts(app: &App, folder: &Path) -> BTreeMap<String, Facts> {
    let mut found = BTreeMap::new();
    for component in &app.components {
        let Source::File(file) = &component.source else { continue };
        let read = std::fs::read(folder.join(file)).ok();
        match read.map(|bytes| wharf_component::inspect(&bytes)) {
            Some(Ok(facts)) => _ = found.insert(component.name.clone(), facts),
            Some(Err(error)) => output::talk(&format!("{}: {error}; drawn by the manifest alone\n", component.name)),
            None => output::talk(&format!("{}: {file} is not there; drawn by the manifest alone\n", component.name)),
        }
    }
    found
}

fn json<T: serde::Serialize>(value: &T) -> Result<serde_json::Value, CommandError> {
    serde_json::to_value(value).map_err(|error| CommandError::failed(format!("cannot write JSON: {error}")))
}
