//! One app in a world of its own, without a socket: for tests of apps.
//!
//! In: an app, and what stands in for the outside. Out: answers, and what is in its stores. Next: `gateway`, from the route on.
//!
//! Invariant: what two trials do is nothing to each other, but for compiled code. A trial has fresh stores, clocks and servers; what the
//! manifest grants is in force.

mod folders;
mod front;
mod messages;
mod state;

pub use messages::{Messages, SentMessage};
pub use state::{State, StateError};

use crate::backends::Backends;
use crate::error::Error;
use crate::live::{Live, Prepare};
use crate::state::open_cache;
use crate::table;
use bytes::{Bytes, BytesMut};
use front::Front;
use http::{Request, Response};
use http_body_util::BodyExt;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use wharf_app::{App, HttpGrant, HttpPattern, Operator, OperatorBinding};
use wharf_gateway::{Config, Gateway, Limits as GatewayLimits};
use wharf_host::{Outbound, Recipe, Servers, Simulation, Stdio};
use wharf_http::{Client, Network, Quota};
use wharf_kit::{Interceptor, Who};
use wharf_runtime::{Component, Diagnostics, Failure, Lane, Limits, LoadError, Runtime, Settings, Source, invoke};
use wharf_telemetry::log::Log;
use wharf_trigger::{ErrorPage, Resolve, SameApp};

/// What a guest learns of who sends the requests of a test.
const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 40_000);

/// Instances that all trials of a process have at a time.
const INSTANCES: u32 = 512;

/// Bytes of an answer that are read.
const ANSWER_BYTES: usize = 64 << 20;

/// A program of a test has no limits of its own but memory; whoever runs the test ends it.
const FOR_EVER: Duration = Duration::from_secs(86_400);

/// What an app finds in the place of the outside.
#[derive(Clone)]
pub struct Outside {
    /// Clocks and random numbers.
    pub world: Arc<Simulation>,
    /// Servers.
    pub servers: Arc<dyn Servers>,
    /// Who lets calls of capabilities fail.
    pub faults: Arc<dyn Interceptor>,
}

/// An app that is on trial. All of it belongs to the thread that made it.
pub struct Trial {
    app: App,
    live: Arc<Live>,
    gateway: Arc<Gateway>,
    backends: Backends,
    outside: Outside,
    log: Log,
    /// Databases, and copies of folders that the app may change.
    _folder: TempDir,
}

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its head.
    pub response: Response<()>,
    /// Its body, as far as it came.
    pub body: Bytes,
    /// Why it ends too early, if it does.
    pub broken: Option<String>,
}

/// A component of an app that is called in another way than by a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// There is none of that name.
    #[error("the app has no component `{0}`")]
    NoComponent(String),
    /// The app has several, and none was named.
    #[error("the app has {0} components, and none is named")]
    WhichComponent(usize),
    /// The call cannot be made, or fails.
    #[error(transparent)]
    Call(#[from] invoke::call::CallError),
    /// A program fails in another way than with an exit code.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// A program cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl Trial {
    /// Prepares an app whose variables are filled in. `folder` is that of its manifest. Blocks while components are read, and compiled
    /// if the `runtime` does not have them.
    ///
    /// # Errors
    /// As [`crate::Node::swap`].
    pub fn new(runtime: &Runtime, app: &App, folder: &Path, outside: Outside, log: Log) -> Result<Self, Error> {
        let scratch = tempfile::Builder::new().prefix("wharf-test-").tempdir();
        let scratch = scratch.map_err(|source| Error::Start { what: "a test: it needs a temporary folder", source })?;
        let mut app = app.clone();
        for component in &mut app.components {
            folders::set_apart(component, folder, scratch.path())?;
            // Sockets lead out of the world.
            component.grants.net.clear();
        }
        let backends = Backends::new(&in_memory(&app), scratch.path())?.within(outside.clone());
        let diagnostics = Diagnostics::default();
        let prepare =
            Prepare { runtime, log: &log, backends: &backends, folder, diagnostics: &diagnostics, before: None };
        let live = Arc::new(prepare.app(&app)?);
        let gateway = Arc::new(Gateway::new(Config {
            limits: GatewayLimits::default(),
            tls: None,
            trusted: Vec::new(),
            page: ErrorPage { dev: false },
            access: None,
            dev: None,
        }));
        let apps = BTreeMap::from([(app.name.clone(), Arc::clone(&live))]);
        gateway.swap(table(&apps)?);
        Ok(Self { app, live, gateway, backends, outside, log, _folder: scratch })
    }

    /// Returns a runtime for many trials, which keeps compiled code. What it compiles is kept in the state folder too, if it can be.
    pub fn runtime(state: &Path) -> Runtime {
        let settings = Settings { instances: INSTANCES, incremental: true, ..Settings::default() };
        Runtime::new(settings, open_cache(state)).keeping()
    }

    /// Sends a request, as a client would, and reads its answer to the end.
    pub async fn ask(&self, request: Request<Bytes>) -> Asked {
        ask(&self.gateway, request).await
    }

    /// Calls an export of a component with arguments in WAVE, and returns the results as WAVE.
    ///
    /// # Errors
    /// See [`TrialError`].
    pub async fn call(&self, component: Option<&str>, text: &str) -> Result<Vec<String>, TrialError> {
        let values = invoke::call::call(&self.component(component)?, text).await?;
        Ok(values.iter().map(invoke::call::to_wave).collect())
    }

    /// Runs a component that is a program to its end, and returns its exit code.
    ///
    /// # Errors
    /// See [`TrialError`].
    pub async fn run(&self, component: Option<&str>, arguments: &[String]) -> Result<i32, TrialError> {
        let component = self.component(component)?;
        let name = component.identity().component.to_string();
        let arguments = std::iter::once(name).chain(arguments.iter().cloned()).collect();
        Ok(invoke::command::run(&Arc::new(component.with_arguments(arguments))).await?)
    }

    /// Runs a program that is not of the app: it may call each component of the app by name, and sends every other request to the app's
    /// routes.
    ///
    /// # Errors
    /// See [`TrialError`].
    pub async fn run_tester(&self, runtime: &Runtime, name: &str, bytes: &[u8]) -> Result<i32, TrialError> {
        let mut recipe = Recipe::bare(self.app.name.as_str(), name, Stdio::Log(self.log.clone()));
        recipe.arguments.push(name.to_owned());
        recipe.simulation = Some(Arc::clone(&self.outside.world));
        let names: BTreeSet<String> = self.app.components.iter().map(|component| component.name.clone()).collect();
        let (app, component) = (Arc::clone(&recipe.app), Arc::clone(&recipe.component));
        let peers = Arc::new(SameApp(Cast(Arc::clone(&self.live))));
        let outbound = Outbound::new(Arc::clone(&app), Arc::clone(&component), names, peers)
            .with_servers(everything(&app, &component))
            .standing_in(Arc::new(Front::new(Arc::clone(&self.gateway), Arc::clone(&self.outside.world))));
        let limits = Limits { cpu: FOR_EVER, wall: FOR_EVER, ..Limits::default() };
        let digest = wharf_runtime::digest(bytes);
        let lane = Lane::Concurrent;
        let diagnostics = Diagnostics::default();
        let source = Source {
            app,
            component,
            bytes,
            digest,
            lane,
            limits,
            reuse: None,
            recipe,
            outbound,
            dependencies: Vec::new(),
            diagnostics,
        };
        Ok(invoke::command::run(&runtime.load(source)?.component).await?)
    }

    /// Returns what is in the app's stores.
    pub fn state(&self) -> State<'_> {
        State::new(&self.app, &self.backends)
    }

    /// Returns the clocks of the app.
    pub fn world(&self) -> &Simulation {
        &self.outside.world
    }

    fn component(&self, name: Option<&str>) -> Result<Arc<Component>, TrialError> {
        let name = match (name, self.app.components.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => &only.name,
            (None, several) => return Err(TrialError::WhichComponent(several.len())),
        };
        self.live.component(name).ok_or_else(|| TrialError::NoComponent(name.to_owned()))
    }
}

