//! `wasi:blobstore/container`: the objects of one container.

use super::reader::Incoming;
use super::writer::Outgoing;
use super::{Answer, Container, Failure, View, wit};
use crate::api::{ByteRange, Error, Listing, ObjectName, Store};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use wasmtime::component::Resource;
use wharf_kit::{Held, Label};
use wit::types::{ContainerMetadata, ObjectMetadata};

/// Names that a guest gets at once, whatever it asks for: 10 MiB of the longest ones.
const NAMES_MAX: usize = 10_000;

/// Names that a guest is reading.
pub struct Names {
    label: Arc<Label<dyn Store>>,
    listing: Box<dyn Listing>,
    ahead: VecDeque<ObjectName>,
    is_over: bool,
    _held: Held,
}

impl wit::container::Host for View<'_> {}

impl wit::container::HostContainer for View<'_> {
    async fn name(&mut self, container: Resource<Container>) -> Answer<String> {
        let name = self.opened(&container).map(|container| container.full_name());
        self.answer(name)
    }

    async fn info(&mut self, container: Resource<Container>) -> Answer<ContainerMetadata> {
        let info = self.container_info(&container).await;
        self.answer(info)
    }

    async fn get_data(
        &mut self,
        container: Resource<Container>,
        name: String,
        start: u64,
        end: u64,
    ) -> Answer<Resource<Incoming>> {
        let value = self.get(&container, &name, (start, end)).await;
        self.answer(value)
    }

    async fn write_data(
        &mut self,
        container: Resource<Container>,
        name: String,
        data: Resource<Outgoing>,
    ) -> Answer<()> {
        let begun = self.begin(&container, &name, &data).await;
        self.answer(begun)
    }

    async fn list_objects(&mut self, container: Resource<Container>) -> Answer<Resource<Names>> {
        let names = self.list(&container).await;
        self.answer(names)
    }

    async fn delete_object(&mut self, container: Resource<Container>, name: String) -> Answer<()> {
        let deleted = self.delete(&container, &[name]).await;
        self.answer(deleted)
    }

    async fn delete_objects(&mut self, container: Resource<Container>, names: Vec<String>) -> Answer<()> {
        let deleted = self.delete(&container, &names).await;
        self.answer(deleted)
    }

    async fn has_object(&mut self, container: Resource<Container>, name: String) -> Answer<bool> {
        let found = match self.object_metadata(&container, name).await {
            Ok(_) => Ok(true),
            Err(Failure::Call(Error::NoObject(_) | Error::NoContainer)) => Ok(false),
            Err(failure) => Err(failure),
        };
        self.answer(found)
    }

    async fn object_info(&mut self, container: Resource<Container>, name: String) -> Answer<ObjectMetadata> {
        let info = self.object_metadata(&container, name).await;
        self.answer(info)
    }

    async fn clear(&mut self, container: Resource<Container>) -> Answer<()> {
        let cleared = self.empty(&container).await;
        self.answer(cleared)
    }

    async fn drop(&mut self, container: Resource<Container>) -> wasmtime::Result<()> {
        self.table.delete(container)?;
        Ok(())
    }
}

impl wit::container::HostStreamObjectNames for View<'_> {
    async fn read_stream_object_names(&mut self, names: Resource<Names>, len: u64) -> Answer<(Vec<String>, bool)> {
        let read = self.take_names(&names, len).await;
        self.answer(read)
    }

    async fn skip_stream_object_names(&mut self, names: Resource<Names>, count: u64) -> Answer<(u64, bool)> {
        let skipped = self.skip_names(&names, count).await;
        self.answer(skipped)
    }

    async fn drop(&mut self, names: Resource<Names>) -> wasmtime::Result<()> {
        self.table.delete(names)?;
        Ok(())
    }
}

