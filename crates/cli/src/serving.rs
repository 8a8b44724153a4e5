//! A server of an app, put together: what `up` and `dev` have in common.
//!
//! In: flags and an app as it was read. Out: a node, its cores, and the line that says where it serves. Next: `node`.

use crate::args::GrantArgs;
use crate::command_error::{CommandError, chain};
use crate::commands::compile;
use crate::debug::{Debugging, ServeDebugArgs};
use crate::locked::{self, LockArgs};
use crate::logging::LogFormat;
use crate::output::{Talk, talk};
use crate::report::{self, node_error};
use crate::surroundings::{self, environment};
use crate::variables::VariableArgs;
use clap::Args;
use ipnet::IpNet;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use wharf_app::Source;
use wharf_gateway::dev::Dev;
use wharf_gateway::{Config, Gateway, Limits};
use wharf_node::{Backends, Cores, CoresConfig, Description, Node, State};
use wharf_project::{Bindings, Project, Read};
use wharf_runtime::{Runtime, Settings};
use wharf_telemetry::log::{Log, Writer};
use wharf_trigger::ErrorPage;

pub(crate) mod banner;

/// How long open requests may take before it is said that they are waited for: most need less.
const A_WHILE: Duration = Duration::from_secs(1);

/// The exit code of a process that was asked twice to end: that of a program which SIGINT ended.
const CUT_SHORT: i32 = 130;

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

/// How an app is served
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// A manifest, a folder with a wharf.toml, or a component
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
    /// Serve TLS with this certificate chain (PEM); HTTP/2 or HTTP/1.1 is agreed on by ALPN
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Where state and compiled components are kept [default: .wharf beside the manifest]
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// The operator's file, which binds labels to backends [default: node.toml beside the manifest, if there is one]
    #[arg(long, value_name = "FILE")]
    node: Option<PathBuf>,
    /// Serve metrics at http://ADDRESS:PORT/metrics; for those who run the node, not for clients
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) admin: Option<SocketAddr>,
    /// Print the start-up line as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Print nothing but the start-up line
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Do not run the build commands of the manifest
    #[arg(long)]
    pub(crate) no_build: bool,
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
    pub(crate) drain: u64,
    /// A network of proxies in front whose `Forwarded` headers are believed
    #[arg(long, value_name = "CIDR")]
    trust_proxy: Vec<IpNet>,
    #[command(flatten)]
    debug: ServeDebugArgs,
    #[command(flatten)]
    pub(crate) variables: VariableArgs,
    #[command(flatten)]
    pub(crate) grants: GrantArgs,
}

/// A server that is put together and does not listen yet.
pub(crate) struct Serving<'a> {
    pub(crate) args: &'a ServeArgs,
    pub(crate) project: Project,
    pub(crate) node: Arc<Node>,
    lock: LockArgs,
    gateway: Arc<Gateway>,
    debugging: Debugging,
    state_path: PathBuf,
    operator_file: Option<PathBuf>,
    // Last: the log outlives what writes to it, and the folder is held until all is written.
    _writer: Writer,
    _state: State,
}

/// How errors look to clients, and whether pages are told of changes.
#[derive(Default)]
pub(crate) struct Development {
    /// Whether clients see the cause of errors.
    pub(crate) shows_causes: bool,
    /// What pages are told.
    pub(crate) dev: Option<Arc<Dev>>,
}

impl<'a> Serving<'a> {
    /// Puts a server together for an app as it was read.
    pub(crate) fn prepare(
        args: &'a ServeArgs,
        format: LogFormat,
        project: Project,
        read: &Read,
        development: Development,
    ) -> Result<Self, CommandError> {
        raise_descriptor_limit();
        let state_path = surroundings::state_of(&project, args.state.as_deref());
        let state = State::open(&state_path).map_err(|error| node_error(&error))?;
        let writer = Log::start(format.lines(), Box::new(Talk))
            .map_err(|error| CommandError::failed(format!("cannot start the log: {error}")))?;
        let Bindings { operator, file: operator_file } =
            surroundings::operator(args.node.as_deref(), &project.folder())?;
        let debugging = args.debug.start(&project.folder(), &read.app)?;
        let dumps = debugging.diagnostics.dumps.is_some();
        let incremental = development.dev.is_some();
        // Who develops an app compiles what is his, and should not wait for a process to start.
        let process = (!incremental).then(compile::process);
        let settings = Settings { instances: args.instances, dumps, incremental, process, ..Settings::default() };
        let runtime = Runtime::new(settings, state.cache());
        let gateway = Arc::new(gateway(args, &writer, development)?);
        let backends = Backends::new(&operator, state.path()).map_err(|error| node_error(&error))?;
        let node = Node::new(runtime, Arc::clone(&gateway), writer.log(), backends);
        let node = Arc::new(node.watched(debugging.diagnostics.clone()));
        let lock = LockArgs::default();
        Ok(Self {
            args,
            project,
            node,
            lock,
            gateway,
            debugging,
            state_path,
            operator_file,
            _writer: writer,
            _state: state,
        })
    }

