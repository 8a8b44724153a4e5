//! `wasi:config@0.2.0-draft-2024-09-27`: a dated draft of the same interface, which some kits for guests still use.

use super::{Config, View};
use wasmtime::component::Linker;
use wharf_kit::Names;

mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../../../wit/config-0.2.0-draft-2024-09-27",
        world: "wasi:config/imports",
    });
}

use generated::wasi::config::store;

pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    store::add_to_linker_instance::<T, Config>(
        &mut linker.instance(&names.of("wasi:config/store@0.2.0-draft-2024-09-27"))?,
        view,
    )
}

impl store::Host for View<'_> {
    fn get(&mut self, key: String) -> Result<Option<String>, store::Error> {
        Ok(View::get(self, &key))
    }

    fn get_all(&mut self) -> Result<Vec<(String, String)>, store::Error> {
        Ok(self.all())
    }
}
