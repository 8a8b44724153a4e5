//! Carries values from one store to another.
//!
//! In: values of the store that has them. Out: the same with a number in the place of each resource, and nothing in the place of each
//! stream, with the [`Luggage`] that goes beside them. Next: the same in the other store.

use crate::broken::Broken;
use crate::flow::Opener;
use crate::handles::{Crossing, Handles, Way};
use crate::held::Held;
use crate::pump::Side;
use crate::shared::Line;
use crate::signature::Signature;
use std::collections::VecDeque;
use std::sync::Arc;
use wasmtime::component::types::Type;
use wasmtime::component::{ResourceDynamic, Val};
use wasmtime::{AsContextMut, Result, StoreContextMut};
use wharf_host::Ctx;
use wharf_pump::Flow;

/// Values of a call on their way.
pub struct Carried {
    values: Vec<Val>,
    luggage: Luggage,
}

/// What goes with values, in their order. Large beside most values, which have none.
#[derive(Default)]
pub(crate) struct Luggage {
    /// What opens each stream and future in the other store.
    flows: VecDeque<Opener>,
    /// The numbers of the resources that change hands, until they have arrived.
    owned: Vec<u32>,
    held: Option<Arc<Held>>,
}

/// Bytes that stand for what waits to open a stream, and for the place between its ends.
const FLOW_BYTES: usize = 512;

impl Luggage {
    /// Returns about how many bytes it takes.
    pub(crate) fn weigh(&self) -> usize {
        size_of::<Self>() + self.flows.len() * FLOW_BYTES + size_of_val(self.owned.as_slice())
    }
}

impl Drop for Luggage {
    fn drop(&mut self) {
        let Some(held) = &self.held else { return };
        // Lost on the way: nobody else drops them.
        self.owned.iter().for_each(|number| held.abandon(*number));
    }
}

/// What the elements of one stream or future need to get into the other store, or out of it.
#[derive(Clone)]
pub(crate) struct Trade {
    side: Side,
    flow: Flow,
    pub(crate) line: Line,
    handles: Arc<Handles>,
    element: Type,
}

impl Trade {
    pub(crate) fn new(side: Side, flow: Flow, line: &Line, handles: &Arc<Handles>, element: &Type) -> Self {
        Self { side, flow, line: line.clone(), handles: Arc::clone(handles), element: element.clone() }
    }

    /// Returns that of the other end.
    pub(crate) fn other(&self) -> Self {
        let side = match self.side {
            Side::Caller => Side::Dependency,
            Side::Dependency => Side::Caller,
        };
        // What the store of the caller waits for is what is open in it.
        let line = Line { open: None, ..self.line.clone() };
        Self { side, line, ..self.clone() }
    }

    /// Returns what the streams and futures in an element are told by.
    fn inner(&self, broken: &Broken) -> Broken {
        // A future that is there has told what it had to tell; what is in it may go wrong later.
        let is_told = broken.is_told && self.flow == Flow::Stream;
        broken.again(is_told || self.handles.tells(&self.element))
    }

    pub(crate) fn element(&self) -> &Type {
        &self.element
    }

    /// Takes an element out of the store of this end.
    pub(crate) fn take_out(&self, store: StoreContextMut<'_, Ctx>, value: &mut Val) -> Result<Luggage> {
        let (types, values) = (std::slice::from_ref(&self.element), std::slice::from_mut(value));
        let luggage = take_out(store, self.side, &self.handles, types, values, &self.line)?;
        if self.side == Side::Caller {
            // Who writes what is gone has to know, and not who would read it.
            luggage.owned.iter().try_for_each(|number| self.line.held()?.lent(*number).map(drop))?;
        }
        Ok(luggage)
    }

    /// Puts an element into the store of this end.
    pub(crate) fn put_in(
        &self,
        store: StoreContextMut<'_, Ctx>,
        value: &mut Val,
        luggage: Luggage,
        broken: Option<&Broken>,
    ) -> Result<()> {
        let (types, values) = (std::slice::from_ref(&self.element), std::slice::from_mut(value));
        let broken = broken.map(|broken| self.inner(broken));
        put_in(store, self.side, &self.handles, types, values, luggage, &self.line, broken.as_ref())
    }

    /// Closes the streams and futures of an element that nobody will read.
    pub(crate) fn close(&self, mut store: StoreContextMut<'_, Ctx>, value: &mut Val) -> Result<()> {
        let (types, values) = (std::slice::from_ref(&self.element), std::slice::from_mut(value));
        self.handles.visit(types, values, &mut |value, _| match value {
            Val::Stream(stream) => stream.close(&mut store),
            Val::Future(future) => future.close(&mut store),
            _ => Ok(()),
        })
    }
}

impl Carried {
    /// Takes parameters out of the caller's store.
    ///
    /// # Errors
    /// When the engine does not let go of one.
    pub fn params(store: StoreContextMut<'_, Ctx>, signature: &Signature, params: &[Val], line: &Line) -> Result<Self> {
        Self::take_out(store, Side::Caller, signature.handles(), signature.params(), params.to_vec(), line)
    }

