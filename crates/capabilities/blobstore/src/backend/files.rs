//! Files in the state folder: the backend that needs nothing.
//!
//! In: names and pieces. Out: the same after any crash. Next: the file system.
//!
//! ```text
//! APP/LABEL/own/FILE           objects of the label's own container
//! APP/LABEL/in/CONTAINER/FILE   those of the others
//! APP/LABEL/new/…               what is not there yet, or not any more
//! ```
//!
//! An object is one file with the object's bytes. It is written in `new`, and renamed to its place when it is whole and on the disk; so it
//! is never changed, and who reads it goes on reading what was opened. Where the name is too long for a file, the file ends with it.

mod entry;
pub mod name;
mod temporary;
mod walk;

use crate::api::{ByteRange, ContainerInfo, ContainerName, Download, Listing, ObjectId, ObjectInfo, ObjectName};
use crate::api::{Error, Store, Upload};
use async_trait::async_trait;
use bytes::Bytes;
use entry::Entry;
use serde::Deserialize;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use temporary::Temporary;
use tokio::runtime::Handle;
use wharf_kit::{Backend, BackendError, Embedded, Namespace, Opened};
use wharf_telemetry::clock;

/// The entry of the list.
pub(super) const BACKEND: Backend<dyn Store> = Backend {
    name: "files",
    summary: "Files in the node's state folder.",
    durability: "An object that is finished is on the disk, with its name, before the guest is told so. It survives the end of the process \
                 and of the machine.",
    example: "backend = \"files\"\n",
    open,
};

/// The file whose date is that of its container. No object has a file name that begins with a dot.
const CREATED: &str = ".created";

/// The settings: there are none.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

fn open(settings: toml::Table, embedded: &Embedded) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    let Config {} = wharf_kit::settings(settings)?;
    Ok(Arc::new(Shelf(embedded.clone())))
}

struct Shelf(Embedded);

impl Opened<dyn Store> for Shelf {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, BackendError> {
        Ok(Arc::new(Files::open(self.0.path(namespace))))
    }

    fn place(&self, namespace: &Namespace) -> String {
        self.0.path(namespace).display().to_string()
    }
}

/// The files of one namespace.
#[derive(Clone, Debug)]
struct Files(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// What the names of this store's temporary files begin with, so that they are nobody else's.
    prefix: String,
    count: AtomicU64,
}

impl Files {
    /// Makes nothing yet, so that a folder that can only be read can be read.
    fn open(path: PathBuf) -> Self {
        if let Err(error) = temporary::sweep(&path.join("new")) {
            tracing::warn!(folder = %path.display(), "unfinished uploads cannot be removed: {error}");
        }
        let since = clock::wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(Arc::new(Folder { path, prefix: format!("{:x}", since.as_nanos()), count: AtomicU64::new(0) }))
    }

    /// Does what blocks on a thread of its own. It goes on to its end when nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Folder) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Error> {
        let folder = Arc::clone(&self.0);
        blocking(doing, move || work(&folder)).await
    }
}

impl Folder {
    fn container(&self, name: &ContainerName) -> PathBuf {
        if name.is_root() { self.path.join("own") } else { self.path.join("in").join(name::encode(name.as_str())) }
    }

    fn object(&self, id: &ObjectId) -> PathBuf {
        self.container(&id.container).join(name::encode(id.name.as_str()))
    }

    fn unused(&self) -> io::Result<PathBuf> {
        let new = self.path.join("new");
        temporary::make(&new)?;
        Ok(new.join(format!("{}-{}", self.prefix, self.count.fetch_add(1, Ordering::Relaxed))))
    }

    /// Makes the container of the label, or checks that another one is there.
    fn prepare(&self, container: &ContainerName) -> Result<(), Failed> {
        let folder = self.container(container);
        if folder.is_dir() {
            return Ok(());
        }
        if container.is_root() { Ok(self.make(container)?) } else { Err(Error::NoContainer.into()) }
    }

