//! `wharf dev`: build an app, serve it, and put in place what changes.
//!
//! In: the command line. Out: a server, until the user has enough. Next: [`session`] builds and swaps.

use crate::building;
use crate::command_error::CommandError;
use crate::logging::{LogFormat, Verbosity};
use crate::output::talk;
use crate::report;
use crate::serving::{Development, End, ServeArgs, Serving};
use clap::Args;
use keys::{Key, Keys};
use session::Session;
use std::pin::Pin;
use std::process::{Command, ExitCode, Stdio};
use tokio::signal::unix::{Signal, SignalKind, signal};
use wharf_build::{QUIET_EDITORS, Watch};
use wharf_gateway::dev::Dev;
use wharf_node::{Cores, Description};
use wharf_project::Project;

mod keys;
mod plain;
mod session;

/// What the keys do, for the terminal.
const HELP: &str = "r rebuild · o open in a browser · l log level · q quit\n";

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Open the app in a browser
    #[arg(long)]
    open: bool,
}

pub(crate) fn run(
    args: &DevArgs,
    format: LogFormat,
    verbose: bool,
    verbosity: &Verbosity,
) -> Result<ExitCode, CommandError> {
    let project = Project::find(&args.serve.path)?;
    let read = project.read(args.serve.grants.given(), report::warn)?;
    let dev = Dev::new();
    let development = Development { shows_causes: true, dev: Some(std::sync::Arc::clone(&dev)) };
    let serving = Serving::prepare(&args.serve, format, project, &read, development)?;
    let read = serving.fill(read)?;
    // Before the first build: what is asked meanwhile waits for it, and a port that is taken is said at once.
    let cores = serving.listen()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::failed(format!("cannot start an event loop: {error}")))?;
    let session = Session::new(&serving, dev, read, verbose);
    let served = runtime.block_on(serve(args, &session, &cores, verbosity));
    session.end();
    // A compilation that runs is not waited for.
    runtime.shutdown_background();
    drop(session);
    serving.finish(cores);
    served.map(|()| ExitCode::SUCCESS)
}

/// Builds and swaps until the end. What changes while a build runs begins it anew.
async fn serve(
    args: &DevArgs,
    session: &Session<'_>,
    cores: &Cores,
    verbosity: &Verbosity,
) -> Result<(), CommandError> {
    let mut end = End::listen()?;
    let mut tasks = tokio::task::JoinSet::new();
    session.serving().serve_metrics(&mut tasks).await?;
    let mut watch = Watch::start(QUIET_EDITORS).map_err(|error| building::of(&error))?;
    session.watch(&mut watch);
    let mut keys = Keys::start();
    let mut stop = StopSignal::listen(keys.is_some())?;
    announce(session, cores, keys.is_some());
    let url = session.serving().url(cores);
    if args.open {
        open(&url);
    }
    let mut work: Option<Work<'_>> = Some(Box::pin(session.first()));
    loop {
        tokio::select! {
            biased;
            () = end.asked() => return Ok(()),
            key = Keys::next(&mut keys) => match key {
                Key::Quit => return Ok(()),
                Key::Open => open(&url),
                Key::Level => talk(&format!("log level: {}\n", verbosity.next())),
                Key::Rebuild => session.force(),
                Key::Help => talk(HELP),
            },
            () = stop.asked() => Keys::stop_process(keys.as_ref()),
            () = finished(&mut work) => work = None,
            changes = watch.changed() => {
                session.note(&changes);
                session.watch(&mut watch);
            }
        }
        // Ends the build that runs, with all that it started.
        if work.is_some() && session.stops() {
            work = None;
        }
        if work.is_none() && session.has_work() {
            work = Some(Box::pin(session.next()));
        }
    }
}

/// The signal of Ctrl-Z, which is listened to where a terminal has to be given back first.
struct StopSignal(Option<Signal>);

impl StopSignal {
    fn listen(has_terminal: bool) -> Result<Self, CommandError> {
        let listened = has_terminal.then(|| signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw())));
        let listened = listened.transpose();
        Ok(Self(listened.map_err(|error| CommandError::failed(format!("cannot wait for signals: {error}")))?))
    }

    async fn asked(&mut self) {
        let asked = match &mut self.0 {
            Some(signal) => signal.recv().await,
            None => None,
        };
        if asked.is_none() {
            std::future::pending().await
        }
    }
}

/// A build and what follows it.
type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Ready when there was work and it is done.
async fn finished(work: &mut Option<Work<'_>>) {
    match work {
        Some(work) => work.as_mut().await,
        None => std::future::pending().await,
    }
}

/// Says where the app will be: whoever opens it now waits for the first build.
fn announce(session: &Session<'_>, cores: &Cores, has_keys: bool) {
    let (name, version) = session.name();
    let nothing_yet = Description { name, version, routes: Vec::new(), components: Vec::new() };
    session.serving().announce(cores, &nothing_yet);
    if has_keys {
        talk(HELP);
    }
}

/// Shows a page in the user's browser, if there is one.
fn open(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let url = url.to_owned();
    // Not waited for: some ways to open a browser last as long as the browser.
    std::thread::spawn(move || {
        let mut command = Command::new(program);
        command.arg(&url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_err() {
            talk(&format!("there is no {program} to open a browser: the app is at {url}\n"));
        }
    });
}