    /// Serves only what the lock file of the app has, if that is asked for.
    pub(crate) fn locked(self, lock: LockArgs) -> Self {
        Self { lock, ..self }
    }

    /// Puts values in the place of the manifest's variables, and files in the place of what comes from URLs and registries.
    pub(crate) fn fill(&self, read: Read) -> Result<Read, CommandError> {
        let folder = self.project.folder();
        let stored = |app: &str| self.node.backends().stored_secrets(app);
        let filled = self.args.variables.values().fill(read, &folder, &environment(), stored)?;
        locked::fetch(filled, &folder, self.lock)
    }

    /// Reads the app as it is now, and makes it complete.
    pub(crate) fn read_again(&self) -> Result<Read, CommandError> {
        self.fill(self.project.read(self.args.grants.given(), report::warn)?)
    }

    /// Starts to listen.
    pub(crate) fn listen(&self) -> Result<Cores, CommandError> {
        let threads = match self.args.cores {
            Some(cores) => usize::from(cores),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let drain = Duration::from_secs(self.args.drain);
        let config = CoresConfig { listen: self.args.listen, threads, drain };
        Cores::start(&config, &self.gateway).map_err(|error| node_error(&error))
    }

    /// Returns where it serves.
    pub(crate) fn url(&self, cores: &Cores) -> String {
        let scheme = if self.args.tls_cert.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", cores.address())
    }

    /// Says on stdout where it serves, and what.
    pub(crate) fn announce(&self, cores: &Cores, description: &Description) {
        let places = banner::Places {
            state: &self.state_path,
            operator: self.operator_file.as_deref(),
            debugger: self.debugging.debugger(),
        };
        let url = self.url(cores);
        let text = if self.args.json {
            banner::json(&url, description, &places)
        } else {
            banner::text(&url, description, &places, self.args.quiet)
        };
        let mut out = std::io::stdout().lock();
        // A closed pipe does not stop a server.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Starts to serve metrics, if that was asked for. Ends with `tasks`.
    pub(crate) async fn serve_metrics(&self, tasks: &mut JoinSet<()>) -> Result<(), CommandError> {
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

    /// Returns the files that make up the app; only the one that is sure if the others cannot be read.
    pub(crate) fn files(&self, read: Option<&Read>) -> Vec<PathBuf> {
        let mut files = vec![self.project.file().to_owned()];
        let folder = self.project.folder();
        files.extend(self.args.variables.values().files(&folder));
        for component in read.iter().flat_map(|read| &read.app.components) {
            if let Source::File(file) = &component.source {
                files.push(folder.join(file));
            }
        }
        files
    }

    /// Stops listening, waits for open requests, and writes what is to be written at the end.
    pub(crate) fn finish(self, cores: Cores) {
        let patience = Duration::from_secs(self.args.drain);
        // Ends with the process.
        std::thread::spawn(move || end_when_asked_again(patience));
        let cut = cores.stop();
        if cut > 0 {
            tracing::warn!("{cut} connections were still open after {} s and were cut off", self.args.drain);
        }
        self.debugging.finish(0);
    }
}

/// Says what is waited for, if that takes a while, and waits no longer when the user asks a second time.
#[expect(clippy::disallowed_methods, reason = "who asks twice to end wants nothing of what would be done first")]
fn end_when_asked_again(patience: Duration) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let Ok(mut end) = End::listen() else { return };
        if tokio::time::timeout(A_WHILE, end.asked()).await.is_err() {
            talk(&format!(
                "waiting for requests that are open, for {} s at most; Ctrl-C ends it now\n",
                patience.as_secs()
            ));
            end.asked().await;
        }
        std::process::exit(CUT_SHORT);
    });
}

fn gateway(args: &ServeArgs, writer: &Writer, development: Development) -> Result<Gateway, CommandError> {
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
        page: ErrorPage { dev: development.shows_causes },
        access: access.then(|| writer.log()),
        dev: development.dev,
    }))
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

/// The signals that ask the process to end.
pub(crate) struct End {
    terminate: Signal,
    interrupt: Signal,
}

impl End {
    pub(crate) fn listen() -> Result<Self, CommandError> {
        let listen =
            |kind| signal(kind).map_err(|error| CommandError::failed(format!("cannot wait for signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