    /// Makes a container in one step: it is there with its date, or not.
    fn make(&self, container: &ContainerName) -> io::Result<()> {
        let folder = self.container(container);
        let parent = folder.parent().unwrap_or(&self.path);
        temporary::make(parent)?;
        let new = self.unused()?;
        fs::create_dir(&new)?;
        fs::File::create(new.join(CREATED))?.sync_all()?;
        temporary::sync(&new)?;
        match fs::rename(&new, &folder) {
            Ok(()) => temporary::sync(parent),
            Err(error) => {
                fs::remove_dir_all(&new)?;
                if folder.is_dir() { Ok(()) } else { Err(error) }
            }
        }
    }

    fn upload(&self, id: &ObjectId) -> Result<Temporary, Failed> {
        self.prepare(&id.container)?;
        Ok(Temporary::create(self.unused()?)?)
    }

    /// Writes what belongs behind the object, and puts it in its place.
    fn place(&self, mut temporary: Temporary, id: &ObjectId) -> Result<(), Failed> {
        let to = self.object(id);
        if let Some(trailer) = entry::trailer(&to, &id.name) {
            temporary.file.write_all(&trailer)?;
        }
        temporary.place(&to).map_err(|error| missing(error, Error::NoContainer))
    }

    fn entry(&self, id: &ObjectId) -> Result<Entry, Failed> {
        Entry::open(&self.object(id)).map_err(|error| missing(error, Error::NoObject(id.name.to_string())))
    }

    fn copy(&self, from: &ObjectId, to: &ObjectId) -> Result<(), Failed> {
        let entry = self.entry(from)?;
        self.prepare(&to.container)?;
        if from == to {
            return Ok(());
        }
        let mut temporary = Temporary::create(self.unused()?)?;
        entry.copy_to(&mut temporary.file)?;
        self.place(temporary, to)
    }

    fn rename(&self, from: &ObjectId, to: &ObjectId) -> Result<(), Failed> {
        let (source, target) = (self.object(from), self.object(to));
        let is_in_file = [&source, &target].into_iter().any(|path| entry::has_trailer(path));
        if from == to || is_in_file {
            self.copy(from, to)?;
            return if from == to { Ok(()) } else { Ok(delete(&source)?) };
        }
        self.entry(from)?;
        self.prepare(&to.container)?;
        fs::rename(&source, &target).map_err(|error| missing(error, Error::NoObject(from.name.to_string())))?;
        // First where it is now: a crash between the two leaves it twice, not nowhere.
        for folder in [target.parent(), source.parent()].into_iter().flatten() {
            temporary::sync(folder)?;
        }
        Ok(())
    }

    fn remove(&self, container: &ContainerName) -> Result<(), Failed> {
        let folder = self.container(container);
        let gone = self.unused()?;
        match fs::rename(&folder, &gone) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed?,
        }
        folder.parent().map_or(Ok(()), temporary::sync)?;
        Ok(fs::remove_dir_all(&gone)?)
    }

    fn delete(&self, container: &ContainerName, names: &[ObjectName]) -> Result<(), Failed> {
        let folder = self.container(container);
        let mut is_changed = false;
        for name in names {
            match fs::remove_file(folder.join(name::encode(name.as_str()))) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => {
                    removed?;
                    is_changed = true;
                }
            }
        }
        if is_changed { Ok(temporary::sync(&folder)?) } else { Ok(()) }
    }
}

fn delete(file: &Path) -> io::Result<()> {
    fs::remove_file(file)?;
    file.parent().map_or(Ok(()), temporary::sync)
}

#[async_trait]
impl Store for Files {
    async fn create(&self, container: &ContainerName) -> Result<(), Error> {
        let container = container.clone();
        let make = move |folder: &Folder| {
            if folder.container(&container).is_dir() { Ok(()) } else { Ok(folder.make(&container)?) }
        };
        self.run("make a container", make).await
    }

