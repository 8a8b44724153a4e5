//! `wharf compose`: a component and all that is fused with it, as one component for any host.

use crate::building;
use crate::command_error::{CommandError, chain};
use crate::locked::{self, LockArgs};
use crate::output::{self, talk};
use crate::report;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wharf_app::{App, Component, Target};
use wharf_compose::{Part, Plug};
use wharf_project::Project;

#[derive(Debug, Args)]
pub(crate) struct ComposeArgs {
    /// A manifest, a folder with a wharf.toml, or a component whose imports `--plug` satisfies
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The component of the app to compose [default: the one that a trigger calls]
    #[arg(long, value_name = "NAME", conflicts_with = "plug")]
    component: Option<String>,
    /// A component whose exports satisfy imports of the others, by name and version; may be given several times
    #[arg(long, value_name = "FILE")]
    plug: Vec<PathBuf>,
    #[command(flatten)]
    lock: LockArgs,
    /// Where to write the result
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

pub(crate) fn run(args: &ComposeArgs) -> Result<ExitCode, CommandError> {
    let project = Project::find(&args.path)?;
    args.lock.check(&project)?;
    let bytes = match &project {
        Project::Manifest { .. } if !args.plug.is_empty() => {
            let error = CommandError::usage("--plug is for a component without a manifest");
            return Err(error.hint("write `[component.NAME.dependencies]` into the manifest"));
        }
        Project::Manifest { .. } => of_app(&project, args)?,
        Project::Bare { file } => of_files(file, &args.plug)?,
    };
    std::fs::write(&args.output, &bytes)
        .map_err(|error| CommandError::failed(format!("cannot write {}: {error}", args.output.display())))?;
    output::data(&format!("{}\n", args.output.display()))
}

fn of_app(project: &Project, args: &ComposeArgs) -> Result<Vec<u8>, CommandError> {
    let read = project.read(None, report::warn)?;
    let folder = project.folder();
    building::stale(&read.app, &folder)?;
    let read = locked::fetch(read, &folder, args.lock)?;
    let component = choose(&read.app, args.component.as_deref())?;
    let composed = wharf_node::compose(&read.app, component, &folder)
        .map_err(|error| report::load_error(&error, read.text.as_ref()))?;
    talk(&format!("composed {}\n", composed.parts.join(" + ")));
    if composed.parts.len() > 1 {
        talk("what it is granted, all parts of it may touch: only `wharf up` keeps their grants apart\n");
    }
    for import in &composed.outside {
        talk(&format!("{import} stays an import: the manifest links it isolated\n"));
    }
    Ok(composed.bytes)
}

/// Returns the component of that name, or the only one that triggers call.
fn choose<'a>(app: &'a App, name: Option<&str>) -> Result<&'a Component, CommandError> {
    let names = || app.components.iter().map(|component| component.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = name {
        let found = app.component(name);
        return found.ok_or_else(|| {
            CommandError::usage(format!("the app has no component `{name}`")).hint(format!("it has {}", names()))
        });
    }
    let mut called: Vec<&str> = app
        .http
        .iter()
        .filter_map(|trigger| match &trigger.target {
            Target::Component(name) => Some(name.as_str()),
            Target::Static(_) => None,
        })
        .collect();
    called.sort_unstable();
    called.dedup();
    match (called.as_slice(), app.components.as_slice()) {
        ([name], _) => app.component(name),
        (_, [one]) => Some(one),
        _ => None,
    }
    .ok_or_else(|| CommandError::usage("say which component").hint(format!("--component is one of {}", names())))
}

/// Plugs components into one: each import of each is satisfied by the first of the others that exports it.
fn of_files(socket: &Path, plugs: &[PathBuf]) -> Result<Vec<u8>, CommandError> {
    let files: Vec<&Path> = std::iter::once(socket).chain(plugs.iter().map(PathBuf::as_path)).collect();
    let mut components = Vec::new();
    for file in files {
        let bytes = std::fs::read(file)
            .map_err(|error| CommandError::usage(format!("cannot read {}: {error}", file.display())))?;
        // Says in words what is wrong with a file that is no component, and refuses those that exhaust a parser.
        wharf_component::inspect(&bytes)
            .map_err(|error| CommandError::usage(format!("{}: {}", file.display(), chain(&error))))?;
        components.push((file.display().to_string(), wharf_component::outline(&bytes), bytes));
    }
    let mut parts = Vec::new();
    for (place, (name, outline, bytes)) in components.iter().enumerate() {
        let mut found = Vec::new();
        for import in outline.imports() {
            let others = components.iter().enumerate().skip(1).filter(|(other, _)| *other != place);
            found.extend(others.into_iter().find_map(|(from, (_, other, _))| {
                let one =
                    wharf_component::matches(import, std::slice::from_ref(import), other.exports()).ok()?.pop()?;
                Some(Plug { import: one.import, from, export: one.export })
            }));
        }
        parts.push(Part { name, bytes, plugs: found, renamed: Default::default() });
    }
    for (place, (name, ..)) in components.iter().enumerate().skip(1) {
        if !parts.iter().any(|part| part.plugs.iter().any(|plug| plug.from == place)) {
            return Err(CommandError::usage(format!("{name} exports nothing that the others import"))
                .hint("`wharf inspect FILE` shows what a component imports and exports"));
        }
    }
    wharf_compose::fuse(&parts).map_err(|error| CommandError::failed(format!("[WHARF-0017] {}", chain(&error))))
}
