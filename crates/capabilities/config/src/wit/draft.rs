//! `wasi:config@0.2.0-draft`: the undated draft, in which the interface is called `runtime` first and `store` later.

use super::{Config, View};
use wasmtime::component::Linker;
use wharf_kit::Names;

mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../../../wit/config-0.2.0-draft",
        world: "wasi:config/imports",
    });
}

use generated::wasi::config::{runtime, store};

pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    runtime::add_to_linker_instance::<T, Config>(
        &mut linker.instance(&names.of("wasi:config/runtime@0.2.0-draft"))?,
        view,
    )?;
    store::add_to_linker_instance::<T, Config>(&mut linker.instance(&names.of("wasi:config/store@0.2.0-draft"))?, view)
}

impl runtime::Host for View<'_> {
    fn get(&mut self, key: String) -> Result<Option<String>, runtime::ConfigError> {
        Ok(View::get(self, &key))
    }

    fn get_all(&mut self) -> Result<Vec<(String, String)>, runtime::ConfigError> {
        Ok(self.all())
    }
}

impl store::Host for View<'_> {
    fn get(&mut self, key: String) -> Result<Option<String>, store::Error> {
        Ok(View::get(self, &key))
    }

    fn get_all(&mut self) -> Result<Vec<(String, String)>, store::Error> {
        Ok(self.all())
    }
}
