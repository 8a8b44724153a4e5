//! What an initialisation function finds when it calls out: its standard output and error, and beyond them a refusal that says which
//! import it called.
//!
//! An environment without variables is there for those who end badly: a panic looks into it before it says why.

use super::state::State;
use std::fmt;
use std::sync::Arc;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, Resource, ResourceType, Val};
use wasmtime::{Caller, Error, Extern, ExternType, Module, Result, StoreContextMut};

/// What one call may write before the guest has to ask again.
const WRITE_BYTES: u64 = 64 << 10;

/// The import that was called.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Arc<str>);

/// Stands for every resource type of the host: of all of them only streams of output, and what waits for them, are ever made.
struct Stream;

/// What a function does that is there.
#[derive(Clone, Copy)]
enum Answer {
    Open,
    Ask,
    Write,
    Flush,
    Wait,
    Environment,
}

/// Defines every import of a component.
pub(super) fn of_component(linker: &mut Linker<State>, component: &Component) -> Result<()> {
    let engine = component.engine().clone();
    let ty = component.component_type();
    for (name, item) in ty.imports(&engine) {
        match item.ty {
            ComponentItem::ComponentInstance(interface) => {
                let mut place = linker.instance(name)?;
                for (inner, item) in interface.exports(&engine) {
                    define(&mut place, Some(name), inner, &item.ty)?;
                }
            }
            other => define(&mut linker.root(), None, name, &other)?,
        }
    }
    Ok(())
}

fn define(
    place: &mut LinkerInstance<'_, State>,
    interface: Option<&str>,
    name: &str,
    ty: &ComponentItem,
) -> Result<()> {
    let import: Arc<str> = interface.map_or_else(|| name.into(), |interface| format!("{interface}#{name}").into());
    match ty {
        ComponentItem::ComponentFunc(function) => match answer(interface, name) {
            Some(answer) => place.func_new_async(name, move |mut store, _, given, results| {
                if matches!(answer, Answer::Environment) {
                    store.data_mut().asked(&import);
                }
                Box::new(answer.run(store, given, results))
            }),
            None if function.async_() => place.func_new_concurrent(name, move |_, _, _, _| {
                let refused = refuse(&import);
                Box::pin(async move { Err(refused) })
            }),
            None => place.func_new(name, move |_, _, _, _| Err(refuse(&import))),
        },
        ComponentItem::Resource(_) => place.resource(name, ResourceType::host::<Stream>(), |mut store, _| {
            store.data_mut().closed();
            Ok(())
        }),
        _ => Ok(()),
    }
}

/// Returns what a function does that is there; absent for all others.
fn answer(interface: Option<&str>, name: &str) -> Option<Answer> {
    let interface = interface?.split('@').next()?;
    Some(match (interface, name) {
        ("wasi:cli/environment", "get-environment") => Answer::Environment,
        ("wasi:cli/stdout", "get-stdout")
        | ("wasi:cli/stderr", "get-stderr")
        | ("wasi:io/streams", "[method]output-stream.subscribe") => Answer::Open,
        ("wasi:io/streams", "[method]output-stream.check-write") => Answer::Ask,
        ("wasi:io/streams", "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush") => {
            Answer::Write
        }
        ("wasi:io/streams", "[method]output-stream.flush" | "[method]output-stream.blocking-flush") => Answer::Flush,
        ("wasi:io/poll", "[method]pollable.block" | "[method]pollable.ready") => Answer::Wait,
        _ => return None,
    })
}

impl Answer {
    async fn run(self, mut store: StoreContextMut<'_, State>, given: &[Val], results: &mut [Val]) -> Result<()> {
        let value = match self {
            Self::Open => {
                store.data_mut().opened();
                Val::Resource(Resource::<Stream>::new_own(0).try_into_resource_any(&mut store)?)
            }
            Self::Ask => Val::Result(Ok(Some(Box::new(Val::U64(WRITE_BYTES))))),
            Self::Write => {
                let bytes = given.iter().filter_map(|value| match value {
                    Val::List(bytes) => Some(bytes),
                    _ => None,
                });
                let bytes = bytes.flatten().filter_map(|value| match value {
                    Val::U8(byte) => Some(*byte),
                    _ => None,
                });
                store.data_mut().hear(bytes);
                Val::Result(Ok(None))
            }
            Self::Flush => Val::Result(Ok(None)),
            // What is written here is written at once. Who blocks gets no result.
            Self::Wait => Val::Bool(true),
            Self::Environment => Val::List(Vec::new()),
        };
        if let Some(result) = results.first_mut() {
            *result = value;
        }
        // What was lent for the call has to be given back before its end.
        for value in given {
            if let Val::Resource(lent) = value {
                lent.resource_drop_async(&mut store).await?;
            }
        }
        Ok(())
    }
}

const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Defines every function that a module imports.
pub(super) fn of_module(linker: &mut wasmtime::Linker<State>, module: &Module) -> Result<()> {
    linker.func_wrap(PREVIEW1, "fd_write", write)?;
    linker.func_wrap(PREVIEW1, "environ_sizes_get", no_variables)?;
    for import in module.imports() {
        let (from, name) = (import.module(), import.name());
        let ExternType::Func(ty) = import.ty() else { continue };
        if from != PREVIEW1 || !matches!(name, "fd_write" | "environ_sizes_get") {
            let import: Arc<str> = format!("{from}#{name}").into();
            linker.func_new(from, name, ty, move |_, _, _| Err(refuse(&import)))?;
        }
    }
    Ok(())
}

/// `fd_write` of WASI preview 1, for the standard output and error alone.
fn write(mut caller: Caller<'_, State>, file: i32, vectors: i32, count: i32, written: i32) -> Result<i32> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory").filter(|_| matches!(file, 1 | 2)) else {
        return Err(refuse(&"wasi_snapshot_preview1#fd_write for a file".into()));
    };
    let (data, state) = memory.data_and_store_mut(&mut caller);
    let word = |place: usize| {
        let bytes = data.get(place..place.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    };
    let mut total = 0_usize;
    for at in 0..count.cast_unsigned() as usize {
        let vector = (vectors.cast_unsigned() as usize).saturating_add(at.saturating_mul(8));
        let (Some(start), Some(length)) = (word(vector), word(vector.saturating_add(4))) else { return Ok(FAULT) };
        let Some(bytes) = data.get(start..start.saturating_add(length)) else { return Ok(FAULT) };
        state.hear(bytes.iter().copied());
        total = total.saturating_add(length);
    }
    let place = written.cast_unsigned() as usize;
    let total = u32::try_from(total).unwrap_or(u32::MAX).to_le_bytes();
    match data.get_mut(place..place.saturating_add(4)) {
        Some(place) => place.copy_from_slice(&total),
        None => return Ok(FAULT),
    }
    Ok(0)
}

/// `environ_sizes_get` of WASI preview 1: no variable, no byte.
fn no_variables(mut caller: Caller<'_, State>, count: i32, bytes: i32) -> Result<i32> {
    caller.data_mut().asked(&"wasi_snapshot_preview1#environ_sizes_get".into());
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return Ok(FAULT) };
    for place in [count, bytes] {
        if memory.write(&mut caller, place.cast_unsigned() as usize, &[0; 4]).is_err() {
            return Ok(FAULT);
        }
    }
    Ok(0)
}

/// Preview 1's word for an address that is none.
const FAULT: i32 = 21;

fn refuse(import: &Arc<str>) -> Error {
    Error::new(Refused(Arc::clone(import)))
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not there when a component is built", self.0)
    }
}

impl std::error::Error for Refused {}
