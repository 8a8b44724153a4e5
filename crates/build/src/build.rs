//! Builds the components of an app that are missing or stale, as many at a time as there are cores.
//!
//! In: an app and its folder. Out: for each component its file, or why there is none; [`Event`]s on the way. Next: `node` reads the files.

use crate::Error;
use crate::command::{self, Line};
use crate::preinit::stamp;
use crate::sources::{self, Sources};
use crate::tools::{self, Probe, Search};
use finish::{finish, there};
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wharf_app::{App, Build, Component, Source};
use wharf_telemetry::clock;

mod finish;

/// How long a toolchain may take to get a target.
const INSTALL: Duration = Duration::from_secs(600);

/// What to build, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the manifest.
    pub folder: PathBuf,
    /// The search path for programs; those of the project come before it.
    pub path: Option<OsString>,
    /// Which components; all when absent.
    pub only: Option<BTreeSet<String>>,
    /// Whether those are built too that are newer than their sources.
    pub force: bool,
    /// How many commands run at a time.
    pub jobs: usize,
}

/// What happens while building.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A component's command was started.
    Started {
        /// The component.
        component: &'a str,
        /// The command line.
        command: &'a str,
    },
    /// The command printed a line.
    Said {
        /// The component.
        component: &'a str,
        /// The line.
        line: &'a str,
    },
    /// A component's command ended.
    Ended {
        /// The component.
        component: &'a str,
    },
    /// Something that a toolchain lacks is being installed.
    Installing {
        /// The component.
        component: &'a str,
        /// The command line that installs it.
        command: &'a str,
    },
    /// A component is done.
    Done {
        /// The component.
        component: &'a str,
        /// What came of it.
        result: &'a Result<Built, Error>,
    },
}

/// A component whose file is there.
#[derive(Clone, Debug)]
pub struct Built {
    /// The file.
    pub file: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// How long its build took; absent if there was nothing to do.
    pub took: Option<Duration>,
    /// Whether it was made of a core module.
    pub of_module: bool,
    /// What its initialisation wrote to its standard output and error; absent if none was run.
    pub initialised: Option<String>,
}

impl Built {
    /// A file that is there, and for which nothing was done.
    fn there(file: PathBuf, size_bytes: u64) -> Self {
        Self { file, size_bytes, took: None, of_module: false, initialised: None }
    }
}

/// What came of one component.
#[derive(Debug)]
pub struct Outcome {
    /// Its name.
    pub component: String,
    /// Its file, or why there is none.
    pub result: Result<Built, Error>,
}

