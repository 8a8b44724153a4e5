//! `wharf build`: make the components of an app, check them, and write down what they are.

use crate::building;
use crate::command_error::CommandError;
use crate::locked::{self, LockArgs, Sources};
use crate::output::{self, talk};
use crate::report;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wharf_app::{App, Component, Target};
use wharf_build::{Error, Lock, Locked, Outcome};
use wharf_node::ComponentError;
use wharf_project::{Project, Read};

#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// A manifest, or a folder with a wharf.toml
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Build this component; may be given several times [default: all]
    #[arg(long, value_name = "NAME")]
    component: Vec<String>,
    /// Build also what is newer than its sources
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    lock: LockArgs,
    /// Look up versions in registries anew, instead of taking what wharf.lock has
    #[arg(long, conflicts_with = "locked")]
    update: bool,
    /// Print what was built as one JSON object
    #[arg(long)]
    json: bool,
}

/// One component that was built and checked.
struct Checked<'a> {
    component: &'a Component,
    outcome: &'a Outcome,
    locked: Locked,
    notes: Vec<String>,
}

pub(crate) fn run(args: &BuildArgs, verbose: bool) -> Result<ExitCode, CommandError> {
    let project = Project::find(&args.path)?;
    if matches!(project, Project::Bare { .. }) {
        let error = CommandError::usage(format!("{} is no app: there is nothing to build", args.path.display()));
        return Err(error.hint("give a folder with a wharf.toml, or a manifest"));
    }
    let folder = project.folder();
    let before = Lock::read(&folder).map_err(|error| building::of(&error))?;
    let known = if args.update { &Sources::new() } else { &before.sources };
    let (read, sources) = locked::sources(project.read(None, report::warn)?, known)?;
    locked::tell_moved(&before.sources, &sources);
    let mut options = building::options(&folder);
    options.force = args.force;
    if !args.component.is_empty() {
        args.component.iter().try_for_each(|name| check_name(&read.app, name))?;
        options.only = Some(args.component.iter().cloned().collect());
    }
    let outcomes = building::to_end(&read.app, &options, verbose)?;
    let failed: Vec<&Error> = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().err()).collect();
    if let Some(error) = building::error(&failed) {
        return Err(error);
    }
    let checked = check(&read, &outcomes)?;
    let mut after = lock(&before, &read.app, &checked);
    after.sources = sources;
    if args.lock.locked {
        locked::same(&before, &after, &folder)?;
    } else {
        after.write(&folder).map_err(|error| building::of(&error))?;
    }
    told(args.json, &read.app, &checked)
}

fn check_name(app: &App, name: &str) -> Result<(), CommandError> {
    if app.component(name).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = app.components.iter().map(|component| component.name.as_str()).collect();
    let error = CommandError::usage(format!("the app has no component `{name}`"));
    Err(error.hint(format!("its components are {}", names.join(", "))))
}

/// Checks that each component is one, and fits what calls it. Reports all that do not.
fn check<'a>(read: &'a Read, outcomes: &'a [Outcome]) -> Result<Vec<Checked<'a>>, CommandError> {
    let (mut checked, mut errors) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        let (Some(component), Ok(built)) = (read.app.component(&outcome.component), &outcome.result) else { continue };
        match checked_one(&read.app, component, &built.file) {
            Ok((locked, notes)) => checked.push(Checked { component, outcome, locked, notes }),
            Err(error) => errors.push(error),
        }
    }
    match errors.is_empty() {
        true => Ok(checked),
        false => Err(report::load_error(&wharf_node::Error::Components(errors), read.text.as_ref())),
    }
}

fn checked_one(app: &App, component: &Component, file: &Path) -> Result<(Locked, Vec<String>), ComponentError> {
    let bytes = std::fs::read(file).map_err(|source| ComponentError::Read {
        component: component.name.clone(),
        span: component.source_span.clone(),
        path: file.to_owned(),
        source,
    })?;
    let is_served = app.http.iter().any(|trigger| trigger.target == Target::Component(component.name.clone()));
    let notes = wharf_node::check(component, is_served, file, &bytes)?;
    Ok((Locked::of(&bytes), notes))
}

/// The lock after this build: components that were not built stay as they are, those that the app has no more go.
fn lock(before: &Lock, app: &App, checked: &[Checked<'_>]) -> Lock {
    let mut lock = before.clone();
    lock.components.retain(|name, _| app.component(name).is_some());
    for checked in checked {
        lock.components.insert(checked.component.name.clone(), checked.locked.clone());
    }
    lock
}

fn told(json: bool, app: &App, checked: &[Checked<'_>]) -> Result<ExitCode, CommandError> {
    if !json {
        for checked in checked {
            checked.notes.iter().for_each(|note| talk(&format!("note: {note}\n")));
        }
        let built = checked.iter().filter(|checked| took(checked).is_some()).count();
        talk(&match (built, checked.len()) {
            (0, 1) => format!("{} is up to date\n", app.name),
            (0, all) => format!("{} is up to date: {all} components\n", app.name),
            (built, all) => format!("{}: built {built} of {all} {}\n", app.name, plural(all)),
        });
        return Ok(ExitCode::SUCCESS);
    }
    let components: Vec<_> = checked
        .iter()
        .map(|checked| {
            serde_json::json!({
                "name": checked.component.name,
                "file": checked.outcome.result.as_ref().map(|built| built.file.display().to_string()).unwrap_or_default(),
                "built": took(checked).is_some(),
                "took_ms": took(checked),
                "digest": checked.locked.digest,
                "size_bytes": checked.locked.size,
                "notes": checked.notes,
            })
        })
        .collect();
    let value = serde_json::json!({ "app": app.name, "version": app.version, "components": components });
    output::data(&format!("{value}\n"))
}

fn took(checked: &Checked<'_>) -> Option<u64> {
    let took = checked.outcome.result.as_ref().ok()?.took?;
    Some(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "component" } else { "components" }
}