/// Sends a request and reads its answer to the end, or as far as it comes.
async fn ask(gateway: &Arc<Gateway>, request: Request<Bytes>) -> Asked {
    let Some(answer) = gateway.ask(request, CLIENT).await else {
        let broken = Some("nobody waited for the answer".to_owned());
        return Asked { response: Response::default(), body: Bytes::new(), broken };
    };
    let (parts, body) = answer.into_parts();
    let mut body = std::pin::pin!(body);
    let mut bytes = BytesMut::new();
    let mut broken = None;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
            Err(error) => broken = Some(error.to_string()),
        }
        if bytes.len() > ANSWER_BYTES {
            broken = Some(format!("the answer is longer than {} MiB, and the rest was not read", ANSWER_BYTES >> 20));
        }
        if broken.is_some() {
            break;
        }
    }
    Asked { response: Response::from_parts(parts, ()), body: bytes.freeze(), broken }
}

/// Binds every label to memory, but for databases: those are files in the trial's own folder.
fn in_memory(app: &App) -> Operator {
    let mut bindings = BTreeMap::new();
    for grants in app.components.iter().map(|component| &component.grants) {
        let of = [
            ("keyvalue", "memory", &grants.keyvalue),
            ("blobstore", "memory", &grants.blobstore),
            ("messaging", "broker", &grants.messaging),
            ("sql", "sqlite", &grants.sql),
        ];
        for (capability, backend, labels) in of {
            for grant in labels {
                bindings.insert((capability, grant.label.clone()), backend);
            }
        }
    }
    let binding = |((capability, label), backend): ((&'static str, String), &str)| {
        let mut settings = toml::Table::new();
        if backend == "sqlite" {
            // Nobody reads it after a loss of power.
            settings.insert("synchronous".to_owned(), "normal".into());
        }
        OperatorBinding {
            capability,
            app: None,
            label,
            backend: backend.to_owned(),
            namespace: None,
            timeout: None,
            concurrency: None,
            size_bytes: None,
            settings,
            span: 0..0,
        }
    };
    Operator { bindings: bindings.into_iter().map(binding).collect(), ..Operator::default() }
}

/// Returns a client that is granted every URL; where requests go is the stand-in's business.
fn everything(app: &Arc<str>, component: &Arc<str>) -> Client {
    let who = Who { app: Arc::clone(app), component: Arc::clone(component) };
    let grants = HttpPattern::parse("*").map(HttpGrant::External).into_iter().collect();
    let network = Network::default();
    let quota = Quota::new(network.settings.limits.connections);
    Client::new(Arc::new(network), who, grants, Arc::new(quota), Arc::default())
}

/// The components of a trial, as a tester finds them.
struct Cast(Arc<Live>);

impl Resolve for Cast {
    fn resolve(&self, component: &str) -> Option<Arc<Component>> {
        self.0.component(component)
    }
}
