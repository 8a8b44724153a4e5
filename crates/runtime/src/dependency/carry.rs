//! Carries resources over the border between two stores: on the way they are numbers.
//!
//! A resource stays in the store of the component that made it. The other side holds a resource of the host's, whose representation is the
//! number; numbers are never used twice, so one that outlived its store stands for nothing.

use super::signature::{Handle, Signature};
use std::collections::HashMap;
use wasmtime::AsContextMut;
use wasmtime::component::{ResourceAny, ResourceDynamic, Val};

/// The resources of one session that the caller holds, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Held {
    held: HashMap<u32, ResourceAny>,
}

/// Makes numbers of the caller's handles among parameters.
pub(super) fn lower(mut store: impl AsContextMut, signature: &Signature, params: &mut [Val]) -> wasmtime::Result<()> {
    signature.visit_params(params, |value, _| {
        let Val::Resource(resource) = value else { wasmtime::bail!("a parameter is no resource") };
        let number = resource.try_into_resource_dynamic(&mut store)?.rep();
        *value = Val::U32(number);
        Ok(())
    })
}

/// Makes the caller's handles of numbers among results.
pub(super) fn lift(mut store: impl AsContextMut, signature: &Signature, results: &mut [Val]) -> wasmtime::Result<()> {
    signature.visit_results(results, |value, handle| {
        let (Val::U32(number), Handle::Own(kind)) = (&*value, handle) else {
            wasmtime::bail!("a result is no resource")
        };
        *value = Val::Resource(ResourceDynamic::new_own(*number, kind).try_into_resource_any(&mut store)?);
        Ok(())
    })
}

impl Held {
    /// Makes resources of numbers among parameters, in the store that has them.
    ///
    /// # Errors
    /// When one is gone: the instance that made it has ended.
    pub(super) fn give(&mut self, signature: &Signature, params: &mut [Val]) -> wasmtime::Result<()> {
        signature.visit_params(params, |value, handle| {
            let Val::U32(number) = value else { wasmtime::bail!("a parameter is no resource") };
            let found = match handle {
                Handle::Own(_) => self.held.remove(number),
                Handle::Borrow => self.held.get(number).copied(),
            };
            let found = found.ok_or_else(|| wasmtime::format_err!("the instance that made a resource has ended"))?;
            *value = Val::Resource(found);
            Ok(())
        })
    }

    /// Makes numbers of resources among results.
    pub(super) fn take(
        &mut self,
        signature: &Signature,
        results: &mut [Val],
        mut number: impl FnMut() -> u32,
    ) -> wasmtime::Result<()> {
        signature.visit_results(results, |value, _| {
            let Val::Resource(resource) = value else { wasmtime::bail!("a result is no resource") };
            let number = number();
            self.held.insert(number, *resource);
            *value = Val::U32(number);
            Ok(())
        })
    }

    /// Takes out a resource that the caller dropped.
    pub(super) fn release(&mut self, number: u32) -> Option<ResourceAny> {
        self.held.remove(&number)
    }
}
