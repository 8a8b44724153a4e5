//! Runs a program: a WASI command component, 0.2 or 0.3, or a core module of WASI preview 1.
//!
//! In: a program and what it may use. Out: its exit code. Next: the guest, then `host`.

use crate::Runtime;
use crate::component::Component;
use crate::engine::Lane;
use crate::outcome::{Cause, Failure};
use std::sync::Arc;
use wasmtime::{Linker, Module, Store, UpdateDeadline};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::bindings::CommandPre as CommandP2;
use wasmtime_wasi::p3::bindings::CommandPre as CommandP3;
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
    component.engine.ticker().touch();
    let mut store = component.store(Caller::default());
    let result = if let Ok(pre) = CommandP3::new(component.pre.clone()) {
        run_p3(&mut store, &pre).await
    } else if let Ok(pre) = CommandP2::new(component.pre.clone()) {
        run_p2(&mut store, &pre).await
    } else {
        return Err(Cause::NotAHandler.into());
    };
    exit_code(result).map_err(|error| Failure::from_engine(&error, store.data().budget.refusal()))
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

/// Runs a core module of WASI preview 1 to its end and returns its exit code.
///
/// # Errors
/// When the module cannot be compiled or linked, exports no `_start`, or traps.
pub async fn run_module(runtime: &Runtime, bytes: &[u8], recipe: &Recipe, memory_bytes: usize) -> Result<i32, Failure> {
    struct State {
        wasi: WasiP1Ctx,
        budget: Budget,
    }
    let engine = runtime.engine(Lane::Plain).map_err(|error| Failure {
        cause: Cause::Engine,
        detail: std::error::Error::source(&error).map(ToString::to_string),
    })?;
    engine.ticker().touch();
    let state = State { wasi: recipe.build_p1(), budget: Budget::new(memory_bytes) };
    let mut store = Store::new(engine.raw(), state);
    store.limiter(|state| &mut state.budget);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
    let result = async {
        let module = Module::from_binary(engine.raw(), bytes)?;
        let mut linker: Linker<State> = Linker::new(engine.raw());
        p1::add_to_linker_async(&mut linker, |state| &mut state.wasi)?;
        let instance = linker.instantiate_async(&mut store, &module).await?;
        let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
        start.call_async(&mut store, ()).await
    }
    .await;
    exit_code(result.map(Ok)).map_err(|error| Failure::from_engine(&error, store.data().budget.refusal()))
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
