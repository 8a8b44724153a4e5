//! Memory of the process: for tests and trials.
//!
//! In: names and pieces. Out: the same, until the process ends. Next: nothing.

use crate::api::{ByteRange, ContainerInfo, ContainerName, Download, Listing, ObjectId, ObjectInfo, ObjectName};
use crate::api::{Error, Store, Upload};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use wharf_kit::{Backend, BackendError, Embedded, Namespace, Opened, Size};
use wharf_telemetry::clock;

/// The entry of the list.
pub(super) const BACKEND: Backend<dyn Store> = Backend {
    name: "memory",
    summary: "Memory of the process, for tests and trials.",
    durability: "None: all is gone when the process ends, or when no app uses the label any more.",
    example: "backend = \"memory\"\ncapacity = \"64MiB\"\n",
    open,
};

/// Names in one step of a listing.
const NAMES: usize = 512;

/// The settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How many bytes the objects of one namespace may have together.
    #[serde(default = "capacity")]
    pub capacity: Size,
}

/// As much as a process of many apps can lose without noticing.
fn capacity() -> Size {
    Size(256 << 20)
}

fn open(settings: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    Ok(Arc::new(wharf_kit::settings::<Config>(settings)?))
}

impl Opened<dyn Store> for Config {
    fn store(&self, _: &Namespace) -> Result<Arc<dyn Store>, BackendError> {
        Ok(Arc::new(Memory(Arc::new(Mutex::new(Shelf::new(self.capacity.0))))))
    }

    fn place(&self, namespace: &Namespace) -> String {
        namespace.to_string()
    }
}

#[derive(Clone)]
struct Memory(Arc<Mutex<Shelf>>);

struct Shelf {
    containers: BTreeMap<ContainerName, Container>,
    free_bytes: u64,
}

struct Container {
    created: SystemTime,
    objects: BTreeMap<ObjectName, Object>,
}

#[derive(Clone)]
struct Object {
    created: SystemTime,
    bytes: Bytes,
}

impl Shelf {
    fn new(capacity_bytes: u64) -> Self {
        let mut shelf = Self { containers: BTreeMap::new(), free_bytes: capacity_bytes };
        shelf.create(&ContainerName::root());
        shelf
    }

    fn create(&mut self, name: &ContainerName) {
        let new = || Container { created: clock::wall(), objects: BTreeMap::new() };
        self.containers.entry(name.clone()).or_insert_with(new);
    }

    fn container(&mut self, name: &ContainerName) -> Result<&mut Container, Error> {
        self.containers.get_mut(name).ok_or(Error::NoContainer)
    }

    fn object(&self, id: &ObjectId) -> Result<Object, Error> {
        let found = self.containers.get(&id.container).and_then(|container| container.objects.get(&id.name));
        found.cloned().ok_or_else(|| Error::NoObject(id.name.to_string()))
    }

    fn put(&mut self, id: &ObjectId, bytes: Bytes) -> Result<(), Error> {
        let size_bytes = bytes.len() as u64;
        let free_bytes = self.free_bytes;
        let objects = &mut self.container(&id.container)?.objects;
        let replaced = objects.get(&id.name).map_or(0, |object| object.bytes.len() as u64);
        let free = (free_bytes + replaced).checked_sub(size_bytes).ok_or_else(full)?;
        objects.insert(id.name.clone(), Object { created: clock::wall(), bytes });
        self.free_bytes = free;
        Ok(())
    }

    fn delete(&mut self, container: &ContainerName, name: &ObjectName) {
        let objects = self.containers.get_mut(container).map(|container| &mut container.objects);
        let deleted = objects.and_then(|objects| objects.remove(name));
        self.free_bytes += deleted.map_or(0, |object| object.bytes.len() as u64);
    }

    fn clear(&mut self, container: &ContainerName) -> Result<(), Error> {
        let objects = std::mem::take(&mut self.container(container)?.objects);
        self.free_bytes += objects.values().map(|object| object.bytes.len() as u64).sum::<u64>();
        Ok(())
    }
}

fn full() -> Error {
    Error::Full("the namespace has reached its capacity".into())
}