    /// Puts parameters into the store of the dependency.
    ///
    /// # Errors
    /// When a resource is gone: the instance that made it has ended.
    pub fn into_dependency(
        self,
        store: StoreContextMut<'_, Ctx>,
        signature: &Signature,
        line: &Line,
    ) -> Result<Vec<Val>> {
        let Self { mut values, luggage } = self;
        if let Some(handles) = signature.handles() {
            // All of it or nothing: what was put there before a failure would be nobody's.
            handles.visit(signature.params(), &mut values, &mut |value, crossing| match (&*value, crossing) {
                (Val::U32(number), Crossing::Own(_) | Crossing::Borrow) => line.held()?.lent(*number).map(drop),
                _ => Ok(()),
            })?;
            put_in(store, Side::Dependency, handles, signature.params(), &mut values, luggage, line, None)?;
        }
        Ok(values)
    }

    /// Takes results out of the store of the dependency.
    ///
    /// # Errors
    /// When the engine does not let go of one.
    pub fn results(
        store: StoreContextMut<'_, Ctx>,
        signature: &Signature,
        results: Vec<Val>,
        line: &Line,
    ) -> Result<Self> {
        Self::take_out(store, Side::Dependency, signature.handles(), signature.results(), results, line)
    }

    /// Puts results into the caller's store. `broken` says what a stream or a future tells when its writer's instance failed.
    ///
    /// # Errors
    /// When the engine does not take one.
    pub fn into_caller(
        self,
        store: StoreContextMut<'_, Ctx>,
        signature: &Signature,
        line: &Line,
        broken: impl FnOnce() -> Broken,
    ) -> Result<Vec<Val>> {
        let Self { mut values, luggage } = self;
        if let Some(handles) = signature.handles() {
            let broken = (!luggage.flows.is_empty()).then(broken);
            put_in(store, Side::Caller, handles, signature.results(), &mut values, luggage, line, broken.as_ref())?;
        }
        Ok(values)
    }

    fn take_out(
        store: StoreContextMut<'_, Ctx>,
        from: Side,
        handles: Option<&Arc<Handles>>,
        types: &[Type],
        mut values: Vec<Val>,
        line: &Line,
    ) -> Result<Self> {
        let luggage = match handles {
            Some(handles) => take_out(store, from, handles, types, &mut values, line)?,
            None => Luggage::default(),
        };
        Ok(Self { values, luggage })
    }
}

fn take_out(
    mut store: StoreContextMut<'_, Ctx>,
    from: Side,
    handles: &Arc<Handles>,
    types: &[Type],
    values: &mut [Val],
    line: &Line,
) -> Result<Luggage> {
    let mut luggage = Luggage::default();
    luggage.held.clone_from(&line.held);
    handles.visit(types, values, &mut |value, crossing| {
        match (&*value, &crossing) {
            (Val::Resource(resource), Crossing::Own(_) | Crossing::Borrow) => {
                let number = match from {
                    Side::Caller => resource.try_into_resource_dynamic(&mut store)?.rep(),
                    Side::Dependency => line.held()?.add(*resource)?,
                };
                luggage.owned.extend(matches!(crossing, Crossing::Own(_)).then_some(number));
                *value = Val::U32(number);
            }
            (_, Crossing::Flow(way)) => {
                // What is left in its place says nothing.
                let flow = std::mem::replace(value, Val::Bool(false));
                luggage.flows.push_back(take_flow(store.as_context_mut(), from, flow, way, line, handles)?);
            }
            _ => wasmtime::bail!("a value is neither a resource nor a stream nor a future"),
        }
        Ok(())
    })?;
    Ok(luggage)
}

#[expect(clippy::too_many_arguments, reason = "from where, to where, what, and by which types")]
fn put_in(
    mut store: StoreContextMut<'_, Ctx>,
    to: Side,
    handles: &Handles,
    types: &[Type],
    values: &mut [Val],
    mut luggage: Luggage,
    line: &Line,
    broken: Option<&Broken>,
) -> Result<()> {
    handles.visit(types, values, &mut |value, crossing| {
        *value = match (&*value, crossing, to) {
            (Val::U32(number), Crossing::Own(kind), Side::Caller) => {
                Val::Resource(ResourceDynamic::new_own(*number, kind).try_into_resource_any(&mut store)?)
            }
            (Val::U32(number), Crossing::Own(_), Side::Dependency) => {
                let held = line.held()?;
                let resource = held.lent(*number)?;
                held.take(*number);
                Val::Resource(resource)
            }
            (Val::U32(number), Crossing::Borrow, Side::Dependency) => Val::Resource(line.held()?.lent(*number)?),
            (_, Crossing::Flow(_), _) => {
                let open = luggage.flows.pop_front();
                let open = open.ok_or_else(|| wasmtime::format_err!("a stream was lost on its way"))?;
                open(store.as_context_mut(), broken.map(|broken| broken.again(broken.is_told)))?
            }
            _ => wasmtime::bail!("a value is no resource"),
        };
        Ok(())
    })?;
    luggage.owned.clear();
    Ok(())
}

/// Takes a stream or a future out of its store.
fn take_flow(
    store: StoreContextMut<'_, Ctx>,
    from: Side,
    flow: Val,
    way: &Way,
    line: &Line,
    handles: &Arc<Handles>,
) -> Result<Opener> {
    match (flow, way) {
        (flow, Way::Pumped(pump)) => pump.take(store, from, flow, line, handles),
        (flow, Way::Handed(handed)) => handed.take(store, from, flow, line, handles),
        (Val::Stream(stream), Way::Typed(carrier)) => (carrier.stream)(store, stream, line),
        (Val::Future(future), Way::Typed(carrier)) => (carrier.future)(store, future, line),
        _ => wasmtime::bail!("a value is neither a stream nor a future"),
    }
}