/// Builds what is missing or stale, and returns what came of each component, in the order of the manifest.
///
/// One that fails does not stop the others. When the future is dropped, running commands are killed.
pub async fn build(app: &App, options: &Options, tell: &dyn Fn(Event<'_>)) -> Vec<Outcome> {
    let wanted = |component: &&Component| options.only.as_ref().is_none_or(|only| only.contains(&component.name));
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for (at, component) in app.components.iter().enumerate().filter(|(_, component)| wanted(component)) {
        let line = component.build.as_ref().map(|build| (build.command.as_str(), build.dir.as_deref()));
        // Two components that one command makes, as those of a Cargo workspace: it runs once.
        match jobs.iter_mut().find(|job| line.is_some() && job.line == line) {
            Some(job) => job.components.push((at, component)),
            None => jobs.push(Job { line, components: vec![(at, component)] }),
        }
    }
    let running = jobs.iter().map(|job| job.run(options, tell));
    let done: Vec<Vec<(usize, Outcome)>> = stream::iter(running).buffer_unordered(options.jobs.max(1)).collect().await;
    let mut done: Vec<(usize, Outcome)> = done.into_iter().flatten().collect();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Returns the file that a component is read from; absent for one that does not come from a file.
pub fn output(component: &Component, folder: &Path) -> Option<PathBuf> {
    match &component.source {
        Source::File(file) | Source::Fetched { file, .. } => Some(folder.join(file)),
        _ => None,
    }
}

/// Components that the same command makes.
struct Job<'a> {
    line: Option<(&'a str, Option<&'a str>)>,
    components: Vec<(usize, &'a Component)>,
}

impl Job<'_> {
    async fn run(&self, options: &Options, tell: &dyn Fn(Event<'_>)) -> Vec<(usize, Outcome)> {
        let started = clock::now();
        let mut ran: Option<Result<(), Failure>> = None;
        let mut done = Vec::new();
        for (at, component) in &self.components {
            let result = match &component.build {
                None => there(component, &options.folder),
                Some(build) => match stale(component, build, options) {
                    Err(error) => Err(error),
                    Ok(false) => there(component, &options.folder),
                    Ok(true) => {
                        if ran.is_none() {
                            clear(component, build, options);
                            ran = Some(run_command(component, build, options, tell).await);
                            tell(Event::Ended { component: &component.name });
                        }
                        match &ran {
                            Some(Err(failure)) => Err(failure.of(component, build, options)),
                            _ => finish(component, build, &options.folder).await.map(|mut built| {
                                let said = built.initialised.as_deref().unwrap_or_default();
                                said.lines().for_each(|line| tell(Event::Said { component: &component.name, line }));
                                built.took = Some(clock::since(started));
                                built
                            }),
                        }
                    }
                },
            };
            tell(Event::Done { component: &component.name, result: &result });
            done.push((*at, Outcome { component: component.name.clone(), result }));
        }
        done
    }
}

fn stale(component: &Component, build: &Build, options: &Options) -> Result<bool, Error> {
    let sources = Sources::of(component, build, &options.folder)?;
    let Some(file) = output(component, &options.folder) else { return Ok(false) };
    if options.force {
        return Ok(true);
    }
    match fs::metadata(&file).and_then(|data| data.modified()) {
        Ok(built) => Ok(stamp::of_file(&file) != build.preinit || sources.changed_since(built)),
        Err(_) => Ok(true),
    }
}

/// Removes a component that was initialised by another function, or that is not to be initialised any more: a command that finds it newer
/// than its sources would leave it, and there is no way back from what it is.
fn clear(component: &Component, build: &Build, options: &Options) {
    let Some(file) = output(component, &options.folder).filter(|_| build.module.is_none()) else { return };
    if stamp::of_file(&file).is_some_and(|function| Some(function) != build.preinit)
        && let Err(error) = fs::remove_file(&file)
    {
        tracing::debug!("cannot remove {}: {error}", file.display());
    }
}

/// Why a command made nothing. Several components may share it.
enum Failure {
    Start(std::io::Error),
    Failed { status: std::process::ExitStatus, said: String },
    Missing { tool: String, advice: String, said: String },
    TimedOut { said: String },
}

impl Failure {
    fn of(&self, component: &Component, build: &Build, options: &Options) -> Error {
        let (component, command) = (component.name.clone(), build.command.clone());
        let dir = sources::dir(build, &options.folder);
        match self {
            Self::Start(source) => {
                let source = std::io::Error::new(source.kind(), source.to_string());
                Error::Start { component, dir, source }
            }
            Self::Failed { status, said } => {
                Error::Failed { component, command, dir, status: *status, said: said.clone() }
            }
            Self::Missing { tool, advice, said } => {
                let (tool, advice, said) = (tool.clone(), advice.clone(), said.clone());
                Error::MissingTool { component, tool, advice, command, said }
            }
            Self::TimedOut { said } => Error::TimedOut { component, command, after: build.timeout, said: said.clone() },
        }
    }
}

async fn run_command(
    component: &Component,
    build: &Build,
    options: &Options,
    tell: &dyn Fn(Event<'_>),
) -> Result<(), Failure> {
    let dir = sources::dir(build, &options.folder);
    let search = Search::new(options.path.as_deref(), &dir);
    let path = search.path();
    let component = component.name.as_str();
    let heard = |line: &str| tell(Event::Said { component, line });
    tell(Event::Started { component, command: &build.command });
    let mut is_second = false;
    loop {
        let line = Line { command: &build.command, dir: &dir, path: &path, timeout: build.timeout };
        let ended = command::run(&line, &heard).await.map_err(Failure::Start)?;
        let Some(status) = ended.status else { return Err(Failure::TimedOut { said: ended.said }) };
        if status.success() {
            return Ok(());
        }
        let tool = tools::missing_from(&ended.said);
        let install = tool.filter(|tool| matches!(tool.probe, Probe::RustTarget(_)));
        let install = install.and_then(|tool| search.installer(tool)).filter(|_| !is_second);
        // A toolchain that was installed before its `rust-toolchain.toml` lacks the targets that the file names, and rustup says nothing.
        let Some(install) = install else {
            return Err(failed(status, ended.said, tool, &search));
        };
        is_second = true;
        tell(Event::Installing { component, command: install.command });
        let line = Line { command: install.command, dir: &dir, path: &path, timeout: INSTALL };
        // If it fails, so does the build, which says why.
        let _ = command::run(&line, &heard).await;
    }
}

fn failed(
    status: std::process::ExitStatus,
    said: String,
    tool: Option<&'static tools::Tool>,
    search: &Search,
) -> Failure {
    // The shell's code for a program that it did not find.
    let unknown = (status.code() == Some(127)).then(|| tools::missing_program(&said)).flatten();
    match (tool, unknown) {
        (Some(tool), _) => Failure::Missing { tool: tool.name.to_owned(), advice: search.advice(tool), said },
        (None, Some(name)) => {
            let advice = "put it on the search path, or correct the build's `command`".to_owned();
            Failure::Missing { tool: name.to_owned(), advice, said }
        }
        (None, None) => Failure::Failed { status, said },
    }
}

#[cfg(test)]
mod tests;
