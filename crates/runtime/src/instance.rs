//! Makes the store of one invocation, with every limit set before the guest's first instruction.
//!
//! In: a [`Component`] and who calls. Out: a [`Store`]. Next: [`crate::invoke`].

use crate::component::Component;
use crate::turns::{self, Turn};
use std::sync::Arc;
use wasmtime::{Store, UpdateDeadline};
use wharf_engine::TICK;
use wharf_host::{Budget, Caller, Ctx};

impl Component {
    /// Returns a new store for one invocation, or for the life of one reused instance.
    pub(crate) fn store(&self, caller: Caller) -> Store<Ctx> {
        let budget = Budget::new(self.limits.memory_bytes);
        let ctx = Ctx::new(Arc::clone(&self.recipe), Arc::clone(&self.outbound), caller, budget, self.limits.handles);
        let mut store = Store::new(self.engine.raw(), ctx);
        store.limiter(|ctx| &mut ctx.budget);
        store.set_hostcall_fuel(self.limits.hostcall_bytes);
        store.set_max_component_handles(self.limits.handles);
        if let Some(table) = store.concurrent_resource_table() {
            table.set_max_capacity(self.limits.handles);
        }
        // A busy guest gives way at each tick; its CPU budget is kept by `crate::meter`.
        store.set_epoch_deadline(1);
        let world = self.recipe.simulation.clone();
        match (&self.sampled, &self.diagnostics.profiles) {
            (Some(sampled), Some(profiles)) => {
                let (sampled, profiles) = (Arc::clone(sampled), Arc::clone(profiles));
                store.epoch_deadline_callback(move |store| {
                    sampled.sample(&profiles, store);
                    Ok(give_way())
                });
            }
            _ => store.epoch_deadline_callback(move |_| {
                if let Some(world) = &world {
                    // Who computes does not wait: its test's time stands still.
                    world.touch();
                }
                Ok(give_way())
            }),
        }
        if let Some(Err(error)) = self.debuggee.as_ref().map(|debuggee| debuggee.attach(&mut store)) {
            tracing::warn!("{}: {error}", self.identity.component);
        }
        store
    }
}

fn give_way() -> UpdateDeadline {
    if turns::is_due(TICK) {
        UpdateDeadline::YieldCustom(1, Box::pin(Turn::default()))
    } else {
        UpdateDeadline::Continue(1)
    }
}
