//! Blobs: what this component does with `wasi:blobstore`.

use std::io::Write as _;

use wasip2::io::streams::{InputStream, OutputStream};

use crate::{Problem, Result};
use bindings::wasi::blobstore::blobstore as store;
use bindings::wasi::blobstore::container::Container;
use bindings::wasi::blobstore::types::OutgoingValue;

mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "docs:thumbnails/blobs",
        with: {
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
        },
        generate_all,
    });
}

/// An object on its way. Dropped before it is finished, it leaves nothing.
pub struct Writer {
    // In this order: the stream is a part of the value, and goes first.
    stream: OutputStream,
    value: OutgoingValue,
}

impl Writer {
    pub fn new(container: &str, name: &str) -> Result<Self> {
        let container = open(container)?;
        let value = OutgoingValue::new_outgoing_value();
        container.write_data(name, &value).map_err(unavailable)?;
        let stream = value.outgoing_value_write_body().map_err(|()| unavailable("the value has a stream".into()))?;
        Ok(Self { stream, value })
    }

    /// Waits while too much is on its way.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).map_err(|error| unavailable(error.to_string()))
    }

    pub fn finish(self) -> Result<()> {
        drop(self.stream);
        OutgoingValue::finish(self.value).map_err(unavailable)
    }
}

/// Returns an object as a stream, and its size.
pub fn stream(container: &str, name: &str) -> Result<(InputStream, u64)> {
    let value = open_object(container, name)?.get_data(name, 0, u64::MAX).map_err(unavailable)?;
    let size = value.size();
    let stream = bindings::wasi::blobstore::types::IncomingValue::incoming_value_consume_async(value);
    Ok((stream.map_err(unavailable)?, size))
}

/// Returns a whole object.
pub fn read(container: &str, name: &str) -> Result<Vec<u8>> {
    let value = open_object(container, name)?.get_data(name, 0, u64::MAX).map_err(unavailable)?;
    bindings::wasi::blobstore::types::IncomingValue::incoming_value_consume_sync(value).map_err(unavailable)
}

pub fn exists(container: &str, name: &str) -> Result<bool> {
    let is_there = store::container_exists(container).map_err(unavailable)?;
    Ok(is_there && open(container)?.has_object(name).map_err(unavailable)?)
}

pub fn create_container(name: &str) -> Result<()> {
    store::create_container(name).map(drop).map_err(unavailable)
}

pub fn remove_container(name: &str) -> Result<()> {
    store::delete_container(name).map_err(unavailable)
}

fn open(container: &str) -> Result<Container> {
    store::get_container(container).map_err(unavailable)
}

fn open_object(container: &str, name: &str) -> Result<Container> {
    let container = open(container)?;
    let is_there = container.has_object(name).map_err(unavailable)?;
    if is_there { Ok(container) } else { Err(Problem(404, format!("there is no {name}"))) }
}

/// The interface tells what went wrong as a text for people; to the client it is that of the store.
fn unavailable(text: String) -> Problem {
    Problem(503, text)
}
