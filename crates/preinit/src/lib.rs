//! Runs an initialisation function once and keeps what it left in memories and globals: uninitialised bytes in, initialised bytes out.
//!
//! In: a core module or a component that a build made. Out: a [`Snapshot`]. Next: `build` writes it down.
//!
//! Invariant: the function gets nothing. What it learnt from outside would be the same for every request ever after, so each import ends
//! it, but for what it writes to its standard output and error, which is kept for whoever builds.

mod imports;
mod state;

use futures_util::FutureExt;
use imports::Refused;
use state::{Reader, State};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component as Compiled, Linker};
use wasmtime::{ExternType, Module, Store, UpdateDeadline};
use wasmtime_wizer::Wizer;
use wharf_host::Refusal;
use wharf_runtime::{Engine, Lane, Limits, Settings, explain};
use wharf_telemetry::{Size, clock};

/// The function that toolchains export for modules that are no commands; it runs before any other.
const REACTOR: &str = "_initialize";

/// One component at a time; the rest is for what it is made of.
const INSTANCES: u32 = 16;

/// How to initialise.
#[derive(Clone, Debug)]
pub struct Preinit<'a> {
    /// The export to run: of a module, or of the component itself, where it must have another name than in the core module. It is not
    /// exported any more afterwards.
    pub function: &'a str,
    /// Memories and tables together.
    pub memory_bytes: usize,
    /// How long the function may take.
    pub timeout: Duration,
    /// Ends it when set.
    pub cancelled: Arc<AtomicBool>,
}

/// What came of an initialisation.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The module or component that begins where the function ended.
    pub bytes: Vec<u8>,
    /// What the function wrote to its standard output and error.
    pub said: String,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
