//! Makes a component ready: bytes → compiled code (from the cache, if it is there) → linked → limits and gate.
//!
//! In: bytes and what the component may use. Out: [`Component`]. Next: [`crate::invoke`].
//!
//! All that is slow happens here, never on a request.

use crate::admit::Gate;
use crate::component::{Component, Handler, Identity};
use crate::dependency::{self, Dependency};
use crate::diagnose::Diagnostics;
use crate::limits::{Limits, Reuse};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use wasmtime::component::{InstancePre, Linker};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wharf_engine::{Cache, Code, CompileError, Compiler, Engine, Kept, Lane, Settings, digest, stack_size};
use wharf_host::{Ctx, Outbound, Recipe, Stdio};
use wharf_telemetry::log::Log;
use wharf_telemetry::{Size, clock};

/// Loads components for one process.
pub struct Runtime {
    settings: Settings,
    /// By lane and size of stacks. Held while an engine is built, so that it is built once.
    engines: Mutex<HashMap<(Lane, usize), Arc<Linked>>>,
    cache: Option<Cache>,
    /// Code that stays with the process; absent if none does.
    kept: Option<Kept>,
    slots: Arc<Semaphore>,
}

/// An engine, and what the host has for its guests.
struct Linked {
    engine: Engine,
    linker: Linker<Ctx>,
}

/// What to load, and what it may use.
pub struct Source<'a> {
    /// The app's name.
    pub app: Arc<str>,
    /// The component's name in the app.
    pub component: Arc<str>,
    /// The component, as WebAssembly binary.
    pub bytes: &'a [u8],
    /// Its digest, as [`digest`] returns it.
    pub digest: Arc<str>,
    /// The lane that it is seen to need. One that turns out to need more gets it.
    pub lane: Lane,
    /// Its limits.
    pub limits: Limits,
    /// Whether instances serve more than one request.
    pub reuse: Option<Reuse>,
    /// What each instance gets.
    pub recipe: Recipe,
    /// What it may call.
    pub outbound: Outbound,
    /// What is watched while it runs.
    pub diagnostics: Diagnostics,
    /// Which of its imports other components satisfy, in instances of their own.
    pub dependencies: Vec<Dependency>,
}

/// How long a debugged component may take: whoever looks at it ends it.
const FOR_EVER: Duration = Duration::from_secs(86_400 * 365);

impl<'a> Source<'a> {
    /// Returns a component that is granted nothing, with the limits of [`Limits::default`] and a fresh instance for each call. What it
    /// prints is thrown away.
    pub fn bare(app: impl Into<Arc<str>>, component: impl Into<Arc<str>>, bytes: &'a [u8]) -> Self {
        let (app, component) = (app.into(), component.into());
        Self {
            recipe: Recipe::bare(Arc::clone(&app), Arc::clone(&component), Stdio::Log(Log::discard())),
            outbound: Outbound::denied(Arc::clone(&app), Arc::clone(&component)),
            app,
            component,
            bytes,
            digest: digest(bytes),
            lane: Lane::Plain,
            limits: Limits::default(),
            reuse: None,
            diagnostics: Diagnostics::default(),
            dependencies: Vec::new(),
        }
    }

    /// Changes what a debugger cannot have: a guest that stands still must not be ended for that, and there is one stack to look at.
    fn debugged(self) -> Self {
        let limits = Limits { cpu: FOR_EVER, wall: FOR_EVER, concurrency: 1, ..self.limits };
        Self { lane: Lane::Debug, limits, reuse: None, ..self }
    }
}

/// A component, and what loading it cost.
pub struct Loaded {
    /// The component.
    pub component: Arc<Component>,
    /// How long it took to compile; absent if the code came from the cache.
    pub compiled: Option<Duration>,
}

