//! A bucket of S3, or of a server that speaks its protocol.
//!
//! In: names and pieces. Out: requests. Next: the server.
//!
//! ```text
//! PREFIX/APP/LABEL/own/NAME                objects of the label's own container
//! PREFIX/APP/LABEL/in/CONTAINER/NAME       those of the others
//! PREFIX/APP/LABEL/containers/CONTAINER    an empty object for each of these
//! ```

mod config;
mod error;
mod key;
pub mod name;
mod upload;

pub use config::Config;

use crate::api::{ByteRange, ContainerInfo, ContainerName, Download, Listing, ObjectId, ObjectInfo, ObjectName};
use crate::api::{Error, Store, Upload};
use async_trait::async_trait;
use bytes::Bytes;
use error::{error, object_error, write_error};
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use key::Keys;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{
    Certificate, GetOptions, GetRange, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutMode, PutPayload,
};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::Semaphore;
use upload::Writing;
use wharf_kit::{Backend, BackendError, Embedded, Kind, Namespace, Opened, PerThread};

/// The entry of the list.
pub(super) const BACKEND: Backend<dyn Store> = Backend {
    name: "s3",
    summary: "A bucket of S3, or of a server that speaks its protocol.",
    durability: "What the server guarantees for requests that it has answered: on AWS, an object that is finished is in several places. \
                 Moving is copying and deleting, so that for a moment both are there.",
    example: "backend = \"s3\"\nendpoint = \"https://s3.eu-central-1.amazonaws.com\"\nregion = \"eu-central-1\"\n\
              bucket = \"uploads\"\naccess_key = \"AKIAEXAMPLE\"\nsecret_key = \"example\"\n",
    open,
};

/// Ranges that end behind this have no end: no object of S3 is as long, and servers read ends as signed numbers.
const OFFSET_MAX: u64 = 1 << 62;

/// Names in one step of a listing: as many as S3 has in one answer.
const NAMES: usize = 1000;

fn open(settings: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    let config: Config = wharf_kit::settings(settings)?;
    config.check().map_err(|problem| BackendError::Settings(problem.to_owned()))?;
    let trusted = config.trusted()?;
    // Made again on each core; here it shows what is wrong with the settings.
    config.client(&trusted).map_err(|error| BackendError::Settings(format!("no client can be made: {error}")))?;
    let large = upload::places(config.large_uploads);
    let part_bytes = usize::try_from(config.part_size.0).unwrap_or(usize::MAX);
    Ok(Arc::new(Server(Arc::new(Connection { config, trusted, part_bytes, large, clients: PerThread::default() }))))
}

/// The clients of one server, one for each core.
struct Connection {
    config: Config,
    /// Whom to trust, as it was at the start. Empty for those of the platform.
    trusted: Vec<Certificate>,
    part_bytes: usize,
    large: Arc<Semaphore>,
    clients: PerThread<AmazonS3>,
}

impl Connection {
    fn client(&self) -> Result<AmazonS3, Error> {
        let doing = "make a client";
        self.clients
            .get_or_try_make(|| self.config.client(&self.trusted))
            .map_err(|source| Error::Backend { doing, source: source.into() })
    }

    /// Checks that a container is there.
    async fn check(&self, keys: &Keys, container: &ContainerName) -> Result<(), Error> {
        if container.is_root() {
            return Ok(());
        }
        self.marker(keys, container).await.map(drop)
    }

    async fn marker(&self, keys: &Keys, container: &ContainerName) -> Result<ObjectMeta, Error> {
        let marker = keys.marker(container)?;
        self.client()?.head(&marker).await.map_err(|failed| match failed {
            object_store::Error::NotFound { .. } => Error::NoContainer,
            failed => error("look at a container", failed),
        })
    }
}

struct Server(Arc<Connection>);

impl Opened<dyn Store> for Server {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, BackendError> {
        let connection = Arc::clone(&self.0);
        let keys = Keys::new(&connection.config.prefix, namespace);
        Ok(Arc::new(Bucket { connection, keys }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        let config = &self.0.config;
        let server = config.endpoint.as_deref().unwrap_or("AWS");
        format!("{server}, bucket {}, {}", config.bucket, Keys::new(&config.prefix, namespace).base())
    }
}

/// The part of a bucket that is one namespace.
struct Bucket {
    connection: Arc<Connection>,
    keys: Keys,
}

impl Bucket {
    fn client(&self) -> Result<AmazonS3, Error> {
        self.connection.client()
    }