pub struct PreinitError {
    /// Why.
    #[source]
    pub fault: PreinitFault,
    /// What the function had written by then.
    pub said: String,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreinitFault {
    /// The engine cannot be built, or does not run these bytes.
    #[error("the engine does not take it: {0}")]
    Engine(String),
    /// It is made in a way of which no snapshot can be taken.
    #[error("no snapshot can be taken of it: {0}")]
    Unsupported(String),
    /// There is no such function.
    #[error("it exports no such function")]
    Missing,
    /// The function has parameters or a result.
    #[error("the function has parameters or a result; it is called without and returns nothing")]
    Signature,
    /// It called an import.
    #[error("it called {import}, and there is nothing to call when a component is built")]
    Import {
        /// The interface and the function.
        import: String,
    },
    /// It holds what ends with the build.
    #[error("it keeps its standard output or error open, which ends with the build")]
    Kept,
    /// It wanted more memory than the component may use.
    #[error("it wanted {} of memory, and the component's limit is {}", Size::from(*.wanted_bytes), Size::from(*.limit_bytes))]
    Memory {
        /// What it would have used.
        wanted_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// It trapped.
    #[error("it trapped: {0}")]
    Trap(String),
    /// It did not end.
    #[error("it did not end within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// Nobody wants the result any more.
    #[error("it was cancelled")]
    Cancelled,
}

/// What the clock does to a function.
#[derive(Clone, Copy, Debug)]
enum Ended {
    TimedOut,
    Cancelled,
}

impl Preinit<'_> {
    /// Runs the function and takes the snapshot. Compiles, so it takes a while: not for a thread that serves.
    ///
    /// # Errors
    /// When the function cannot be called, fails, or reaches outside; and for what cannot be kept.
    pub async fn run(&self, bytes: &[u8]) -> Result<Snapshot, PreinitError> {
        let settings = Settings { instances: INSTANCES, warm_slots: 0, ..Settings::default() };
        let engine = Engine::new(&settings, Lane::Concurrent, Limits::default().stack_bytes)
            .map_err(|error| PreinitError { fault: PreinitFault::Engine(lines(&error)), said: String::new() })?;
        let mut store = Store::new(engine.raw(), State::new(self.memory_bytes));
        // The second half of the version tells components from core modules.
        let is_component = bytes.get(4..8) == Some(b"\x0d\0\x01\0");
        let initialised = async {
            if is_component {
                self.component(&engine, &mut store, bytes).await
            } else {
                self.module(&engine, &mut store, bytes).await
            }
        };
        // The rewriting trusts its own tables; what it did not foresee must not end the process.
        let initialised = AssertUnwindSafe(initialised).catch_unwind().await;
        let unforeseen = |_| Err(PreinitFault::Unsupported("it is not made as compilers make it".to_owned()));
        let result = initialised.unwrap_or_else(unforeseen);
        let state = store.into_data();
        let said = String::from_utf8_lossy(&state.said).into_owned();
        match (result, state.unreadable) {
            (Ok(bytes), None) => Ok(Snapshot { bytes, said }),
            (_, Some(why)) => Err(PreinitError { fault: PreinitFault::Unsupported(why), said }),
            (Err(fault), None) => Err(PreinitError { fault, said }),
        }
    }

    async fn component(
        &self,
        engine: &Engine,
        store: &mut Store<State>,
        bytes: &[u8],
    ) -> Result<Vec<u8>, PreinitFault> {
        let mut wizer = Wizer::new();
        wizer.init_func(self.function);
        let (context, instrumented) = wizer.instrument_component(bytes).map_err(unsupported)?;
        let compiled = Compiled::from_binary(engine.raw(), &instrumented).map_err(refused_by_engine)?;
        let index = match compiled.get_export(None, self.function) {
            Some((ComponentItem::ComponentFunc(ty), _)) if ty.params().len() + ty.results().len() > 0 => {
                return Err(PreinitFault::Signature);
            }
            Some((ComponentItem::ComponentFunc(_), index)) => index,
            _ => return Err(PreinitFault::Missing),
        };
        let mut linker = Linker::new(engine.raw());
        imports::of_component(&mut linker, &compiled).map_err(refused_by_engine)?;
        self.start(engine, store);
        let run = async {
            let instance = linker.instantiate_async(&mut *store, &compiled).await?;
            let function = instance.get_func(&mut *store, index);
            function.expect("the component has it").call_async(&mut *store, &[], &mut []).await?;
            Ok(instance)
        };
        let instance = self.to_end(run).await.map_err(|error| self.fault(store, &error))?;
        store.data().check()?;
        let mut reader = Reader::new(store, instance);
        wizer.snapshot_component(&context, &mut reader).await.map_err(unsupported)
    }

    async fn module(&self, engine: &Engine, store: &mut Store<State>, bytes: &[u8]) -> Result<Vec<u8>, PreinitFault> {
        let mut wizer = Wizer::new();
        wizer.init_func(self.function);
        let (context, instrumented) = wizer.instrument(bytes).map_err(unsupported)?;
        let module = Module::from_binary(engine.raw(), &instrumented).map_err(refused_by_engine)?;
        match module.get_export(self.function) {
            Some(ExternType::Func(ty)) if ty.params().len() + ty.results().len() == 0 => {}
            Some(ExternType::Func(_)) => return Err(PreinitFault::Signature),
            _ => return Err(PreinitFault::Missing),
        }
        let mut linker = wasmtime::Linker::new(engine.raw());
        imports::of_module(&mut linker, &module).map_err(refused_by_engine)?;
        self.start(engine, store);
        let run = async {
            let instance = linker.instantiate_async(&mut *store, &module).await?;
            if self.function != REACTOR
                && let Ok(first) = instance.get_typed_func::<(), ()>(&mut *store, REACTOR)
            {
                first.call_async(&mut *store, ()).await?;
            }
            let function = instance.get_typed_func::<(), ()>(&mut *store, self.function)?;
            function.call_async(&mut *store, ()).await?;
            Ok(instance)
        };
        let instance = self.to_end(run).await.map_err(|error| self.fault(store, &error))?;
        store.data().check()?;
        let mut reader = Reader::new(store, instance);
        wizer.snapshot(&context, &mut reader).await.map_err(unsupported)
    }

    /// Sets the clock, which the guest's first instruction needs.
    fn start(&self, engine: &Engine, store: &mut Store<State>) {
        store.limiter(|state| state);
        store.set_max_component_handles(state::HANDLES);
        store.set_epoch_deadline(1);
        let (ticker, cancelled, timeout) = (Arc::clone(engine.ticker()), Arc::clone(&self.cancelled), self.timeout);
        let started = clock::now();
        ticker.touch();
        store.epoch_deadline_callback(move |_| {
            ticker.touch();
            if cancelled.load(Ordering::Relaxed) {
                return Err(wasmtime::Error::new(Ended::Cancelled));
            }
            if clock::since(started) > timeout {
                return Err(wasmtime::Error::new(Ended::TimedOut));
            }
            Ok(UpdateDeadline::Continue(1))
        });
    }

    /// Waits for a guest that does not run either.
    async fn to_end<T>(&self, run: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
        let waited = tokio::time::timeout(self.timeout, run).await;
        waited.unwrap_or_else(|_| Err(wasmtime::Error::new(Ended::TimedOut)))
    }

    fn fault(&self, store: &Store<State>, error: &wasmtime::Error) -> PreinitFault {
        if let Some(Refused(import)) = error.downcast_ref() {
            return PreinitFault::Import { import: import.to_string() };
        }
        match (error.downcast_ref(), store.data().budget.refusal()) {
            (Some(Ended::Cancelled), _) => PreinitFault::Cancelled,
            (Some(Ended::TimedOut), _) => PreinitFault::TimedOut(self.timeout),
            (None, Some(Refusal::Memory { wanted_bytes, limit_bytes })) => {
                PreinitFault::Memory { wanted_bytes, limit_bytes }
            }
            (None, None) => PreinitFault::Trap(explain(error)),
        }
    }
}

fn unsupported(error: wasmtime::Error) -> PreinitFault {
    PreinitFault::Unsupported(lines(&error))
}

fn refused_by_engine(error: wasmtime::Error) -> PreinitFault {
    PreinitFault::Engine(lines(&error))
}

/// Returns an error with its causes, without a backtrace of the host.
fn lines(error: &wasmtime::Error) -> String {
    explain(error)
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "its time is up",
            Self::Cancelled => "it was cancelled",
        })
    }
}

impl std::error::Error for Ended {}
