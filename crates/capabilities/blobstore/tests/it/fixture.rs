//! Stores of every backend, and the words that tests share.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use wharf_blobstore::BACKENDS;
use wharf_blobstore::api::{ByteRange, ContainerName, Download, Error, ObjectId, ObjectName, Store};
use wharf_kit::{BackendError, Embedded, Namespace, Opened};
use wharf_testkit::BOUND;
use wharf_testkit::services::S3;

/// The bucket that tests use.
pub(crate) const BUCKET: &str = "tests";

/// As much as a stream of a guest gives at once.
pub(crate) const PIECE: usize = 64 * 1024;

/// An open backend.
pub(crate) struct Fixture {
    pub(crate) opened: Arc<dyn Opened<dyn Store>>,
    pub(crate) is_s3: bool,
    store: OnceLock<Arc<dyn Store>>,
    folder: TempDir,
    url: String,
}

impl Fixture {
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        // Bindings do the same: a namespace is opened once.
        Arc::clone(self.store.get_or_init(|| self.of(&Namespace::own("shop", "images"))))
    }

    pub(crate) fn of(&self, namespace: &Namespace) -> Arc<dyn Store> {
        self.opened.store(namespace).unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn new(backend: &str, settings: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let opened = open(backend, settings, folder.path()).unwrap();
        Self { opened, is_s3: backend == "s3", store: OnceLock::new(), folder, url: String::new() }
    }

    pub(crate) fn memory() -> Self {
        Self::new("memory", "")
    }

    pub(crate) fn files() -> Self {
        Self::new("files", "")
    }

    /// A part of the server's bucket that no other test uses.
    pub(crate) fn s3(server: &S3, part: &str) -> Self {
        let fixture = Self::new("s3", &settings(server, &format!("prefix = \"{part}\"\n")));
        Self { url: server.url(), ..fixture }
    }

    /// Tells whether something is left of uploads that did not end.
    pub(crate) fn has_leftovers(&self) -> bool {
        if self.is_s3 {
            return uploads(&self.url).contains("<Key>");
        }
        let mut folders = vec![self.folder().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.parent().is_some_and(|parent| parent.ends_with("new")) {
                    return true;
                }
                folders.extend(path.is_dir().then_some(path));
            }
        }
        false
    }
}

/// Asks a server for the uploads in parts that have not ended.
fn uploads(url: &str) -> String {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--aws-sigv4", &format!("aws:amz:{}:s3", S3::REGION)]);
    curl.args(["--user", &format!("{}:{}", S3::ACCESS_KEY, S3::SECRET_KEY), &format!("{url}/{BUCKET}?uploads=")]);
    let output = curl.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("ListMultipartUploadsResult"), "{text} {:?}", output.stderr);
    text
}

/// Starts a server with a bucket.
pub(crate) fn server() -> Option<S3> {
    let server = S3::start()?;
    server.create_bucket(BUCKET);
    Some(server)
}

pub(crate) fn settings(server: &S3, more: &str) -> String {
    let (url, access, secret) = (server.url(), S3::ACCESS_KEY, S3::SECRET_KEY);
    format!(
        "endpoint = \"{url}\"\nallow_http = true\nbucket = \"{BUCKET}\"\naccess_key = \"{access}\"\nsecret_key = \"{secret}\"\n{more}"
    )
}

pub(crate) fn open(backend: &str, settings: &str, folder: &Path) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    let backend = BACKENDS.iter().find(|known| known.name == backend).unwrap();
    (backend.open)(settings.parse().unwrap(), &Embedded::new(folder, "blobstore"))
}

/// Makes a test of each function for each backend; those of S3 are one test, so that they share a server.
macro_rules! for_every_backend {
    ($($case:ident),+ $(,)?) => {
        for_every_backend!(@ memory $($case),+);
        for_every_backend!(@ files $($case),+);
        #[tokio::test]
        async fn s3_does_the_same() {
            let Some(server) = crate::fixture::server() else { return };
            $(
                println!("{}", stringify!($case));
                $case(crate::fixture::Fixture::s3(&server, stringify!($case))).await;
            )+
        }
    };
    (@ $backend:ident $($case:ident),+) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(crate::fixture::Fixture::$backend()).await;
                }
            )+
        }
    };
}
pub(crate) use for_every_backend;

pub(crate) fn container(name: &str) -> ContainerName {
    if name.is_empty() { ContainerName::root() } else { ContainerName::new(name).unwrap() }
}

/// Returns an object of a container; that of the label has no name.
pub(crate) fn id(of: &str, name: &str) -> ObjectId {
    ObjectId { container: container(of), name: ObjectName::new(name).unwrap() }
}

/// Returns bytes that differ from place to place.
pub(crate) fn content(seed: usize, len: usize) -> Bytes {
    (0..len).map(|at| u8::try_from((at * 31 + at / 251 + seed * 7) % 256).unwrap()).collect()
}

pub(crate) async fn try_put(store: &dyn Store, id: &ObjectId, bytes: &Bytes) -> Result<(), Error> {
    let mut upload = store.write(id).await?;
    for start in (0..bytes.len()).step_by(PIECE) {
        upload.write(bytes.slice(start..bytes.len().min(start + PIECE))).await?;
    }
    upload.finish().await
}

pub(crate) async fn put(store: &dyn Store, id: &ObjectId, bytes: impl Into<Bytes>) {
    try_put(store, id, &bytes.into()).await.unwrap();
}

pub(crate) async fn drain(mut download: Box<dyn Download>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = download.read().await? {
        assert!(!piece.is_empty(), "an empty piece says nothing");
        bytes.extend_from_slice(&piece);
    }
    assert_eq!(bytes.len() as u64, download.size_bytes());
    Ok(bytes)
}

pub(crate) async fn try_get(store: &dyn Store, id: &ObjectId) -> Result<Vec<u8>, Error> {
    drain(store.read(id, ByteRange::ALL).await?).await
}

pub(crate) async fn get(store: &dyn Store, id: &ObjectId) -> Vec<u8> {
    try_get(store, id).await.unwrap()
}

pub(crate) async fn is_absent(store: &dyn Store, id: &ObjectId) -> bool {
    match try_get(store, id).await {
        Ok(_) => false,
        Err(Error::NoObject(name)) => {
            assert_eq!(name, id.name.as_str());
            true
        }
        Err(error) => panic!("{error:?}"),
    }
}

/// Returns the names in a container, each of which is listed once.
pub(crate) async fn names(store: &dyn Store, of: &str) -> BTreeSet<String> {
    let mut listing = store.list(&container(of)).await.unwrap();
    let mut names = BTreeSet::new();
    loop {
        let step = listing.names().await.unwrap();
        if step.is_empty() {
            return names;
        }
        for name in step {
            assert!(names.insert(name.as_str().to_owned()), "{name} is listed twice");
        }
    }
}

pub(crate) fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Waits until `holds` does.
pub(crate) async fn becomes(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let attempts = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(BOUND, attempts).await.is_ok(), "waited in vain for {what}");
}
