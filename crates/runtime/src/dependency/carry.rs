//! Carries what belongs to a store over the border between two: on the way resources are numbers, and streams and futures are apart.
//!
//! In: the values of a call. Out: values without anything of a store, with the [`Open`] ends. Next: the same in the other store.
//!
//! A resource stays in the store of the component that made it. The other side holds a resource of the host's, whose representation is the
//! number; numbers are never used twice, so one that outlived its store stands for nothing.

use super::flow::Open;
use super::pump::Side;
use super::session::Broken;
use super::shared::Line;
use super::signature::{Crossing, Signature, Way};
use std::collections::{HashMap, VecDeque};
use wasmtime::component::{ResourceAny, ResourceDynamic, Val};
use wasmtime::{AsContextMut, Result, StoreContextMut};
use wharf_host::Ctx;

/// Values on their way.
pub(super) struct Carried {
    values: Vec<Val>,
    /// What opens each stream and future in the other store, in the order of the values.
    flows: VecDeque<Open>,
}

/// The resources of one session that the caller holds, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Held {
    held: HashMap<u32, ResourceAny>,
}

/// Takes parameters out of the caller's store.
pub(super) fn lower(
    mut store: StoreContextMut<'_, Ctx>,
    signature: &Signature,
    params: &[Val],
    line: &Line,
) -> Result<Carried> {
    let mut flows = VecDeque::new();
    let mut values = params.to_vec();
    signature.visit_params(&mut values, |value, crossing| {
        if let Val::Resource(resource) = value {
            let number = resource.try_into_resource_dynamic(&mut store)?.rep();
            *value = Val::U32(number);
            return Ok(());
        }
        flows.push_back(take(store.as_context_mut(), Side::Caller, value, &crossing, line)?);
        Ok(())
    })?;
    Ok(Carried { values, flows })
}

/// Puts results into the caller's store. `broken` says what a stream or a future tells when its writer's instance failed.
pub(super) fn lift(
    mut store: StoreContextMut<'_, Ctx>,
    signature: &Signature,
    results: Carried,
    broken: impl Fn() -> Broken,
) -> Result<Vec<Val>> {
    let Carried { mut values, mut flows } = results;
    signature.visit_results(&mut values, |value, crossing| {
        match (&*value, crossing) {
            (Val::U32(number), Crossing::Own(kind)) => {
                let resource = ResourceDynamic::new_own(*number, kind).try_into_resource_any(&mut store)?;
                *value = Val::Resource(resource);
            }
            (_, Crossing::Flow(_)) => {
                *value = open(&mut flows)?(store.as_context_mut(), Some(broken()))?;
            }
            _ => wasmtime::bail!("a result is no resource"),
        }
        Ok(())
    })?;
    Ok(values)
}

impl Held {
    /// Puts parameters into the store of the dependency.
    ///
    /// # Errors
    /// When a resource is gone: the instance that made it has ended.
    pub(super) fn give(
        &mut self,
        mut store: StoreContextMut<'_, Ctx>,
        signature: &Signature,
        params: Carried,
    ) -> Result<Vec<Val>> {
        let Carried { mut values, mut flows } = params;
        signature.visit_params(&mut values, |value, crossing| {
            let found = match (&*value, crossing) {
                (Val::U32(number), Crossing::Own(_)) => self.held.remove(number),
                (Val::U32(number), Crossing::Borrow) => self.held.get(number).copied(),
                (_, Crossing::Flow(_)) => {
                    *value = open(&mut flows)?(store.as_context_mut(), None)?;
                    return Ok(());
                }
                _ => wasmtime::bail!("a parameter is no resource"),
            };
            let found = found.ok_or_else(|| wasmtime::format_err!("the instance that made a resource has ended"))?;
            *value = Val::Resource(found);
            Ok(())
        })?;
        Ok(values)
    }

    /// Takes results out of the store of the dependency.
    pub(super) fn take(
        &mut self,
        mut store: StoreContextMut<'_, Ctx>,
        signature: &Signature,
        mut values: Vec<Val>,
        line: &Line,
        mut number: impl FnMut() -> u32,
    ) -> Result<Carried> {
        let mut flows = VecDeque::new();
        signature.visit_results(&mut values, |value, crossing| {
            if let Val::Resource(resource) = value {
                let number = number();
                self.held.insert(number, *resource);
                *value = Val::U32(number);
                return Ok(());
            }
            flows.push_back(take(store.as_context_mut(), Side::Dependency, value, &crossing, line)?);
            Ok(())
        })?;
        Ok(Carried { values, flows })
    }

    /// Takes out a resource that the caller dropped.
    pub(super) fn release(&mut self, number: u32) -> Option<ResourceAny> {
        self.held.remove(&number)
    }
}

/// Takes a stream or a future out of its store. What is left in its place says nothing.
fn take(
    store: StoreContextMut<'_, Ctx>,
    from: Side,
    value: &mut Val,
    crossing: &Crossing<'_>,
    line: &Line,
) -> Result<Open> {
    let Crossing::Flow(way) = crossing else {
        wasmtime::bail!("a value is neither a resource nor a stream nor a future")
    };
    match (std::mem::replace(value, Val::Bool(false)), way) {
        (flow, Way::Pumped(pump)) => pump.take(store, from, flow, line),
        (Val::Stream(stream), Way::Typed(carrier)) => (carrier.stream)(store, stream, line),
        (Val::Future(future), Way::Typed(carrier)) => (carrier.future)(store, future, line),
        _ => wasmtime::bail!("a value is neither a stream nor a future"),
    }
}

fn open(flows: &mut VecDeque<Open>) -> Result<Open> {
    flows.pop_front().ok_or_else(|| wasmtime::format_err!("a stream was lost on its way"))
}
