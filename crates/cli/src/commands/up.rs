//! `wharf up`: serve an app until the process is asked to end.

use crate::args::GrantArgs;
use crate::building;
use crate::command_error::{CommandError, chain};
use crate::debug::ServeDebugArgs;
use crate::logging::LogFormat;
use crate::operator;
use crate::output::talk;
use crate::project::{self, Project, Read};
use crate::report::node_error;
use crate::variables::VariableArgs;
use crate::watch::Watch;
use clap::Args;
use ipnet::IpNet;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use wharf_app::Source;
use wharf_gateway::{Config, Gateway, Limits};
use wharf_node::{Backends, Cores, CoresConfig, Description, Node, State};
use wharf_runtime::{Runtime, Settings};
use wharf_telemetry::log::{Log, Writer};
use wharf_trigger::ErrorPage;

mod banner;

/// How long a version that was replaced may take to answer its last request before that is mentioned.
const OLD_VERSION: Duration = Duration::from_secs(60);

/// What `--access-log` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum AccessLog {
    /// If stderr is a terminal
    Auto,
    /// A line for each request, in the format of --log-format
    On,
    /// None
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// A manifest, a folder with a wharf.toml, or a component
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Serve TLS with this certificate chain (PEM); HTTP/2 or HTTP/1.1 is agreed on by ALPN
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Where state and compiled components are kept [default: .wharf beside the manifest]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The operator's file, which binds labels to backends [default: node.toml beside the manifest, if there is one]
    #[arg(long, value_name = "FILE")]
    node: Option<PathBuf>,
    /// Serve metrics at http://ADDRESS:PORT/metrics; for those who run the node, not for clients
    #[arg(long, value_name = "ADDRESS:PORT")]
    admin: Option<SocketAddr>,
    /// Print the start-up line as one JSON object
    #[arg(long)]
    json: bool,
    /// Print nothing but the start-up line
    #[arg(long, short)]
    quiet: bool,
    /// Show the cause of errors to clients
    #[arg(long)]
    dev: bool,
    /// Put a new version in place when the manifest or a component changes on disk
    #[arg(long, short)]
    watch: bool,
    /// Do not run the build commands of the manifest
    #[arg(long)]
    no_build: bool,
    /// Write a line for each request to stderr
    #[arg(long, value_enum, default_value_t = AccessLog::Auto, value_name = "WHEN")]
    access_log: AccessLog,
    /// Threads that serve, one event loop each [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    cores: Option<u16>,
    /// Instances that may be alive at a time; each reserves 8 GiB of address space
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=8000))]
    instances: u32,
    /// Connections at a time
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: u32,
    /// Seconds that a client may take for the head of a request, and that an unused connection is kept
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    head_timeout: u64,
    /// Seconds that open requests may take when the process is asked to end
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain: u64,
    /// A network of proxies in front whose `Forwarded` headers are believed
    #[arg(long, value_name = "CIDR")]
    trust_proxy: Vec<IpNet>,
    #[command(flatten)]
    debug: ServeDebugArgs,
    #[command(flatten)]
    variables: VariableArgs,
    #[command(flatten)]
    grants: GrantArgs,
}

pub(crate) fn run(args: &UpArgs, format: LogFormat) -> Result<ExitCode, CommandError> {
    let project = Project::find(&args.path)?;
    let read = project.read(&args.grants)?;
    if !args.no_build {
        building::stale(&read.app, &project.folder())?;
    }
    raise_descriptor_limit();
    let state_path = args.state.clone().unwrap_or_else(|| project.default_state());
    let state = State::open(&state_path).map_err(|error| node_error(&error))?;
    let writer = Log::start(format.lines(), Box::new(std::io::stderr()))
        .map_err(|error| CommandError::failed(format!("cannot start the log: {error}")))?;
    let (operator, operator_file) = operator::read(args.node.as_deref(), &project.folder())?;
    let stack_bytes =
        read.app.components.iter().map(|component| component.limits.stack_bytes).max().unwrap_or(512 << 10);
    let stack_bytes = usize::try_from(stack_bytes).unwrap_or(512 << 10);
    let debugging = args.debug.start(&project.folder())?;
    let dumps = debugging.diagnostics.dumps.is_some();
    let settings = Settings { instances: args.instances, stack_bytes, dumps, ..Settings::default() };
    let runtime = Runtime::new(settings, state.cache());
    let gateway = Arc::new(gateway(args, &writer)?);
    let backends = Backends::new(&operator, state.path()).map_err(|error| node_error(&error))?;
    let node = Node::new(runtime, Arc::clone(&gateway), writer.log(), backends);
    let node = Arc::new(node.watched(debugging.diagnostics.clone()));
    let read = fill(args, &node, &project, read)?;
    let (description, first) =
        node.swap(&read.app, &project.folder()).map_err(|error| project::load_error(&error, read.text.as_ref()))?;
    drop(first);
    let cores = start_cores(args, &gateway)?;
    let places = banner::Places { state: &state_path, operator: operator_file.as_deref() };
    let server = Server { args, project, node };
    server.serve(&read, || announce(args, &cores, &description, &places))?;
    let cut = cores.stop();
    if cut > 0 {
        tracing::warn!("{cut} connections were still open after {} s and were cut off", args.drain);
    }
    debugging.finish();
    drop(server);
    drop(state);
    Ok(ExitCode::SUCCESS)
}