    async fn delete_all(&self, paths: BoxStream<'static, object_store::Result<Path>>) -> Result<(), Error> {
        let mut deleted = self.client()?.delete_stream(paths);
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(failed) => return Err(error("delete objects", failed)),
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Bucket {
    async fn create(&self, container: &ContainerName) -> Result<(), Error> {
        if container.is_root() {
            return Ok(());
        }
        let marker = self.keys.marker(container)?;
        // Only if there is none, so that a container keeps its date.
        match self.client()?.put_opts(&marker, PutPayload::default(), PutMode::Create.into()).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Err(failed) => Err(write_error(failed)),
        }
    }

    async fn container(&self, container: &ContainerName) -> Result<ContainerInfo, Error> {
        if container.is_root() {
            // Nothing in the bucket says since when a label is granted.
            return Ok(ContainerInfo { created: SystemTime::UNIX_EPOCH });
        }
        let meta = self.connection.marker(&self.keys, container).await?;
        Ok(ContainerInfo { created: meta.last_modified.into() })
    }

    async fn remove(&self, container: &ContainerName) -> Result<(), Error> {
        if !container.is_root() {
            // First, so that nobody begins to write what is then left over.
            let marker = self.keys.marker(container)?;
            self.delete_all(stream::iter([Ok(marker)]).boxed()).await?;
        }
        self.clear(container).await
    }

    async fn clear(&self, container: &ContainerName) -> Result<(), Error> {
        let objects = self.client()?.list(Some(&self.keys.container(container)?));
        self.delete_all(objects.map_ok(|meta| meta.location).boxed()).await
    }

    async fn list(&self, container: &ContainerName) -> Result<Box<dyn Listing>, Error> {
        self.connection.check(&self.keys, container).await?;
        let folder = self.keys.container(container)?;
        let objects = self.client()?.list(Some(&folder));
        Ok(Box::new(Names { folder: format!("{folder}/"), chunks: objects.ready_chunks(NAMES).boxed() }))
    }

    async fn info(&self, object: &ObjectId) -> Result<ObjectInfo, Error> {
        let path = self.keys.object(object)?;
        let meta = self.client()?.head(&path).await;
        let meta = meta.map_err(|failed| object_error("look at an object", object, failed))?;
        Ok(ObjectInfo { size_bytes: meta.size, created: meta.last_modified.into() })
    }

    async fn read(&self, object: &ObjectId, range: ByteRange) -> Result<Box<dyn Download>, Error> {
        let path = self.keys.object(object)?;
        let options = GetOptions { range: bounded(range), ..GetOptions::default() };
        let got = match self.client()?.get_opts(&path, options).await {
            // The server refuses what begins behind the end of the object.
            Err(failed @ object_store::Error::Generic { .. }) if range != ByteRange::ALL => {
                let failed = object_error("read an object", object, failed);
                if failed.kind() == Kind::Unavailable {
                    return Err(failed);
                }
                let size_bytes = self.info(object).await?.size_bytes;
                return if range.within(size_bytes).is_empty() { Ok(Box::new(Part::empty())) } else { Err(failed) };
            }
            got => got.map_err(|failed| object_error("read an object", object, failed))?,
        };
        let size_bytes = got.range.end - got.range.start;
        Ok(Box::new(Part { size_bytes, left_bytes: size_bytes, pieces: got.into_stream() }))
    }

    async fn write(&self, object: &ObjectId) -> Result<Box<dyn Upload>, Error> {
        let writing = Writing::new(Arc::clone(&self.connection), self.keys.clone(), object.clone())?;
        self.connection.check(&self.keys, &object.container).await?;
        Ok(Box::new(writing))
    }

    async fn copy(&self, from: &ObjectId, to: &ObjectId) -> Result<(), Error> {
        self.connection.check(&self.keys, &to.container).await?;
        if from == to {
            return self.info(from).await.map(drop);
        }
        let (source, target) = (self.keys.object(from)?, self.keys.object(to)?);
        let copied = self.client()?.copy(&source, &target).await;
        copied.map_err(|failed| object_error("copy an object", from, failed))
    }

    async fn rename(&self, from: &ObjectId, to: &ObjectId) -> Result<(), Error> {
        self.copy(from, to).await?;
        if from == to {
            return Ok(());
        }
        self.delete(&from.container, std::slice::from_ref(&from.name)).await
    }

    async fn delete(&self, container: &ContainerName, names: &[ObjectName]) -> Result<(), Error> {
        let path = |name: &ObjectName| self.keys.object(&ObjectId { container: container.clone(), name: name.clone() });
        // A name that can have no key names nothing that is there.
        let paths: Vec<_> = names.iter().filter_map(|name| path(name).ok()).map(Ok).collect();
        if paths.is_empty() { Ok(()) } else { self.delete_all(stream::iter(paths).boxed()).await }
    }
}

fn bounded(range: ByteRange) -> Option<GetRange> {
    let part = range.within(OFFSET_MAX);
    match (part.start, part.end) {
        (0, OFFSET_MAX) => None,
        (start, OFFSET_MAX) => Some(GetRange::Offset(start)),
        (start, end) => Some(GetRange::Bounded(start..end)),
    }
}

struct Part {
    size_bytes: u64,
    left_bytes: u64,
    pieces: BoxStream<'static, object_store::Result<Bytes>>,
}

impl Part {
    fn empty() -> Self {
        Self { size_bytes: 0, left_bytes: 0, pieces: stream::empty().boxed() }
    }
}

#[async_trait]
impl Download for Part {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        match self.pieces.next().await {
            Some(Ok(piece)) => {
                self.left_bytes = self.left_bytes.saturating_sub(piece.len() as u64);
                Ok(Some(piece))
            }
            Some(Err(failed)) => Err(error("read an object", failed)),
            None if self.left_bytes > 0 => Err(Error::Unavailable("the server ended before the object did".into())),
            None => Ok(None),
        }
    }
}

struct Names {
    /// What stands in front of the names.
    folder: String,
    chunks: BoxStream<'static, Vec<object_store::Result<ObjectMeta>>>,
}

#[async_trait]
impl Listing for Names {
    async fn names(&mut self) -> Result<Vec<ObjectName>, Error> {
        while let Some(chunk) = self.chunks.next().await {
            let mut names = Vec::with_capacity(chunk.len());
            for meta in chunk {
                let meta = meta.map_err(|failed| error("list objects", failed))?;
                let name = meta.location.as_ref().strip_prefix(&self.folder).and_then(name::decode);
                names.extend(name.and_then(|name| ObjectName::new(&name).ok()));
            }
            if !names.is_empty() {
                return Ok(names);
            }
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests;
