//! An object on its way to S3: small ones in one request, others in parts. Nobody sees them before the last request.

use super::{Connection, Keys, write_error};
use crate::api::{Error, ObjectId, Upload};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt as _, PutPayload, UploadPart};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// What an upload may keep in memory before it needs one of the places for large ones.
const SMALL_BYTES: usize = 1 << 20;

/// S3 has 10,000 parts at most.
const PARTS_MAX: usize = 10_000;

/// What ends a request that nobody waits for any more.
const CLEAN_UP: Duration = Duration::from_secs(30);

pub(super) struct Writing {
    connection: Arc<Connection>,
    keys: Keys,
    id: ObjectId,
    path: Path,
    /// What is not in a part yet.
    pieces: Vec<Bytes>,
    pieces_bytes: usize,
    parts: Option<Parts>,
    place: Option<OwnedSemaphorePermit>,
}

/// The parts of a large object. Dropping it tells the server to forget them.
struct Parts {
    upload: Option<Box<dyn MultipartUpload>>,
    sending: Option<UploadPart>,
    count: usize,
}

impl Writing {
    pub(super) fn new(connection: Arc<Connection>, keys: Keys, id: ObjectId) -> Result<Self, Error> {
        let path = keys.object(&id)?;
        Ok(Self { connection, keys, id, path, pieces: Vec::new(), pieces_bytes: 0, parts: None, place: None })
    }

    /// Sends what there is as a part, once the part before it is there.
    async fn send(&mut self) -> Result<(), Error> {
        let payload: PutPayload = std::mem::take(&mut self.pieces).into_iter().collect();
        self.pieces_bytes = 0;
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => {
                let upload = begin(self.connection.client()?, self.path.clone()).await?;
                none.insert(Parts { upload: Some(upload), sending: None, count: 0 })
            }
        };
        parts.sent().await?;
        parts.send(payload)
    }
}

impl Parts {
    fn send(&mut self, payload: PutPayload) -> Result<(), Error> {
        if self.count == PARTS_MAX {
            let source = "the object has 10,000 parts: the operator can raise `part_size`".into();
            return Err(Error::Backend { doing: "take an object of this size", source });
        }
        self.count += 1;
        let upload = self.upload.as_mut().ok_or(Error::Broken)?;
        self.sending = Some(upload.put_part(payload));
        Ok(())
    }

    /// Waits until the last part is there.
    async fn sent(&mut self) -> Result<(), Error> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        let sent = sending.await;
        self.sending = None;
        sent.map_err(write_error)
    }

    /// Goes on with the last part, without waiting for it.
    async fn advance(&mut self) -> Result<(), Error> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        let sent = poll_fn(|cx| Poll::Ready(sending.poll_unpin(cx))).await;
        let Poll::Ready(sent) = sent else { return Ok(()) };
        self.sending = None;
        sent.map_err(write_error)
    }

    async fn finish(mut self) -> Result<(), Error> {
        self.sent().await?;
        let upload = self.upload.as_mut().ok_or(Error::Broken)?;
        upload.complete().await.map_err(write_error)?;
        self.upload = None;
        Ok(())
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // The part that is on its way ends first.
        self.sending = None;
        if let (Some(upload), Ok(runtime)) = (self.upload.take(), Handle::try_current()) {
            forget(&runtime, upload);
        }
    }
}

/// Has the server forget an upload. Where that fails, it is up to the rules of the bucket.
fn forget(runtime: &Handle, mut upload: Box<dyn MultipartUpload>) {
    runtime.spawn(async move {
        match tokio::time::timeout(CLEAN_UP, upload.abort()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("blobstore: parts of an upload may be left in the bucket: {error}"),
            Err(_) => tracing::warn!("blobstore: parts of an upload may be left in the bucket: no answer in time"),
        }
    });
}

/// Begins an upload in parts. When nobody waits for it any more, it is forgotten as soon as its name is known.
async fn begin(client: AmazonS3, path: Path) -> Result<Box<dyn MultipartUpload>, Error> {
    let (tx, rx) = oneshot::channel();
    let runtime = Handle::current();
    let task = runtime.clone();
    runtime.spawn(async move {
        let begun = tokio::time::timeout(CLEAN_UP, client.put_multipart(&path)).await;
        if let Err(Ok(Ok(upload))) = tx.send(begun) {
            forget(&task, upload);
        }
    });
    match rx.await {
        Ok(Ok(begun)) => begun.map_err(write_error),
        Ok(Err(late)) => Err(Error::Unavailable(late.into())),
        Err(ended) => Err(Error::Unavailable(ended.into())),
    }
}

#[async_trait]
impl Upload for Writing {
    async fn write(&mut self, piece: Bytes) -> Result<(), Error> {
        if self.place.is_none() && self.pieces_bytes + piece.len() > SMALL_BYTES {
            let place = Arc::clone(&self.connection.large).acquire_owned().await;
            self.place = Some(place.map_err(|closed| Error::Unavailable(closed.into()))?);
        }
        self.pieces_bytes += piece.len();
        self.pieces.push(piece);
        if self.pieces_bytes >= self.connection.part_bytes {
            return self.send().await;
        }
        match &mut self.parts {
            Some(parts) => parts.advance().await,
            None => Ok(()),
        }
    }

    async fn finish(mut self: Box<Self>) -> Result<(), Error> {
        if self.parts.is_some() && self.pieces_bytes > 0 {
            self.send().await?;
        }
        // Right before the end, so that a container that was removed meanwhile does not get an object.
        self.connection.check(&self.keys, &self.id.container).await?;
        match self.parts.take() {
            Some(parts) => parts.finish().await,
            None => {
                let payload: PutPayload = std::mem::take(&mut self.pieces).into_iter().collect();
                self.connection.client()?.put(&self.path, payload).await.map(drop).map_err(write_error)
            }
        }
    }
}

/// The places of large uploads.
pub(super) fn places(count: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS)))
}
