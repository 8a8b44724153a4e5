//! One process's apps: load, prepare, swap, drain, unload. The composition root: here the parts are put together.
//!
//! In: an app and where its files are. Out: routes that answer. Next: `gateway` on every core.
//!
//! Invariant: an app changes as a whole. Each request sees the old components and routes or the new ones, and finishes on those
//! that it started with; a version that cannot be prepared changes nothing.

mod backends;
mod check;
mod composed;
mod cores;
mod error;
mod files;
mod grants;
mod inherit;
mod join;
mod keep;
mod live;
mod notes;
mod program;
mod secrets;
mod state;
mod trial;
mod uses;

pub use backends::Backends;
pub use check::check;
pub use composed::{Composed, compose};
pub use cores::{Cores, CoresConfig};
pub use error::{ComponentError, Error};
pub use live::{ComponentLine, Description, RouteLine};
pub use program::{Bound, Program};
pub use secrets::{Secrets, SecretsError};
pub use state::State;
pub use trial::{Asked, Messages, Outside, SentMessage, State as Stores, StateError, Trial, TrialError};
pub use wharf_host::{Busy, Reply, ReplyFuture, Servers, Simulation};
pub use wharf_kit::{Bounds, Intercepted, Interceptor, Kind, Pass, Refused, Site};

use live::{Live, Prepare};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use wharf_app::App;
use wharf_gateway::router::Router;
use wharf_gateway::{Gateway, Table};
use wharf_runtime::{Diagnostics, Runtime};
use wharf_telemetry::clock;
use wharf_telemetry::log::Log;

/// The apps of one process.
pub struct Node {
    runtime: Runtime,
    gateway: Arc<Gateway>,
    log: Log,
    backends: Backends,
    diagnostics: Diagnostics,
    apps: Mutex<BTreeMap<String, Arc<Live>>>,
}

/// An app version that was taken out of the table and may still be answering.
#[must_use = "requests that are in flight finish in their own time; wait for them with `Draining::wait`"]
pub struct Draining(Vec<Weak<Live>>);

/// How often a draining app is looked at.
const LOOK: Duration = Duration::from_millis(5);

impl Node {
    /// Makes a node without apps. What guests print goes to `log`, what they keep to `backends`.
    pub fn new(runtime: Runtime, gateway: Arc<Gateway>, log: Log, backends: Backends) -> Self {
        Self { runtime, gateway, log, backends, diagnostics: Diagnostics::default(), apps: Mutex::default() }
    }

    /// Watches components that are loaded from now on.
    #[must_use]
    pub fn watched(self, diagnostics: Diagnostics) -> Self {
        Self { diagnostics, ..self }
    }

    /// Returns where labels are.
    pub fn backends(&self) -> &Backends {
        &self.backends
    }

    /// Returns the runtime.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Prepares `app` from the files in `folder`, then puts it in the place of the version that is there, if any.
    ///
    /// Blocks while components are read and compiled; the version that is there goes on answering meanwhile, and for good if this fails.
    ///
    /// # Errors
    /// Everything that is wrong with the app's components, or the first route that another app has already.
    pub fn swap(&self, app: &App, folder: &Path) -> Result<(Description, Draining), Error> {
        let (runtime, log, backends, diagnostics) = (&self.runtime, &self.log, &self.backends, &self.diagnostics);
        let before = self.lock().get(&app.name).cloned();
        let prepare = Prepare { runtime, log, backends, folder, diagnostics, before: before.as_deref() };
        let live = Arc::new(prepare.app(app)?);
        drop(before);
        let description = live.describe();
        let mut apps = self.lock();
        let mut next = apps.clone();
        let old = next.insert(app.name.clone(), live);
        self.gateway.swap(table(&next)?);
        *apps = next;
        Ok((description, Draining(old.iter().map(Arc::downgrade).collect())))
    }

    /// Takes an app out. Absent if there is none of that name.
    pub fn unload(&self, name: &str) -> Option<Draining> {
        let mut apps = self.lock();
        let mut next = apps.clone();
        let old = next.remove(name)?;
        // Fewer routes than before cannot be in conflict.
        self.gateway.swap(table(&next).unwrap_or_default());
        *apps = next;
        Some(Draining(vec![Arc::downgrade(&old)]))
    }

    /// Returns how many invocations run now, over all apps.
    pub fn running(&self) -> usize {
        self.lock().values().map(|live| live.running()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Live>>> {
        self.apps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Draining {
    /// Blocks until the last request of the old version is answered, at most `patience`. Tells whether it is.
    pub fn wait(&self, patience: Duration) -> bool {
        let deadline: Instant = clock::now() + patience;
        while self.0.iter().any(|live| live.strong_count() > 0) {
            if clock::now() >= deadline {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }
}

fn table(apps: &BTreeMap<String, Arc<Live>>) -> Result<Table, Error> {
    let names: Vec<&String> = apps.keys().collect();
    let router = Router::new(apps.values().map(|live| live.routes())).map_err(|conflict| {
        let name = |at: usize| names.get(at).map_or_else(String::new, |name| (*name).clone());
        Error::RouteConflict {
            first_app: name(conflict.first_app),
            first: conflict.first.clone(),
            second_app: name(conflict.second_app),
            second: conflict.second.clone(),
        }
    })?;
    let keep = apps.values().map(|live| Arc::clone(live) as Arc<dyn std::any::Any + Send + Sync>).collect();
    Ok(Table::new(router, keep))
}
