//! The interface as a guest meets it, over real backends, without an engine.

use super::generated::wasi::blobstore as wit;
use super::*;
use crate::api::ByteRange;
use crate::{BACKENDS, BOUNDS, CAPABILITY};
use bytes::Bytes;
use std::path::Path;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, Pollable as _};
use wasmtime_wasi::p2::{StreamError, StreamResult};
use wharf_kit::{Binding, Bindings, BoundsOverride, Declared, Embedded, Grant, UsageTable, Who};
use wit::blobstore::Host as _;
use wit::container::{HostContainer as _, HostStreamObjectNames as _};
use wit::types::{HostIncomingValue as _, HostOutgoingValue as _};

mod refusals;
mod values;

/// The limit of an object's size here.
const LIMIT: usize = 1 << 20;

/// What a store has of a guest.
struct Guest {
    granted: Arc<Granted<dyn Store>>,
    tally: Tally,
    table: ResourceTable,
}

impl Guest {
    /// A guest with the labels `images`, `archive` (of another backend), and `public`, which it may only read.
    fn new(state: &Path) -> Self {
        Self::with(state, BoundsOverride { size_bytes: Some(LIMIT), ..BoundsOverride::default() })
    }

    fn with(state: &Path, bounds: BoundsOverride) -> Self {
        let memory = Binding { backend: "memory".to_owned(), ..Binding::default() };
        let declared = Declared { every: [("archive".to_owned(), memory)].into(), ..Declared::default() };
        let bindings = Bindings::new(CAPABILITY, BACKENDS, BOUNDS, Embedded::new(state, CAPABILITY), declared);
        let grant = |label: &str, access| Grant { label: label.to_owned(), access, bounds };
        let grants =
            [grant("images", Access::ReadWrite), grant("archive", Access::ReadWrite), grant("public", Access::Read)];
        let who = Who { app: "shop".into(), component: "api".into() };
        let granted = Granted::bind(&bindings, who, &grants, &UsageTable::default());
        let granted = granted.unwrap_or_else(|errors| panic!("{errors:?}"));
        Self { granted: Arc::new(granted), tally: Tally::default(), table: ResourceTable::new() }
    }

    fn view(&mut self) -> View<'_> {
        View { granted: &self.granted, tally: &mut self.tally, table: &mut self.table }
    }

    async fn open(&mut self, name: &str) -> Resource<Container> {
        self.view().get_container(name.to_owned()).await.unwrap().unwrap()
    }

    /// Returns a handle for one more call: a call takes its handle.
    fn again<T: 'static>(resource: &Resource<T>) -> Resource<T> {
        Resource::new_borrow(resource.rep())
    }

    async fn begin(&mut self, container: &str, name: &str) -> (Resource<Outgoing>, Resource<DynOutputStream>) {
        let container = self.open(container).await;
        let value = self.view().new_outgoing_value().await.unwrap();
        let begun = self.view().write_data(container, name.to_owned(), Self::again(&value)).await.unwrap();
        begun.unwrap();
        let stream = self.view().outgoing_value_write_body(Self::again(&value)).await.unwrap().unwrap();
        (value, stream)
    }

    /// Writes as guests do: as much as there is room for, then waits.
    async fn write(&mut self, stream: &Resource<DynOutputStream>, mut bytes: Bytes) -> StreamResult<()> {
        let stream = self.table.get_mut(stream).unwrap();
        while !bytes.is_empty() {
            stream.ready().await;
            let room = stream.check_write()?.min(bytes.len());
            stream.write(bytes.split_to(room))?;
        }
        Ok(())
    }

    async fn put(&mut self, container: &str, name: &str, bytes: impl Into<Bytes>) -> Result<(), String> {
        let (value, stream) = self.begin(container, name).await;
        let written = self.write(&stream, bytes.into()).await;
        assert!(!matches!(written, Err(StreamError::Trap(_))));
        self.table.delete(stream).unwrap();
        self.view().finish(value).await.unwrap()
    }

    async fn get(&mut self, container: &str, name: &str, range: (u64, u64)) -> Result<Vec<u8>, String> {
        let container = self.open(container).await;
        let value = self.view().get_data(container, name.to_owned(), range.0, range.1).await.unwrap()?;
        self.view().incoming_value_consume_sync(value).await.unwrap()
    }

    async fn all(&mut self, container: &str, name: &str) -> Result<Vec<u8>, String> {
        self.get(container, name, (0, u64::MAX)).await
    }

    /// Reads a stream as guests do.
    async fn drain(&mut self, stream: &Resource<DynInputStream>) -> Vec<u8> {
        let stream = self.table.get_mut(stream).unwrap();
        let mut bytes = Vec::new();
        loop {
            stream.ready().await;
            match stream.read(1000) {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(StreamError::Closed) => return bytes,
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    /// Puts an object where the guest may only read.
    async fn publish(&mut self, name: &str, bytes: &'static [u8]) {
        let label = self.granted.label("public", &mut self.tally).map(Arc::clone).unwrap();
        let id = ObjectId { container: ContainerName::root(), name: ObjectName::new(name).unwrap() };
        let mut upload = label.store.write(&id).await.unwrap();
        upload.write(Bytes::from_static(bytes)).await.unwrap();
        upload.finish().await.unwrap();
        assert!(label.store.read(&id, ByteRange::ALL).await.is_ok());
    }
}

fn object(container: &str, object: &str) -> wit::types::ObjectId {
    wit::types::ObjectId { container: container.to_owned(), object: object.to_owned() }
}
