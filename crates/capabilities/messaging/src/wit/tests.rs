//! The adapters, called as the engine calls them.

use super::wasi::{Client, Letter};
use super::*;
use crate::{BOUNDS, CAPABILITY, Filter, Subscription};
use wasmtime::component::Resource;
use wharf_kit::{Bindings, BoundsOverride, Declared, Embedded, Grant, UsageTable, Who};

mod wasi_draft;
mod wasmcloud_0_2;

/// A store of a component that may send to `orders` and `default`, and only read `inbox`.
struct Store {
    bindings: Bindings<dyn Messenger>,
    granted: Arc<Granted<dyn Messenger>>,
    tally: Tally,
    table: ResourceTable,
    held: Held,
}

impl Store {
    fn new() -> Self {
        Self::with(BoundsOverride::default())
    }

    fn with(bounds: BoundsOverride) -> Self {
        let embedded = Embedded::new(std::path::Path::new("unused"), CAPABILITY);
        let bindings = Bindings::new(CAPABILITY, crate::backend::BACKENDS, BOUNDS, embedded, Declared::default());
        let grant = |label: &str, access| Grant { label: label.to_owned(), access, bounds };
        let grants =
            [grant("orders", Access::ReadWrite), grant("default", Access::ReadWrite), grant("inbox", Access::Read)];
        let who = Who { app: "shop".into(), component: "api".into() };
        let granted = Granted::bind(&bindings, who, &grants, &UsageTable::default()).unwrap();
        let (tally, table, held) = (Tally::default(), ResourceTable::new(), Held::default());
        Self { bindings, granted: Arc::new(granted), tally, table, held }
    }

    fn view(&mut self) -> View<'_> {
        let Self { granted, tally, table, held, .. } = self;
        View { granted, tally, table, held }
    }

    async fn subscribe(&self, label: &str) -> Subscription {
        let bound = self.bindings.bind("shop", label, BoundsOverride::default()).unwrap();
        bound.store.subscribe(&Filter::new(">").unwrap()).await.unwrap()
    }
}

/// Looks at a handle without giving it away.
fn look<T: 'static>(handle: &Resource<T>) -> Resource<T> {
    Resource::new_borrow(handle.rep())
}

#[test]
fn the_interfaces_are_linked_once() {
    let engine = wasmtime::Engine::default();
    let mut linker = Linker::<Store>::new(&engine);
    add_to_linker(&mut linker, Names::OWN, Store::view).unwrap();
    assert!(add_to_linker(&mut linker, Names::OWN, Store::view).is_err());
}