impl Memory {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for Memory {
    async fn create(&self, container: &ContainerName) -> Result<(), Error> {
        self.shelf().create(container);
        Ok(())
    }

    async fn container(&self, container: &ContainerName) -> Result<ContainerInfo, Error> {
        self.shelf().container(container).map(|container| ContainerInfo { created: container.created })
    }

    async fn remove(&self, container: &ContainerName) -> Result<(), Error> {
        let mut shelf = self.shelf();
        if shelf.clear(container).is_ok() && !container.is_root() {
            shelf.containers.remove(container);
        }
        Ok(())
    }

    async fn clear(&self, container: &ContainerName) -> Result<(), Error> {
        self.shelf().clear(container)
    }

    async fn list(&self, container: &ContainerName) -> Result<Box<dyn Listing>, Error> {
        self.shelf().container(container)?;
        Ok(Box::new(Names { memory: self.clone(), container: container.clone(), after: None }))
    }

    async fn info(&self, object: &ObjectId) -> Result<ObjectInfo, Error> {
        let object = self.shelf().object(object)?;
        Ok(ObjectInfo { size_bytes: object.bytes.len() as u64, created: object.created })
    }

    async fn read(&self, object: &ObjectId, range: ByteRange) -> Result<Box<dyn Download>, Error> {
        let bytes = self.shelf().object(object)?.bytes;
        let part = range.within(bytes.len() as u64);
        // Both fit: they are within the length.
        let rest = bytes.slice(part.start as usize..part.end as usize);
        Ok(Box::new(Part { size_bytes: part.end - part.start, rest }))
    }

    async fn write(&self, object: &ObjectId) -> Result<Box<dyn Upload>, Error> {
        self.shelf().container(&object.container)?;
        Ok(Box::new(Writing { memory: self.clone(), id: object.clone(), bytes: BytesMut::new() }))
    }

    async fn copy(&self, from: &ObjectId, to: &ObjectId) -> Result<(), Error> {
        let mut shelf = self.shelf();
        let object = shelf.object(from)?;
        shelf.put(to, object.bytes)
    }

    async fn rename(&self, from: &ObjectId, to: &ObjectId) -> Result<(), Error> {
        let mut shelf = self.shelf();
        let object = shelf.object(from)?;
        shelf.container(&to.container)?;
        if from != to {
            shelf.delete(&from.container, &from.name);
            shelf.put(to, object.bytes)?;
        }
        Ok(())
    }

    async fn delete(&self, container: &ContainerName, names: &[ObjectName]) -> Result<(), Error> {
        let mut shelf = self.shelf();
        names.iter().for_each(|name| shelf.delete(container, name));
        Ok(())
    }
}

struct Writing {
    memory: Memory,
    id: ObjectId,
    bytes: BytesMut,
}

#[async_trait]
impl Upload for Writing {
    async fn write(&mut self, piece: Bytes) -> Result<(), Error> {
        // What is under way counts when it is finished; a single value never takes more than there is.
        if (self.bytes.len() + piece.len()) as u64 > self.memory.shelf().free_bytes {
            return Err(full());
        }
        self.bytes.extend_from_slice(&piece);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), Error> {
        self.memory.shelf().put(&self.id, self.bytes.freeze())
    }
}

struct Part {
    size_bytes: u64,
    rest: Bytes,
}

#[async_trait]
impl Download for Part {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        let bytes = std::mem::take(&mut self.rest);
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}

struct Names {
    memory: Memory,
    container: ContainerName,
    after: Option<ObjectName>,
}

#[async_trait]
impl Listing for Names {
    async fn names(&mut self) -> Result<Vec<ObjectName>, Error> {
        let mut shelf = self.memory.shelf();
        let objects = &shelf.container(&self.container)?.objects;
        let after = self.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let names: Vec<ObjectName> =
            objects.range((after, Bound::Unbounded)).take(NAMES).map(|(name, _)| name.clone()).collect();
        drop(shelf);
        if let Some(last) = names.last() {
            self.after = Some(last.clone());
        }
        Ok(names)
    }
}
