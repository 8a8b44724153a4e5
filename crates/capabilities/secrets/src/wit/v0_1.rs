//! `wharf:secrets@0.1.0`.

use super::{Secrets, View};
use crate::value::Revealed;
use crate::{Error, Value};
use std::sync::Arc;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Linker, Lower, Resource};
use wharf_kit::{Kind, Names};

mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../../../wit/secrets",
        world: "wharf:secrets/imports",
        imports: { "wharf:secrets/store.get": async | trappable, default: trappable },
        with: { "wharf:secrets/store.secret": crate::Value },
    });
}

use generated::wharf::secrets::store;

pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    store::add_to_linker_instance::<T, Secrets>(&mut linker.instance(&names.of("wharf:secrets/store@0.1.0"))?, view)?;
    // By hand: what is generated would copy the value into a text of its own, which nobody wipes.
    linker.instance(&names.of("wharf:secrets/reveal@0.1.0"))?.func_wrap(
        "reveal",
        move |mut store: StoreContextMut<'_, T>, (secret,): (Resource<Value>,)| {
            let view = view(store.data_mut());
            Ok((Shown::from(view.table.get(&secret)?.reveal()),))
        },
    )
}

/// `reveal.secret-value`.
#[derive(ComponentType, Lower)]
#[component(variant)]
enum Shown {
    #[component(name = "text")]
    Text(Arc<str>),
    #[component(name = "bytes")]
    Bytes(Arc<[u8]>),
}

impl From<Revealed<'_>> for Shown {
    fn from(revealed: Revealed<'_>) -> Self {
        match revealed {
            Revealed::Text(text) => Self::Text(Arc::clone(text)),
            Revealed::Bytes(bytes) => Self::Bytes(Arc::clone(bytes)),
        }
    }
}

impl store::Host for View<'_> {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<Resource<Value>, store::Error>> {
        Ok(match self.allowed.get(&name, self.tally).await {
            Ok(value) => Ok(self.table.push(value)?),
            Err(error) => Err(error.into()),
        })
    }
}

impl store::HostSecret for View<'_> {
    fn drop(&mut self, secret: Resource<Value>) -> wasmtime::Result<()> {
        self.table.delete(secret)?;
        Ok(())
    }
}

impl From<Error> for store::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied | Error::Forbidden => Self::AccessDenied,
            Error::NotFound => Self::NotFound,
            error if error.kind() == Kind::Unavailable => Self::Unavailable(error.to_string()),
            error => Self::Other(error.to_string()),
        }
    }
}
