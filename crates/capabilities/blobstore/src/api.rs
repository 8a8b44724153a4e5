//! What a backend of blobs does, without any interface: containers, objects, and values that are streamed.
//!
//! In: names and ranges from an adapter. Out: pieces, facts. Next: a backend.

mod error;
mod name;

use async_trait::async_trait;
use bytes::Bytes;
use std::time::SystemTime;
use wharf_kit::Payload;

pub use error::{Cause, Error};
pub use name::{CONTAINER_LEN_MAX, ContainerName, NAME_LEN_MAX, ObjectId, ObjectName};

/// The blobs of one namespace.
///
/// The container of the label itself is always there. Each method may be dropped at any time: what it began then happens wholly or
/// not at all.
#[async_trait]
pub trait Store: Send + Sync {
    /// Makes a container. One that is there stays as it is.
    async fn create(&self, container: &ContainerName) -> Result<(), Error>;

    /// Returns what is known about a container, or [`Error::NoContainer`].
    async fn container(&self, container: &ContainerName) -> Result<ContainerInfo, Error>;

    /// Removes a container with all its objects; the label's own one is only emptied. One that is not there is no error.
    async fn remove(&self, container: &ContainerName) -> Result<(), Error>;

    /// Deletes all objects of a container. Stops half-way when it is dropped.
    async fn clear(&self, container: &ContainerName) -> Result<(), Error>;

    /// Begins to list the objects of a container, in no order. What is written or deleted meanwhile may be in it or not.
    async fn list(&self, container: &ContainerName) -> Result<Box<dyn Listing>, Error>;

    /// Returns what is known about an object, or [`Error::NoObject`].
    async fn info(&self, object: &ObjectId) -> Result<ObjectInfo, Error>;

    /// Opens an object, or the part of it that lies within a range. What is read is the object as it is now, also when it is replaced
    /// or deleted meanwhile.
    async fn read(&self, object: &ObjectId, range: ByteRange) -> Result<Box<dyn Download>, Error>;

    /// Begins to write an object, or [`Error::NoContainer`].
    async fn write(&self, object: &ObjectId) -> Result<Box<dyn Upload>, Error>;

    /// Copies an object over another one.
    async fn copy(&self, from: &ObjectId, to: &ObjectId) -> Result<(), Error>;

    /// Renames an object over another one. Where that is not one step, both are there for a moment.
    async fn rename(&self, from: &ObjectId, to: &ObjectId) -> Result<(), Error>;

    /// Deletes objects. Those that are not there are no error.
    async fn delete(&self, container: &ContainerName, names: &[ObjectName]) -> Result<(), Error>;
}

/// An object that is being written. Nobody sees it before it is finished. Dropping it leaves nothing.
#[async_trait]
pub trait Upload: Send {
    /// Takes more, and waits while too much is on its way. After an error, or when it was dropped half-way, nothing works any more.
    async fn write(&mut self, piece: Bytes) -> Result<(), Error>;

    /// Makes the object visible, in the place of the one that was there.
    async fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// An object, or a part of one, that is being read.
#[async_trait]
pub trait Download: Send {
    /// Returns how long it is.
    fn size_bytes(&self) -> u64;

    /// Returns more of it, of a length that suits the backend; nothing at the end. Not to be called again after an error.
    async fn read(&mut self) -> Result<Option<Bytes>, Error>;
}

/// Names that are being listed.
#[async_trait]
pub trait Listing: Send {
    /// Returns some more names, at least one; none at the end.
    async fn names(&mut self) -> Result<Vec<ObjectName>, Error>;
}

/// What is known about a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerInfo {
    /// When it was made.
    pub created: SystemTime,
}

/// What is known about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// How long it is.
    pub size_bytes: u64,
    /// When it was written.
    pub created: SystemTime,
}

/// A part of an object: two offsets, both of which are part of it. What lies behind the end of the object is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    start: u64,
    end: u64,
}

impl ByteRange {
    /// All of an object.
    pub const ALL: Self = Self { start: 0, end: u64::MAX };

    /// Returns a range.
    ///
    /// # Errors
    /// When it ends before it starts.
    pub fn new(start: u64, end: u64) -> Result<Self, Error> {
        if start <= end { Ok(Self { start, end }) } else { Err(Error::Range { start, end }) }
    }

    /// Returns what of an object of this size lies within the range, as offsets of which the second one is behind the part.
    pub fn within(self, size_bytes: u64) -> std::ops::Range<u64> {
        self.start.min(size_bytes)..self.end.saturating_add(1).min(size_bytes)
    }
}

// === impl Payload ===

impl Payload for ContainerInfo {
    fn size_bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Payload for ObjectInfo {
    fn size_bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Payload for ObjectName {
    fn size_bytes(&self) -> usize {
        self.as_str().len()
    }
}

// An open value is nothing yet that a component got.
impl Payload for Box<dyn Upload> {
    fn size_bytes(&self) -> usize {
        0
    }
}

impl Payload for Box<dyn Download> {
    fn size_bytes(&self) -> usize {
        0
    }
}

impl Payload for Box<dyn Listing> {
    fn size_bytes(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_both_its_ends_and_is_cut_at_the_end_of_the_object() {
        for (start, end, size, part) in [
            (0, 0, 10, 0..1),
            (0, 9, 10, 0..10),
            (3, 5, 10, 3..6),
            (3, 100, 10, 3..10),
            (9, u64::MAX, 10, 9..10),
            (10, 20, 10, 10..10),
            (50, 60, 10, 10..10),
            (0, u64::MAX, 0, 0..0),
            (u64::MAX, u64::MAX, 10, 10..10),
        ] {
            assert_eq!(ByteRange::new(start, end).map(|range| range.within(size)).ok(), Some(part), "{start}-{end}");
        }
        assert!(matches!(ByteRange::new(5, 4), Err(Error::Range { start: 5, end: 4 })));
    }
}
