//! Runs a program: a WASI command component, 0.2 or 0.3, or a core module of WASI preview 1.
//!
//! In: a program and what it may use. Out: its exit code. Next: the guest, then `host`.

use crate::Runtime;
use crate::component::Component;
use crate::diagnose::Diagnostics;
use crate::limits::Limits;
use crate::outcome::{Cause, Failure};
use crate::trace;
use std::pin::pin;
use std::sync::Arc;
use wasmtime::{Linker, Module, Store, UpdateDeadline};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::bindings::CommandPre as CommandP2;
use wasmtime_wasi::p3::bindings::CommandPre as CommandP3;
use wharf_engine::Lane;
use wharf_engine::Ticker;
use wharf_host::{Budget, Caller, Recipe};

/// Exit code of a program that ended with an error and named none.
const FAILED: i32 = 1;

/// Runs the `wasi:cli/run` export of `component` to its end and returns its exit code.
///
/// A program has no time limit: whoever started it can end it.
///
/// # Errors
/// [`Cause::NotAHandler`] if there is no such export, otherwise what went wrong.
pub async fn run(component: &Arc<Component>) -> Result<i32, Failure> {
    let mut store = component.store(Caller::default());
    let ticker = component.engine.ticker();
    let result = if let Ok(pre) = CommandP3::new(component.pre.clone()) {
        ticking(ticker, run_p3(&mut store, &pre)).await
    } else if let Ok(pre) = CommandP2::new(component.pre.clone()) {
        ticking(ticker, run_p2(&mut store, &pre)).await
    } else {
        return Err(Cause::NotAHandler.into());
    };
    exit_code(result).map_err(|error| component.failure(&error, &mut store))
}

async fn run_p2(
    store: &mut Store<wharf_host::Ctx>,
    pre: &CommandP2<wharf_host::Ctx>,
) -> wasmtime::Result<Result<(), ()>> {
    let command = pre.instantiate_async(&mut *store).await?;
    command.wasi_cli_run().call_run(store).await
}

async fn run_p3(
    store: &mut Store<wharf_host::Ctx>,
    pre: &CommandP3<wharf_host::Ctx>,
) -> wasmtime::Result<Result<(), ()>> {
    let command = pre.instantiate_async(&mut *store).await?;
    store.run_concurrent(async |accessor| command.wasi_cli_run().call_run(accessor).await).await?
}

/// Keeps the engine's clock going while a guest runs that no meter holds.
async fn ticking<T>(ticker: &Ticker, guest: impl Future<Output = T>) -> T {
    let mut guest = pin!(guest);
    std::future::poll_fn(|cx| {
        ticker.touch();
        guest.as_mut().poll(cx)
    })
    .await
}

/// A core module of WASI preview 1, and what it may use.
pub struct ModuleProgram<'a> {
    /// Its name, for a profile.
    pub name: &'a str,
    /// The module, as WebAssembly binary.
    pub bytes: &'a [u8],
    /// What it gets.
    pub recipe: &'a Recipe,
    /// Memory that it may use.
    pub memory_bytes: usize,
    /// What is watched while it runs.
    pub diagnostics: &'a Diagnostics,
}

struct State {
    wasi: WasiP1Ctx,
    budget: Budget,
}

/// Runs a core module of WASI preview 1 to its end and returns its exit code.
///
/// # Errors
/// When the module cannot be compiled or linked, exports no `_start`, or traps.
pub async fn run_module(runtime: &Runtime, program: &ModuleProgram<'_>) -> Result<i32, Failure> {
    let debugger = program.diagnostics.debugger(program.name);
    let lane = if debugger.is_some() { Lane::Debug } else { Lane::Plain };
    let engine = runtime.engine(lane, Limits::default().stack_bytes).map_err(|error| Failure {
        cause: Cause::Engine,
        detail: std::error::Error::source(&error).map(ToString::to_string),
    })?;
    let state = State { wasi: program.recipe.build_p1(), budget: Budget::new(program.memory_bytes) };
    let mut store = Store::new(engine.raw(), state);
    store.limiter(|state| &mut state.budget);
    store.set_epoch_deadline(1);
    let result = ticking(engine.ticker(), start(&mut store, program)).await;
    exit_code(result.map(Ok)).map_err(|error| module_failure(&error, &mut store, program))
}

async fn start(store: &mut Store<State>, program: &ModuleProgram<'_>) -> wasmtime::Result<()> {
    let engine = store.engine().clone();
    let module = Module::from_binary(&engine, program.bytes)?;
    if let Some(debugger) = program.diagnostics.debugger(program.name) {
        let debuggee = debugger.load_module(program.name, &module)?;
        debugger.wait();
        debuggee.attach(&mut *store)?;
    }
    let profiles = program.diagnostics.profiles.clone();
    let sampled = profiles.and_then(|profiles| Some((profiles.module(program.name, &engine, &module)?, profiles)));
    store.epoch_deadline_callback(move |store| {
        if let Some((sampled, profiles)) = &sampled {
            sampled.sample(profiles, store);
        }
        Ok(UpdateDeadline::Yield(1))
    });
    let mut linker: Linker<State> = Linker::new(&engine);
    p1::add_to_linker_async(&mut linker, |state| &mut state.wasi)?;
    let instance = linker.instantiate_async(&mut *store, &module).await?;
    let start = instance.get_typed_func::<(), ()>(&mut *store, "_start")?;
    start.call_async(&mut *store, ()).await
}

fn module_failure(error: &wasmtime::Error, store: &mut Store<State>, program: &ModuleProgram<'_>) -> Failure {
    let trace = trace::describe(error, program.diagnostics.sources.as_deref());
    let mut text = trace.text;
    if trace.is_without_lines {
        text.push_str(trace::note_without_lines());
    }
    let dumps = program.diagnostics.dumps.as_ref();
    if let Some(line) = dumps.and_then(|dumps| dumps.write(program.name, error, &mut *store)) {
        text.push('\n');
        text.push_str(&line);
    }
    Failure::from_engine(error, store.data().budget.refusal(), text)
}

fn exit_code(result: wasmtime::Result<Result<(), ()>>) -> wasmtime::Result<i32> {
    match result {
        Ok(Ok(())) => Ok(0),
        Ok(Err(())) => Ok(FAILED),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => Ok(exit.0),
            None => Err(error),
        },
    }
}
