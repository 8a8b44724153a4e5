//! `wasi:blobstore/types`: values on their way.

use super::reader::{Incoming, SYNC_BYTES_MAX};
use super::writer::Outgoing;
use super::{Answer, Failure, View, wit};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};
use wharf_kit::Refused;

impl wit::types::Host for View<'_> {}

impl wit::types::HostOutgoingValue for View<'_> {
    async fn new_outgoing_value(&mut self) -> wasmtime::Result<Resource<Outgoing>> {
        Ok(self.table.push(Outgoing::default())?)
    }

    async fn outgoing_value_write_body(
        &mut self,
        value: Resource<Outgoing>,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, ()>> {
        let Some(stream) = self.table.get_mut(&value)?.stream() else { return Ok(Err(())) };
        Ok(Ok(self.table.push_child(stream, &value)?))
    }

    async fn finish(&mut self, value: Resource<Outgoing>) -> Answer<()> {
        // With a stream that is still open this traps, as the interface says.
        let value = self.table.delete(value)?;
        let finished = value.finish(self.tally).await;
        self.answer(finished)
    }

    async fn drop(&mut self, value: Resource<Outgoing>) -> wasmtime::Result<()> {
        self.table.delete(value)?;
        Ok(())
    }
}

impl wit::types::HostIncomingValue for View<'_> {
    async fn incoming_value_consume_sync(&mut self, value: Resource<Incoming>) -> Answer<Vec<u8>> {
        let bytes = self.consume(value).await;
        self.answer(bytes)
    }

    async fn incoming_value_consume_async(&mut self, value: Resource<Incoming>) -> Answer<Resource<DynInputStream>> {
        let stream = self.table.delete(value)?.into_stream();
        let stream = self.table.push(stream).map_err(Failure::from);
        self.answer(stream)
    }

    async fn size(&mut self, value: Resource<Incoming>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&value)?.size_bytes())
    }

    async fn drop(&mut self, value: Resource<Incoming>) -> wasmtime::Result<()> {
        self.table.delete(value)?;
        Ok(())
    }
}

impl View<'_> {
    async fn consume(&mut self, value: Resource<Incoming>) -> Result<Vec<u8>, Failure> {
        let value = self.table.delete(value)?;
        let bytes = usize::try_from(value.size_bytes()).unwrap_or(usize::MAX);
        if bytes > SYNC_BYTES_MAX {
            return Err(Refused::TooLarge { bytes, limit_bytes: SYNC_BYTES_MAX }.into());
        }
        Ok(value.collect(self.tally).await?)
    }
}
