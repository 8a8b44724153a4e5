//! `wasi:keyvalue@0.2.0-draft`: cursors are numbers, increments have no sign, there is no compare-and-swap. Guests of wasmCloud and of
//! `wasmtime serve` are built with it.

use super::{Bucket, Failure, Keyvalue, Told, View};
use crate::api::{Cursor, Error};
use wasmtime::component::{Linker, Resource};
use wharf_kit::Names;

mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../../../wit/keyvalue-0.2.0-draft",
        world: "wasi:keyvalue/imports",
        imports: { default: async | trappable },
        with: { "wasi:keyvalue/store.bucket": super::super::Bucket },
        trappable_error_type: { "wasi:keyvalue/store.error" => super::super::Failure },
    });
}

pub(super) use generated::wasi::keyvalue::{atomics, batch, store};

pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: Names,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    store::add_to_linker_instance::<T, Keyvalue>(
        &mut linker.instance(&names.of("wasi:keyvalue/store@0.2.0-draft"))?,
        view,
    )?;
    atomics::add_to_linker_instance::<T, Keyvalue>(
        &mut linker.instance(&names.of("wasi:keyvalue/atomics@0.2.0-draft"))?,
        view,
    )?;
    batch::add_to_linker_instance::<T, Keyvalue>(
        &mut linker.instance(&names.of("wasi:keyvalue/batch@0.2.0-draft"))?,
        view,
    )
}

impl store::Host for View<'_> {
    async fn open(&mut self, identifier: String) -> Result<Resource<Bucket>, Failure> {
        View::open(self, &identifier)
    }

    fn convert_error(&mut self, failure: Failure) -> wasmtime::Result<store::Error> {
        Ok(match failure.told()? {
            Told::Denied => store::Error::AccessDenied,
            Told::Other(text) => store::Error::Other(text),
        })
    }
}

impl store::HostBucket for View<'_> {
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Option<Vec<u8>>, Failure> {
        Ok(View::get(self, &bucket, key).await?.map(Vec::from))
    }

    async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Result<(), Failure> {
        View::set(self, &bucket, key, value).await
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<(), Failure> {
        View::delete(self, &bucket, key).await
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Result<bool, Failure> {
        View::exists(self, &bucket, key).await
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<u64>,
    ) -> Result<store::KeyResponse, Failure> {
        let page = self.keys(&bucket, cursor.map(Cursor)).await?;
        let keys = page.keys.into_iter().map(|key| key.into_string()).collect();
        Ok(store::KeyResponse { keys, cursor: page.next.map(|Cursor(position)| position) })
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.close(bucket)
    }
}

impl atomics::Host for View<'_> {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: u64) -> Result<u64, Failure> {
        let delta = i64::try_from(delta).map_err(|_| Error::Overflow)?;
        let sum = View::increment(self, &bucket, key, delta).await?;
        u64::try_from(sum).map_err(|_| Error::Negative(sum).into())
    }
}

impl batch::Host for View<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Vec<Option<(String, Vec<u8>)>>, Failure> {
        let values = View::get_many(self, &bucket, &keys).await?;
        Ok(keys.into_iter().zip(values).map(|(key, value)| Some((key, value?.into()))).collect())
    }

    async fn set_many(&mut self, bucket: Resource<Bucket>, pairs: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        View::set_many(self, &bucket, pairs).await
    }

    async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Result<(), Failure> {
        View::delete_many(self, &bucket, &keys).await
    }
}