    async fn container(&self, container: &ContainerName) -> Result<ContainerInfo, Error> {
        let container = container.clone();
        let look = move |folder: &Folder| match fs::metadata(folder.container(&container).join(CREATED)) {
            // That of the label is there from the beginning, also before its folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound && container.is_root() => {
                Ok(ContainerInfo { created: clock::wall() })
            }
            Err(error) => Err(missing(error, Error::NoContainer)),
            Ok(metadata) => Ok(ContainerInfo { created: metadata.modified()? }),
        };
        self.run("look at a container", look).await
    }

    async fn remove(&self, container: &ContainerName) -> Result<(), Error> {
        if container.is_root() {
            return self.clear(container).await;
        }
        let container = container.clone();
        self.run("remove a container", move |folder| folder.remove(&container)).await
    }

    async fn clear(&self, container: &ContainerName) -> Result<(), Error> {
        walk::clear(self.0.container(container), container.is_root()).await
    }

    async fn list(&self, container: &ContainerName) -> Result<Box<dyn Listing>, Error> {
        walk::list(self.0.container(container), container.is_root()).await
    }

    async fn info(&self, object: &ObjectId) -> Result<ObjectInfo, Error> {
        let object = object.clone();
        self.run("look at an object", move |folder| Ok(folder.entry(&object)?.info())).await
    }

    async fn read(&self, object: &ObjectId, range: ByteRange) -> Result<Box<dyn Download>, Error> {
        let object = object.clone();
        let open = move |folder: &Folder| Ok(folder.entry(&object)?.part(range)?);
        Ok(Box::new(self.run("open an object", open).await?))
    }

    async fn write(&self, object: &ObjectId) -> Result<Box<dyn Upload>, Error> {
        let id = object.clone();
        let temporary = self.run("write an object", move |folder| folder.upload(&id)).await?;
        Ok(Box::new(Writing { files: self.clone(), id: object.clone(), temporary: Some(temporary) }))
    }

    async fn copy(&self, from: &ObjectId, to: &ObjectId) -> Result<(), Error> {
        let (from, to) = (from.clone(), to.clone());
        self.run("copy an object", move |folder| folder.copy(&from, &to)).await
    }

    async fn rename(&self, from: &ObjectId, to: &ObjectId) -> Result<(), Error> {
        let (from, to) = (from.clone(), to.clone());
        self.run("rename an object", move |folder| folder.rename(&from, &to)).await
    }

    async fn delete(&self, container: &ContainerName, names: &[ObjectName]) -> Result<(), Error> {
        let (container, names) = (container.clone(), names.to_vec());
        self.run("delete an object", move |folder| folder.delete(&container, &names)).await
    }
}

/// An object that is being written.
struct Writing {
    files: Files,
    id: ObjectId,
    /// Absent while a thread has it, and after an error.
    temporary: Option<Temporary>,
}

#[async_trait]
impl Upload for Writing {
    async fn write(&mut self, piece: Bytes) -> Result<(), Error> {
        let mut temporary = self.temporary.take().ok_or(Error::Broken)?;
        let write = move || {
            temporary.file.write_all(&piece)?;
            Ok(temporary)
        };
        self.temporary = Some(blocking("write an object", write).await?);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), Error> {
        let temporary = self.temporary.take().ok_or(Error::Broken)?;
        let id = self.id.clone();
        self.files.run("finish an object", move |folder| folder.place(temporary, &id)).await
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // Removing a large file takes time that the core does not have.
        if let (Some(temporary), Ok(runtime)) = (self.temporary.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || drop(temporary));
        }
    }
}

/// What went wrong on a thread that may block: already told apart, or not yet.
enum Failed {
    Known(Error),
    Io(io::Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Known(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn missing(error: io::Error, meaning: Error) -> Failed {
    if error.kind() == io::ErrorKind::NotFound { meaning.into() } else { error.into() }
}

async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> Result<T, Failed> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::Backend { doing, source: error.into() })?.map_err(|failed| match failed {
        Failed::Known(error) => error,
        Failed::Io(error) => match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Error::Full(error.into())
            }
            _ => Error::Backend { doing, source: error.into() },
        },
    })
}