fn gateway(args: &UpArgs, writer: &Writer) -> Result<Gateway, CommandError> {
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => {
            let loaded = wharf_gateway::tls::load(certificate, key);
            Some(loaded.map_err(|error| CommandError::usage(format!("[WHARF-0015] {}", chain(&error))))?)
        }
        _ => None,
    };
    let access = match args.access_log {
        AccessLog::On => true,
        AccessLog::Off => false,
        AccessLog::Auto => std::io::stderr().is_terminal() && !args.quiet,
    };
    let limits = Limits {
        connections: args.connections as usize,
        head: Duration::from_secs(args.head_timeout),
        ..Limits::default()
    };
    Ok(Gateway::new(Config {
        limits,
        tls,
        trusted: args.trust_proxy.clone(),
        page: ErrorPage { dev: args.dev },
        access: access.then(|| writer.log()),
    }))
}

fn start_cores(args: &UpArgs, gateway: &Arc<Gateway>) -> Result<Cores, CommandError> {
    let threads = match args.cores {
        Some(cores) => usize::from(cores),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let config = CoresConfig { listen: args.listen, threads, drain: Duration::from_secs(args.drain) };
    Cores::start(&config, gateway).map_err(|error| node_error(&error))
}

fn announce(args: &UpArgs, cores: &Cores, description: &Description, places: &banner::Places<'_>) {
    let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", cores.address());
    let text = if args.json {
        banner::json(&url, description, places)
    } else {
        banner::text(&url, description, places, args.quiet)
    };
    let mut out = std::io::stdout().lock();
    // A closed pipe does not stop a server.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Puts values in the place of the manifest's variables.
fn fill(args: &UpArgs, node: &Node, project: &Project, read: Read) -> Result<Read, CommandError> {
    args.variables.fill(read, &project.folder(), |app| node.backends().stored_secrets(app))
}

/// 10,000 connections need as many descriptors, and the default limit is 1,024.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!("cannot raise the limit of open files: {error}");
    }
}

struct Server<'a> {
    args: &'a UpArgs,
    project: Project,
    node: Arc<Node>,
}

impl Server<'_> {
    /// Waits for the end, and puts new versions in place meanwhile. `announce` is called when signals and changes are noticed: whoever
    /// reads the start-up line may act on it at once.
    fn serve(&self, read: &Read, announce: impl FnOnce()) -> Result<(), CommandError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| CommandError::failed(format!("cannot start an event loop: {error}")))?;
        runtime.block_on(async {
            let mut end = End::listen()?;
            let mut tasks = tokio::task::JoinSet::new();
            self.serve_metrics(&mut tasks).await?;
            if !self.args.watch {
                announce();
                end.asked().await;
                return Ok(());
            }
            let watching = Watch::start().map_err(|error| CommandError::failed(format!("cannot watch files: {error}")));
            let mut watch = watching?;
            watch.set(self.files(Some(read)));
            announce();
            loop {
                tokio::select! {
                    () = end.asked() => return Ok(()),
                    () = watch.changed() => {
                        let read = self.read_again();
                        // Before the files are read: what changes while they are is seen.
                        watch.set(self.files(read.as_ref()));
                        read.iter().for_each(|read| self.swap(read));
                    }
                }
            }
        })
    }

    /// Starts to serve metrics, if that was asked for. Ends with `tasks`.
    async fn serve_metrics(&self, tasks: &mut tokio::task::JoinSet<()>) -> Result<(), CommandError> {
        let Some(address) = self.args.admin else { return Ok(()) };
        let bound = tokio::net::TcpListener::bind(address).await;
        let listener = bound.map_err(|source| node_error(&wharf_node::Error::Listen { address, source }))?;
        let at = listener.local_addr().unwrap_or(address);
        let node = Arc::clone(&self.node);
        tasks.spawn(wharf_gateway::admin::run(listener, move || {
            let mut metrics = String::new();
            node.backends().write_metrics(&mut metrics);
            metrics
        }));
        if !self.args.quiet {
            talk(&format!("metrics at http://{at}/metrics\n"));
        }
        Ok(())
    }

    fn read_again(&self) -> Option<Read> {
        let read = self.project.read(&self.args.grants);
        let filled = read.and_then(|read| fill(self.args, &self.node, &self.project, read));
        filled.map_err(|error| goes_on(&error)).ok()
    }

    /// Puts the version that is on disk in place. If it cannot be, says why, and the version that is there goes on.
    fn swap(&self, read: &Read) {
        match self.node.swap(&read.app, &self.project.folder()) {
            Ok((description, old)) => {
                if !self.args.quiet {
                    talk(&banner::swapped(&description));
                }
                if !old.wait(Duration::ZERO) {
                    std::thread::spawn(move || {
                        if !old.wait(OLD_VERSION) {
                            tracing::warn!(
                                "the version before still answers requests after {} s",
                                OLD_VERSION.as_secs()
                            );
                        }
                    });
                }
            }
            Err(error) => goes_on(&project::load_error(&error, read.text.as_ref())),
        }
    }

    /// Returns the files that make up the app; only the one that is sure if the others cannot be read.
    fn files(&self, read: Option<&Read>) -> Vec<PathBuf> {
        let mut files = vec![self.project.file().to_owned()];
        let folder = self.project.folder();
        files.extend(self.args.variables.files(&folder));
        for component in read.iter().flat_map(|read| &read.app.components) {
            if let Source::File(file) = &component.source {
                files.push(folder.join(file));
            }
        }
        files
    }
}

fn goes_on(error: &CommandError) {
    talk(&format!("{}the version that is there goes on\n", error.text()));
}

/// The signals that ask the process to end.
struct End {
    terminate: Signal,
    interrupt: Signal,
}

impl End {
    fn listen() -> Result<Self, CommandError> {
        let listen =
            |kind| signal(kind).map_err(|error| CommandError::failed(format!("cannot wait for signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
