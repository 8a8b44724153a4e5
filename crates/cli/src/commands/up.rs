//! `wharf up`: serve an app until the process is asked to end.

use crate::building;
use crate::command_error::CommandError;
use crate::locked::LockArgs;
use crate::logging::LogFormat;
use crate::output::talk;
use crate::report;
use crate::serving::{Development, End, ServeArgs, Serving, banner};
use clap::Args;
use std::process::ExitCode;
use std::time::Duration;
use wharf_build::{QUIET_COMPILERS, Watch};
use wharf_project::{Project, Read};

/// How long a version that was replaced may take to answer its last request before that is mentioned.
const OLD_VERSION: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Show the cause of errors to clients
    #[arg(long)]
    dev: bool,
    /// Put a new version in place when the manifest or a component changes on disk
    #[arg(long, short)]
    watch: bool,
    #[command(flatten)]
    lock: LockArgs,
}

pub(crate) fn run(args: &UpArgs, format: LogFormat) -> Result<ExitCode, CommandError> {
    let project = Project::find(&args.serve.path)?;
    args.lock.check(&project)?;
    let read = project.read(args.serve.grants.given(), report::warn)?;
    if !args.serve.no_build {
        building::stale(&read.app, &project.folder())?;
    }
    let development = Development { shows_causes: args.dev, dev: None };
    let serving = Serving::prepare(&args.serve, format, project, &read, development)?.locked(args.lock);
    let read = serving.fill(read)?;
    let swapped = serving.node.swap(&read.app, &serving.project.folder());
    let (description, first) = swapped.map_err(|error| report::load_error(&error, read.text.as_ref()))?;
    drop(first);
    let cores = serving.listen()?;
    serve(args, &serving, &read, || serving.announce(&cores, &description))?;
    serving.finish(cores);
    Ok(ExitCode::SUCCESS)
}

/// Waits for the end, and puts new versions in place meanwhile. `announce` is called when signals and changes are noticed: whoever
/// reads the start-up line may act on it at once.
fn serve(args: &UpArgs, serving: &Serving<'_>, read: &Read, announce: impl FnOnce()) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::failed(format!("cannot start an event loop: {error}")))?;
    runtime.block_on(async {
        let mut end = End::listen()?;
        let mut tasks = tokio::task::JoinSet::new();
        serving.serve_metrics(&mut tasks).await?;
        if !args.watch {
            announce();
            end.asked().await;
            return Ok(());
        }
        let mut watch = Watch::start(QUIET_COMPILERS).map_err(|error| building::of(&error))?;
        watch.set(serving.files(Some(read)), Vec::new());
        announce();
        loop {
            tokio::select! {
                () = end.asked() => return Ok(()),
                _ = watch.changed() => {
                    let read = read_again(serving);
                    // Before the files are read: what changes while they are is seen.
                    watch.set(serving.files(read.as_ref()), Vec::new());
                    read.iter().for_each(|read| swap(serving, read));
                }
            }
        }
    })
}

fn read_again(serving: &Serving<'_>) -> Option<Read> {
    serving.read_again().map_err(|error| goes_on(&error)).ok()
}

/// Puts the version that is on disk in place. If it cannot be, says why, and the version that is there goes on.
fn swap(serving: &Serving<'_>, read: &Read) {
    match serving.node.swap(&read.app, &serving.project.folder()) {
        Ok((description, old)) => {
            if !serving.args.quiet {
                talk(&banner::swapped(&description));
            }
            watch_out(old);
        }
        Err(error) => goes_on(&report::load_error(&error, read.text.as_ref())),
    }
}

/// Mentions an old version that does not come to its end.
pub(crate) fn watch_out(old: wharf_node::Draining) {
    if old.wait(Duration::ZERO) {
        return;
    }
    std::thread::spawn(move || {
        if !old.wait(OLD_VERSION) {
            tracing::warn!("the version before still answers requests after {} s", OLD_VERSION.as_secs());
        }
    });
}

fn goes_on(error: &CommandError) {
    talk(&format!("{}the version that is there goes on\n", error.text()));
}
