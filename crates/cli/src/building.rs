//! Runs the builds of an app and shows how they go.
//!
//! In: an app and its folder. Out: files, or the errors of those that failed. Next: `node` reads the files.

use crate::command_error::{CommandError, chain};
use crate::output::talk;
use crate::progress::Progress;
use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use wharf_app::App;
use wharf_build::{Error, Event, Options, Outcome, PreinitError, PreinitFault};
use wharf_telemetry::clock;

/// How often the seconds of running builds are shown anew in a terminal.
const TICK: Duration = Duration::from_millis(200);

/// Returns what every build of this program has in common.
pub(crate) fn options(folder: &Path) -> Options {
    Options {
        folder: folder.to_owned(),
        path: search_path(),
        only: None,
        force: false,
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// Returns where builds look for programs: as the user does, and beside this program, which builds in C and Go call for bindings.
#[expect(clippy::disallowed_methods, reason = "the program itself reads its environment")]
fn search_path() -> Option<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    // A folder whose name cannot be in a list is left out.
    std::env::join_paths(std::env::split_paths(&path).chain(own)).ok().or(Some(path))
}

/// Builds what is missing or stale, as `wharf up` does before it serves.
pub(crate) fn stale(app: &App, folder: &Path) -> Result<(), CommandError> {
    if app.components.iter().all(|component| component.build.is_none()) {
        return Ok(());
    }
    let outcomes = to_end(app, &options(folder), false)?;
    // A file without a build that is not there is reported with its place in the manifest when it is read.
    let with_build = |outcome: &&Outcome| app.component(&outcome.component).is_some_and(|found| found.build.is_some());
    let errors: Vec<&Error> =
        outcomes.iter().filter(with_build).filter_map(|outcome| outcome.result.as_ref().err()).collect();
    error(&errors).map_or(Ok(()), Err)
}

/// Builds to the end, or until the user has enough: then what runs is killed.
pub(crate) fn to_end(app: &App, options: &Options, verbose: bool) -> Result<Vec<Outcome>, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::failed(format!("cannot start an event loop: {error}")))?;
    runtime.block_on(async {
        let listen =
            |kind| signal(kind).map_err(|error| CommandError::failed(format!("cannot wait for signals: {error}")));
        let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        tokio::select! {
            (outcomes, _) = shown(app, options, verbose) => Ok(outcomes),
            _ = interrupt.recv() => Err(CommandError::failed("the build was interrupted")),
            _ = terminate.recv() => Err(CommandError::failed("the build was interrupted")),
        }
    })
}

/// Builds and shows the progress on stderr: what a command says only when it fails, or with `verbose` at once. Returns with the outcomes
/// how long commands ran, the first to the last.
pub(crate) async fn shown(app: &App, options: &Options, verbose: bool) -> (Vec<Outcome>, Duration) {
    let progress = RefCell::new(Progress::on_stderr());
    let (first, commands) = (Cell::new(None), Cell::new(Duration::ZERO));
    let tell = |event: Event<'_>| {
        let mut progress = progress.borrow_mut();
        match event {
            Event::Started { component, command } => {
                first.set(first.get().or_else(|| Some(clock::now())));
                progress.start(component, command);
            }
            Event::Ended { .. } => commands.set(first.get().map_or(Duration::ZERO, clock::since)),
            Event::Said { component, line } if verbose => progress.line(&format!("{component}: {line}")),
            Event::Installing { component, command } => {
                progress.line(&format!("{component} lacks something, which is being added: {command}"));
            }
            Event::Done { component, result } => progress.done(component, result, verbose),
            _ => {}
        }
    };
    let mut tick = tokio::time::interval(TICK);
    let building = wharf_build::build(app, options, &tell);
    tokio::pin!(building);
    loop {
        tokio::select! {
            outcomes = &mut building => return (outcomes, commands.get()),
            _ = tick.tick() => progress.borrow_mut().tick(),
        }
    }
}

/// Returns the error of builds that failed, if any did. What their commands said was shown when it happened.
pub(crate) fn error(errors: &[&Error]) -> Option<CommandError> {
    let (first, rest) = errors.split_first()?;
    for other in rest {
        talk(&of(other).text());
    }
    Some(of(first))
}

/// Returns one error with what to do about it.
pub(crate) fn of(error: &Error) -> CommandError {
    let code = error.code().map_or_else(String::new, |code| format!("[{code}] "));
    let shown = CommandError::failed(format!("{code}{}", chain(error)));
    match error {
        Error::Failed { dir, command, .. } => shown.hint(format!("it ran in {}: {command}", dir.display())),
        Error::TimedOut { .. } => shown.hint("give it more with `timeout` in the component's `build`"),
        Error::NoOutput { key, .. } => {
            shown.hint(format!("`{key}` in the manifest names the file that the build's `command` writes"))
        }
        Error::Preinit { source, .. } => match preinit_hint(source) {
            Some(hint) => shown.hint(hint),
            None => shown,
        },
        Error::Lock { .. } => shown.hint("remove it, or correct it; `wharf build` writes a new one"),
        _ => shown,
    }
}

/// Returns what to do about an initialisation that failed.
fn preinit_hint(error: &PreinitError) -> Option<&'static str> {
    match error {
        PreinitError::Missing { .. } => Some(
            "C: `__attribute__((export_name(\"wizer-initialize\"))) void init(void)`; Rust: `#[unsafe(export_name = \"wizer-initialize\")] \
             extern \"C\" fn init()`; or name another export with `preinit`",
        ),
        PreinitError::Failed { fault, .. } => match fault {
            PreinitFault::Import { .. } => Some(
                "nothing from outside is there at build time, as it would be kept for ever: do this when a request comes",
            ),
            PreinitFault::Kept => Some("print only what ends the initialisation"),
            PreinitFault::TimedOut(_) => Some("give it more with `timeout` in the component's `build`"),
            PreinitFault::Memory { .. } => Some("give it more with `memory` in the component's `limits`"),
            _ => None,
        },
        _ => None,
    }
}
