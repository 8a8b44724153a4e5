//! `wasi:keyvalue@0.2.0-draft2`: cursors are text, increments have a sign, and there is compare-and-swap. Guests of Spin are built with it.
//!
//! Its first publication had another type for the answer of `get-many`; the one here is that of Spin and of today's proposal.

use super::{Bucket, Cas, Failure, Keyvalue, Told, View};
use crate::api::{Cursor, Error};
use wasmtime::component::{Linker, Resource};
use wharf_kit::Names;

mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../../../wit/keyvalue-0.2.0-draft2",
        world: "wasi:keyvalue/imports",
        imports: { default: async | trappable },
        with: {
            "wasi:keyvalue/store.bucket": super::super::Bucket,
            "wasi:keyvalue/atomics.cas": super::super::Cas,
        },
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
        &mut linker.instance(&names.of("wasi:keyvalue/store@0.2.0-draft2"))?,
        view,
    )?;
    atomics::add_to_linker_instance::<T, Keyvalue>(
        &mut linker.instance(&names.of("wasi:keyvalue/atomics@0.2.0-draft2"))?,
        view,
    )?;
    batch::add_to_linker_instance::<T, Keyvalue>(
        &mut linker.instance(&names.of("wasi:keyvalue/batch@0.2.0-draft2"))?,
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
        cursor: Option<String>,
    ) -> Result<store::KeyResponse, Failure> {
        let page = self.keys(&bucket, cursor.as_deref().map(parse).transpose()?).await?;
        let keys = page.keys.into_iter().map(|key| key.into_string()).collect();
        Ok(store::KeyResponse { keys, cursor: page.next.map(|Cursor(position)| position.to_string()) })
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.close(bucket)
    }
}

/// Reads a cursor, which is what a listing returned.
fn parse(cursor: &str) -> Result<Cursor, Error> {
    cursor.parse().map(Cursor).map_err(|_| Error::Cursor)
}

impl atomics::Host for View<'_> {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: i64) -> Result<i64, Failure> {
        View::increment(self, &bucket, key, delta).await
    }

    async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> wasmtime::Result<Result<(), atomics::CasError>> {
        Ok(match View::swap(self, cas, value).await {
            Ok(None) => Ok(()),
            Ok(Some(newer)) => Err(atomics::CasError::CasFailed(newer)),
            Err(failure) => Err(atomics::CasError::StoreError(store::Host::convert_error(self, failure)?)),
        })
    }
}

impl atomics::HostCas for View<'_> {
    async fn new(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Resource<Cas>, Failure> {
        self.compare(&bucket, key).await
    }

    async fn current(&mut self, cas: Resource<Cas>) -> Result<Option<Vec<u8>>, Failure> {
        Ok(View::current(self, &cas).await?.map(Vec::from))
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> wasmtime::Result<()> {
        self.forget(cas)
    }
}

impl batch::Host for View<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, Failure> {
        let values = View::get_many(self, &bucket, &keys).await?;
        Ok(keys.into_iter().zip(values).map(|(key, value)| (key, value.map(Vec::from))).collect())
    }

    async fn set_many(&mut self, bucket: Resource<Bucket>, pairs: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        View::set_many(self, &bucket, pairs).await
    }

    async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Result<(), Failure> {
        View::delete_many(self, &bucket, &keys).await
    }
}