/// A component that cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The engine cannot be built on this machine.
    #[error("cannot build the engine")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What it was granted is not there.
    #[error(transparent)]
    Grant(#[from] wharf_host::RecipeError),
    /// The bytes are no component that this engine runs.
    #[error("cannot compile the component")]
    Compile(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Compiling it took more than it may.
    #[error("cannot compile the component: {why}")]
    Compiler {
        /// What it took too much of.
        why: String,
    },
    /// It imports what this host does not have, or in another type.
    #[error("cannot link the component")]
    Link(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A dependency has other types than the component expects.
    #[error("cannot link {import}: {reason}")]
    Dependency {
        /// The import.
        import: String,
        /// What does not fit.
        reason: String,
    },
    /// A debugger cannot stop it.
    #[error(transparent)]
    Debugger(#[from] wharf_debugger::Error),
    /// It needs more memory to start than it may use.
    #[error("the component needs {} of memory to start, its limit is {}", Size::from(*.needed_bytes), Size::from(*.limit_bytes))]
    Memory {
        /// What it declares as its initial memories and tables.
        needed_bytes: u64,
        /// Its limit.
        limit_bytes: u64,
    },
}

impl Runtime {
    /// Returns a runtime without an engine: each is built when the first component needs it.
    pub fn new(settings: Settings, cache: Option<Cache>) -> Self {
        let slots = Arc::new(Semaphore::new(settings.instances as usize));
        Self { settings, engines: Mutex::default(), cache, kept: None, slots }
    }

    /// Keeps compiled code as long as the runtime: for a process that loads the same few components again and again.
    #[must_use]
    pub fn keeping(self) -> Self {
        Self { kept: Some(Kept::default()), ..self }
    }

    /// Returns the engine of a lane whose guests have `stack_bytes` of stack, built if it is the first time.
    ///
    /// # Errors
    /// When the machine cannot reserve the pool's address space or has no supported processor.
    pub fn engine(&self, lane: Lane, stack_bytes: usize) -> Result<Engine, LoadError> {
        Ok(self.linked(lane, stack_bytes)?.engine.clone())
    }

    fn linked(&self, lane: Lane, stack_bytes: usize) -> Result<Arc<Linked>, LoadError> {
        let stack_bytes = stack_size(stack_bytes);
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(linked) = engines.get(&(lane, stack_bytes)) {
            return Ok(Arc::clone(linked));
        }
        let failed = |error: wasmtime::Error| LoadError::Engine(error.into());
        let engine = Engine::new(&self.settings, lane, stack_bytes).map_err(failed)?;
        let linker = match lane {
            Lane::Plain => wharf_host::link::plain(engine.raw()),
            Lane::Concurrent | Lane::Debug => wharf_host::link::all(engine.raw()),
        };
        let linked = Arc::new(Linked { engine, linker: linker.map_err(failed)? });
        engines.insert((lane, stack_bytes), Arc::clone(&linked));
        Ok(linked)
    }

    /// Tells whether the component of that digest is compiled already, so that loading it with that much stack takes no time.
    pub fn has_compiled(&self, digest: &str, lane: Lane, stack_bytes: usize) -> bool {
        let Ok(linked) = self.linked(lane, stack_bytes) else { return false };
        let is_kept = self.kept.as_ref().is_some_and(|kept| kept.get(digest, &linked.engine).is_some());
        is_kept || self.compiler(&linked).has(digest)
    }

    /// Loads a component. Takes CPU seconds for a large one that is not in the cache; call it off a core's loop.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, source: Source<'_>) -> Result<Loaded, LoadError> {
        let debugger = source.diagnostics.debugger(&source.component).cloned();
        let source = if debugger.is_some() { source.debugged() } else { source };
        // Instances that are reused run their requests as tasks.
        let lane = if source.reuse.is_some() { Lane::Concurrent } else { source.lane };
        let (linked, code, took) = match self.compile(&source, lane) {
            // What is inside of a component may be asynchronous though its border is not.
            Err(LoadError::Compile(_)) if lane == Lane::Plain => self.compile(&source, Lane::Concurrent),
            compiled => compiled,
        }?;
        check_initial_memory(&code, &source.limits)?;
        let compiled = &code.component;
        // Maps the data segments now, so that the first request does not pay for it.
        compiled.initialize_copy_on_write_image().map_err(|error| LoadError::Compile(error.into()))?;
        let linker = own_linker(&linked, &source, &code, &self.settings, self.cache.as_ref())?;
        let linker = linker.as_ref().unwrap_or(&linked.linker);
        let pre = linker.instantiate_pre(compiled).map_err(|error| LoadError::Link(error.into()))?;
        let profiles = source.diagnostics.profiles.as_ref();
        let sampled = profiles.and_then(|profiles| profiles.component(&source.component, linked.engine.raw(), &code));
        let debuggee = debugger.map(|debugger| debugger.load(&source.component, compiled)).transpose()?;
        let component = Component {
            identity: Identity { app: source.app, component: source.component, digest: source.digest },
            engine: linked.engine.clone(),
            handler: handler(&pre),
            pre,
            gate: Gate::new(source.limits.concurrency, source.limits.queue, Arc::clone(&self.slots)),
            limits: source.limits,
            reuse: source.reuse,
            recipe: Arc::new(source.recipe),
            outbound: Arc::new(source.outbound),
            diagnostics: source.diagnostics,
            sampled,
            debuggee,
            is_noted: AtomicBool::new(false),
            serial: next_serial(),
        };
        Ok(Loaded { component: Arc::new(component), compiled: took })
    }

    fn compiler<'a>(&'a self, linked: &'a Linked) -> Compiler<'a> {
        Compiler::new(&linked.engine, &self.settings, self.cache.as_ref())
    }

    fn compile(&self, source: &Source<'_>, lane: Lane) -> Result<(Arc<Linked>, Code, Option<Duration>), LoadError> {
        let linked = self.linked(lane, source.limits.stack_bytes)?;
        if let Some(code) = self.kept.as_ref().and_then(|kept| kept.get(&source.digest, &linked.engine)) {
            return Ok((linked, code, None));
        }
        let started = clock::now();
        let compiled = self.compiler(&linked).code(source.bytes, &source.digest);
        let (code, is_new) = compiled.map_err(|error| match error {
            CompileError::Invalid(source) => LoadError::Compile(source),
            stopped => LoadError::Compiler { why: stopped.to_string() },
        })?;
        let took = is_new.then(|| clock::since(started));
        if let Some(kept) = &self.kept {
            kept.put(&source.digest, &linked.engine, &code);
        }
        Ok((linked, code, took))
    }
}

/// Returns a linker for this component alone, if it has members, dependencies or parts: those of others must not be found by it.
fn own_linker(
    linked: &Linked,
    source: &Source<'_>,
    code: &Code,
    settings: &Settings,
    cache: Option<&Cache>,
) -> Result<Option<Linker<Ctx>>, LoadError> {
    let members = source.recipe.members.len();
    if members == 0 && source.dependencies.is_empty() && code.modules.is_empty() {
        return Ok(None);
    }
    let failed = |error: wasmtime::Error| LoadError::Link(error.into());
    let mut linker = linked.linker.clone();
    wharf_host::link_members(&mut linker, members, linked.engine.is_concurrent()).map_err(failed)?;
    let workshop = wharf_transfer::Workshop::new(&linked.engine, settings, cache);
    dependency::link(&mut linker, &code.component, &source.dependencies, &workshop)?;
    for (import, module) in &code.modules {
        linker.root().module(import, module).map_err(failed)?;
    }
    Ok(Some(linker))
}

fn next_serial() -> u64 {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    SERIAL.fetch_add(1, Ordering::Relaxed)
}

fn handler(pre: &InstancePre<Ctx>) -> Option<Handler> {
    if let Ok(service) = ServicePre::new(pre.clone()) {
        return Some(Handler::P3(service));
    }
    ProxyPre::new(pre.clone()).ok().map(Handler::P2)
}

fn check_initial_memory(code: &Code, limits: &Limits) -> Result<(), LoadError> {
    // Absent for a component that imports modules, which the linker refuses later.
    let Some(needs) = code.needs else { return Ok(()) };
    let tables = needs.table_elements.saturating_mul(size_of::<usize>() as u64);
    let needed_bytes = needs.memory_bytes.saturating_add(tables);
    let limit_bytes = limits.memory_bytes as u64;
    if needed_bytes > limit_bytes {
        return Err(LoadError::Memory { needed_bytes, limit_bytes });
    }
    Ok(())
}
