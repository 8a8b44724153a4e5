//! A single file that is run or called instead of served: `wharf run` and `wharf call`.
//!
//! In: a file's bytes and what it may use. Out: an exit code, or values. Next: `runtime::invoke`.

use crate::backends::Backends;
use crate::error::Error;
use crate::grants;
use crate::state::open_cache;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wharf_app::{App, Grants, NetPattern};
use wharf_host::{Capabilities, Outbound, Recipe, Sockets, Stdio};
use wharf_http::{Client, Network, Quota};
use wharf_kit::Who;
use wharf_runtime::invoke::command::ModuleProgram;
use wharf_runtime::{Component, Diagnostics, Failure, Lane, Limits, LoadError, Runtime, Settings, Source, invoke};

/// Instances that a program may use: its own.
const INSTANCES: u32 = 4;

/// Programs have no time budget: whoever started one can end it.
const FOR_EVER: Duration = Duration::from_secs(86_400 * 365);

/// What one program gets.
pub struct Program<'a> {
    /// Its name: the first argument it sees.
    pub name: &'a str,
    /// The other arguments.
    pub arguments: &'a [String],
    /// What it may touch.
    pub grants: &'a Grants,
    /// The stores, databases, configuration and secrets among its grants; absent if there are none.
    pub bound: Option<&'a Bound>,
    /// Where it may listen.
    pub listening: &'a [NetPattern],
    /// Memory that it may use.
    pub memory_bytes: usize,
    /// Where compiled code is kept, if it is.
    pub state: Option<&'a Path>,
    /// What is watched while it runs.
    pub diagnostics: Diagnostics,
}

/// Stores, databases, configuration and secrets that one program may use.
pub struct Bound(Capabilities);

impl Bound {
    /// Binds what an app without a manifest is granted to where it is. Opens files; connects to no server.
    ///
    /// # Errors
    /// [`Error::Components`], when a label cannot be bound.
    pub fn new(backends: &Backends, app: &App) -> Result<Self, Error> {
        let mut bound = app.components.iter().map(|component| backends.bind(app, component));
        // An app without a manifest is one component.
        let first = bound.next().unwrap_or_else(|| Err(Vec::new()));
        first.map(Self).map_err(Error::Components)
    }
}

impl Program<'_> {
    /// Returns the runtime of a process that runs one program.
    pub fn runtime(&self) -> Runtime {
        let dumps = self.diagnostics.dumps.is_some();
        let settings = Settings { instances: INSTANCES, dumps, ..Settings::default() };
        Runtime::new(settings, self.state.and_then(open_cache))
    }

    /// Loads a component to be run or called.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, runtime: &Runtime, bytes: &[u8]) -> Result<Arc<Component>, LoadError> {
        let recipe = self.recipe();
        recipe.check()?;
        let limits = Limits { memory_bytes: self.memory_bytes, cpu: FOR_EVER, wall: FOR_EVER, ..Limits::default() };
        let outbound = Outbound::denied(Arc::clone(&recipe.app), Arc::clone(&recipe.component));
        let outbound = outbound.with_servers(self.client(&recipe));
        let (app, component) = (Arc::clone(&recipe.app), Arc::clone(&recipe.component));
        let digest = wharf_runtime::digest(bytes);
        let loaded = runtime.load(Source {
            app,
            component,
            bytes,
            digest,
            lane: Lane::Concurrent,
            limits,
            reuse: None,
            recipe,
            outbound,
            diagnostics: self.diagnostics.clone(),
            dependencies: Vec::new(),
        })?;
        Ok(loaded.component)
    }

    /// Runs a core module of WASI preview 1 and returns its exit code.
    ///
    /// # Errors
    /// When it cannot be compiled or linked, or traps.
    pub async fn run_module(&self, runtime: &Runtime, bytes: &[u8]) -> Result<i32, Failure> {
        let program = ModuleProgram {
            name: self.name,
            bytes,
            recipe: &self.recipe(),
            memory_bytes: self.memory_bytes,
            diagnostics: &self.diagnostics,
        };
        invoke::command::run_module(runtime, &program).await
    }

    fn client(&self, recipe: &Recipe) -> Client {
        let who = Who { app: Arc::clone(&recipe.app), component: Arc::clone(&recipe.component) };
        let network = Network::default();
        let quota = Quota::new(network.settings.limits.connections);
        Client::new(Arc::new(network), who, self.grants.http.clone(), Arc::new(quota), Arc::default())
    }

    fn recipe(&self) -> Recipe {
        let mut recipe = Recipe::bare("run", self.name, Stdio::Inherit);
        recipe.arguments.push(self.name.to_owned());
        recipe.arguments.extend(self.arguments.iter().cloned());
        grants::grant(&mut recipe, self.grants, Path::new(""));
        let who = Who { app: Arc::clone(&recipe.app), component: Arc::clone(&recipe.component) };
        let resolver = Arc::new(wharf_http::System::default());
        let sockets = Sockets::new(who, self.grants.net.clone(), resolver, Arc::default());
        recipe.sockets = Arc::new(sockets.listening(self.listening.to_vec()));
        if let Some(Bound(capabilities)) = self.bound {
            recipe.capabilities = capabilities.clone();
        }
        recipe
    }
}
