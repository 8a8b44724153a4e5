//! What each instance of a component gets from the host: a recipe, made once at load, followed for each store.
//!
//! In: the grants of a component, resolved. Out: a [`WasiCtx`]. Next: [`crate::Ctx`], which follows it when a guest first asks.

use crate::Simulation;
use crate::clocks::Coarse;
use crate::sockets::Reach;
use crate::stdio::LineSink;
use crate::{Capabilities, Outbound, Sockets};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wasmtime_wasi::clocks::{MonotonicClock, WallClock};
use wasmtime_wasi::filesystem::FsPerms;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};
use wharf_kit::Who;
use wharf_telemetry::RequestId;
use wharf_telemetry::log::{Log, Stream};

/// Random bytes that one call may ask for; the engine's own limit of 64 MiB is host memory.
const RANDOM_BYTES: u64 = 1 << 20;

/// Environment variables of a guest, in order.
pub type Environment = Vec<(String, String)>;

/// A folder that a guest may open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where it is on this machine.
    pub host: PathBuf,
    /// What the guest calls it.
    pub guest: String,
    /// Whether the guest may change what is in it.
    pub writable: bool,
}

/// Where a guest's standard streams go.
#[derive(Clone)]
pub enum Stdio {
    /// Lines to the log; reading ends at once. For guests that serve.
    Log(Log),
    /// The process's own streams. For `run`.
    Inherit,
}

/// What each instance of one component gets.
#[derive(Clone)]
pub struct Recipe {
    /// The app, for log lines.
    pub app: Arc<str>,
    /// The component, for log lines.
    pub component: Arc<str>,
    /// Command line arguments; the first is the program's name.
    pub arguments: Vec<String>,
    /// Environment variables.
    pub environment: Environment,
    /// Folders.
    pub folders: Vec<Folder>,
    /// Sockets, and names that may be looked up.
    pub sockets: Arc<Sockets>,
    /// What times that the guest reads are rounded down to, if they are.
    pub clock_resolution: Option<Duration>,
    /// Standard streams.
    pub stdio: Stdio,
    /// The world of a test, if this is one: its clocks and its random numbers are what the guest has.
    pub simulation: Option<Arc<Simulation>>,
    /// Stores, databases, messages, configuration and secrets.
    pub capabilities: Capabilities,
    /// For a fused component: what its members may use that have grants of their own, by their numbers from one on.
    pub members: Vec<(Arc<Recipe>, Arc<Outbound>)>,
}

/// A recipe that cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// A granted folder cannot be opened.
    #[error("cannot open the granted folder {}", host.display())]
    Folder {
        /// The folder.
        host: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Recipe {
    /// Returns a recipe that grants nothing.
    pub fn bare(app: impl Into<Arc<str>>, component: impl Into<Arc<str>>, stdio: Stdio) -> Self {
        let (app, component) = (app.into(), component.into());
        let who = Who { app: Arc::clone(&app), component: Arc::clone(&component) };
        Self {
            app,
            component,
            capabilities: Capabilities::none(&who),
            arguments: Vec::new(),
            environment: Vec::new(),
            folders: Vec::new(),
            clock_resolution: None,
            simulation: None,
            sockets: Arc::new(Sockets::none(who)),
            stdio,
            members: Vec::new(),
        }
    }

    /// Opens every granted folder once, so that a missing one is reported at load and not to a guest.
    ///
    /// # Errors
    /// When a folder is missing or is not one.
    pub fn check(&self) -> Result<(), RecipeError> {
        self.folders.iter().try_for_each(|folder| {
            let opened = std::fs::read_dir(&folder.host);
            opened.map(drop).map_err(|source| RecipeError::Folder { host: folder.host.clone(), source })
        })
    }

    /// Follows the recipe. Opens the granted folders; a folder that went away since [`Recipe::check`] is missing for the guest. Without a
    /// `reach` there are no sockets.
    pub(crate) fn build(
        &self,
        request: Option<&RequestId>,
        stderr: Option<LineSink>,
        reach: Option<Arc<Reach>>,
    ) -> WasiCtx {
        let mut builder = self.builder(request, stderr);
        if let Some(reach) = reach {
            builder.allow_tcp(true).allow_udp(true).socket_addr_check(move |address, purpose| {
                let allowed = reach.allows(address, purpose);
                Box::pin(async move { allowed })
            });
        }
        builder.build()
    }

    /// Follows the recipe for a module of WASI preview 1, which has no way to open a socket.
    pub fn build_p1(&self) -> wasmtime_wasi::p1::WasiP1Ctx {
        self.builder(None, self.stderr(None)).build_p1()
    }

    /// Returns where standard error goes; nothing where it is the process's own.
    pub(crate) fn stderr(&self, request: Option<&RequestId>) -> Option<LineSink> {
        match &self.stdio {
            Stdio::Log(log) => Some(self.sink(log, request, Stream::Stderr)),
            Stdio::Inherit => None,
        }
    }

    fn builder(&self, request: Option<&RequestId>, stderr: Option<LineSink>) -> WasiCtxBuilder {
        let mut builder = WasiCtxBuilder::new();
        builder.args(&self.arguments).envs(&self.environment).max_random_size(RANDOM_BYTES);
        match &self.stdio {
            Stdio::Log(log) => {
                builder.stdout(self.sink(log, request, Stream::Stdout));
                builder.stderr(stderr.unwrap_or_else(|| self.sink(log, request, Stream::Stderr)));
            }
            Stdio::Inherit => {
                builder.inherit_stdio();
            }
        }
        if let Some(world) = &self.simulation {
            let resolution = self.clock_resolution.unwrap_or(Duration::from_nanos(1));
            builder.wall_clock(Coarse::new(world.clock(), resolution));
            builder.monotonic_clock(Coarse::new(world.clock(), resolution));
            builder.secure_random(world.random()).insecure_random(world.random());
            builder.insecure_random_seed(world.seed());
        } else if let Some(resolution) = self.clock_resolution {
            builder.wall_clock(Coarse::new(WallClock::new(), resolution));
            builder.monotonic_clock(Coarse::new(MonotonicClock::new(), resolution));
        }
        for folder in &self.folders {
            let permissions = if folder.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
            if let Err(error) = builder.preopened_dir(&folder.host, &folder.guest, permissions) {
                tracing::warn!(app = %self.app, component = %self.component, folder = %folder.host.display(), "granted folder is gone: {error}");
            }
        }
        builder
    }

    fn sink(&self, log: &Log, request: Option<&RequestId>, stream: Stream) -> LineSink {
        LineSink::new(log.clone(), Arc::clone(&self.app), Arc::clone(&self.component), request.cloned(), stream)
    }
}