impl View<'_> {
    async fn container_info(&mut self, container: &Resource<Container>) -> Result<ContainerMetadata, Failure> {
        let Container { label, name } = &self.opened(container)?;
        let info = self.call(label, "info", label.store.container(name)).await?;
        let name = Container { label: Arc::clone(label), name: name.clone() }.full_name();
        Ok(ContainerMetadata { name, created_at: seconds(info.created) })
    }

    async fn get(
        &mut self,
        container: &Resource<Container>,
        name: &str,
        range: (u64, u64),
    ) -> Result<Resource<Incoming>, Failure> {
        let container = self.opened(container)?;
        let id = container.object(name)?;
        let range = ByteRange::new(range.0, range.1)?;
        let label = container.label;
        let held = label.gate.hold().await?;
        let download = self.call(&label, "get-data", label.store.read(&id, range)).await?;
        Ok(self.table.push(Incoming::new(label, download, held))?)
    }

    async fn begin(
        &mut self,
        container: &Resource<Container>,
        name: &str,
        data: &Resource<Outgoing>,
    ) -> Result<(), Failure> {
        let container = self.writable(container)?;
        let id = container.object(name)?;
        let body = self.table.get(data)?.body();
        body.check_unnamed()?;
        let label = container.label;
        let held = label.gate.hold().await?;
        let upload = self.call(&label, "write-data", label.store.write(&id)).await?;
        body.begin(label, upload, held)
    }

    async fn list(&mut self, container: &Resource<Container>) -> Result<Resource<Names>, Failure> {
        let Container { label, name } = self.opened(container)?;
        let held = label.gate.hold().await?;
        let listing = self.call(&label, "list-objects", label.store.list(&name)).await?;
        Ok(self.table.push(Names { label, listing, ahead: VecDeque::new(), is_over: false, _held: held })?)
    }

    async fn delete(&mut self, container: &Resource<Container>, names: &[String]) -> Result<(), Failure> {
        let Container { label, name } = self.writable(container)?;
        let names = names.iter().map(|name| ObjectName::new(name)).collect::<Result<Vec<_>, _>>()?;
        self.call(&label, "delete-objects", label.store.delete(&name, &names)).await
    }

    async fn object_metadata(
        &mut self,
        container: &Resource<Container>,
        name: String,
    ) -> Result<ObjectMetadata, Failure> {
        let container = self.opened(container)?;
        let id = container.object(&name)?;
        let label = &container.label;
        let info = self.call(label, "object-info", label.store.info(&id)).await?;
        let (created_at, size) = (seconds(info.created), info.size_bytes);
        Ok(ObjectMetadata { name, container: container.full_name(), created_at, size })
    }

    async fn empty(&mut self, container: &Resource<Container>) -> Result<(), Failure> {
        let Container { label, name } = self.writable(container)?;
        self.call(&label, "clear", label.store.clear(&name)).await
    }

    async fn take_names(&mut self, names: &Resource<Names>, len: u64) -> Result<(Vec<String>, bool), Failure> {
        let wanted = usize::try_from(len).map_or(NAMES_MAX, |len| len.min(NAMES_MAX));
        let mut taken = Vec::new();
        while taken.len() < wanted && self.fetch_names(names).await? {
            let ahead = &mut self.table.get_mut(names)?.ahead;
            let count = ahead.len().min(wanted - taken.len());
            taken.extend(ahead.drain(..count).map(|name| name.as_str().to_owned()));
        }
        Ok((taken, !self.fetch_names(names).await?))
    }

    async fn skip_names(&mut self, names: &Resource<Names>, count: u64) -> Result<(u64, bool), Failure> {
        let mut skipped = 0;
        while skipped < count && self.fetch_names(names).await? {
            let ahead = &mut self.table.get_mut(names)?.ahead;
            let step = usize::try_from(count - skipped).map_or(ahead.len(), |count| count.min(ahead.len()));
            ahead.drain(..step);
            skipped += step as u64;
        }
        Ok((skipped, !self.fetch_names(names).await?))
    }

    /// Sees to it that there are names; tells whether there are any.
    async fn fetch_names(&mut self, names: &Resource<Names>) -> Result<bool, Failure> {
        let Names { label, listing, ahead, is_over, .. } = self.table.get_mut(names)?;
        if ahead.is_empty() && !*is_over {
            // Set first: a listing that failed is not asked again.
            *is_over = true;
            ahead.extend(label.gate.call(self.tally, "list-objects", 0, Error::kind, listing.names()).await?);
            *is_over = ahead.is_empty();
        }
        Ok(!ahead.is_empty())
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
