//! The one way in: a reference to bytes, from the cache or from the network.
//!
//! In: a [`Reference`]. Out: [`Fetched`]. Next: whoever asked.

use std::path::PathBuf;

use reqwest::StatusCode;

use crate::cache::Cache;
use crate::http::{Ask, Http};
use crate::manifest::{self, Next};
use crate::pull::Puller;
use crate::{Credentials, Digest, Error, Home, Name, well_known};

/// Bytes of one component: those with an interpreter have 20 MB, with all their modules 100.
const BYTES_MAX: usize = 512 << 20;

/// Manifests that lead to each other: an index and what it names.
const MANIFESTS_MAX: usize = 3;

/// Fetches and keeps. Holds no connection to anything until it is asked.
#[derive(Debug)]
pub struct Fetcher {
    cache: Cache,
    puller: Puller,
    is_offline: bool,
}

/// What to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A file.
    Url {
        /// `https://…`; `http://…` too, since the digest says what must come.
        url: String,
        /// The digest of the file.
        digest: Digest,
    },
    /// An artifact of a registry.
    Registry {
        /// `ghcr.io/acme/auth`, with or without tag or digest.
        reference: String,
        /// The version, which is the tag.
        version: Option<String>,
        /// The digest of the manifest, or of the component itself.
        digest: Option<Digest>,
    },
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The bytes of a component, a module, or a WIT package.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
    /// Where they came from.
    pub origin: Origin,
}

/// Where bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From the server.
    Network,
    /// From the cache.
    Cache,
    /// From the cache by a tag that could not be looked up: it may have moved since.
    Stale,
}

impl Fetcher {
    /// Keeps what it fetches in that folder; nothing without one.
    pub fn new(cache: Option<PathBuf>) -> Result<Self, Error> {
        let puller = Puller::new(Http::new()?, Credentials::default());
        Ok(Self { cache: Cache::new(cache), puller, is_offline: false })
    }

    /// Logs in to registries that ask for it.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.puller = Puller::new(self.puller.http().clone(), credentials);
        self
    }

    /// Takes everything from the cache.
    #[must_use]
    pub fn offline(mut self, is_offline: bool) -> Self {
        self.is_offline = is_offline;
        self
    }

    /// Returns bytes that were fetched before.
    pub fn cached(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.cache.get(digest)
    }

    /// Returns the file that keeps the bytes of a digest, whether it is there or not. None when nothing is kept.
    pub fn path(&self, digest: &Digest) -> Option<PathBuf> {
        self.cache.path(digest)
    }

    /// Fetches. Waits for at most some minutes; dropping the future is safe.
    pub async fn fetch(&self, reference: &Reference) -> Result<Fetched, Error> {
        match reference {
            Reference::Url { url, digest } => self.file(url, digest).await,
            Reference::Registry { reference, version, digest } => {
                let mut name = Name::parse(reference)?;
                if let Some(version) = version {
                    name = name.with_tag(version)?;
                }
                if digest.is_some() {
                    name.digest = *digest;
                }
                self.artifact(&name).await
            }
        }
    }

    /// Does what [`Fetcher::fetch`] does on a thread of its own, and waits for it.
    pub fn fetch_blocking(&self, reference: &Reference) -> Result<Fetched, Error> {
        blocking(self.fetch(reference))
    }

    /// Returns the versions that a registry has of something, as they are written there.
    pub fn versions_blocking(&self, reference: &str) -> Result<Vec<String>, Error> {
        blocking(async {
            let name = Name::parse(reference)?;
            self.online(&name.host)?;
            self.puller.tags(&name).await
        })
    }

    /// Asks a domain where its packages are.
    pub fn home_blocking(&self, domain: &str) -> Result<Home, Error> {
        blocking(async {
            self.online(domain)?;
            well_known::home(self.puller.http(), domain).await
        })
    }

    fn online(&self, host: &str) -> Result<(), Error> {
        if self.is_offline {
            return Err(Error::Unreachable { host: host.to_owned(), reason: "no network is to be used".to_owned() });
        }
        Ok(())
    }

    async fn file(&self, url: &str, digest: &Digest) -> Result<Fetched, Error> {
        let fail = |reason| Error::Reference { text: url.chars().take(1024).collect(), reason };
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(fail("a URL begins with https:// or http://"));
        }
        let parsed = reqwest::Url::parse(url).map_err(|_| fail("it is no URL"))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(Error::Reference {
                text: parsed.host_str().unwrap_or_default().to_owned(),
                reason: "a URL with a password would be shown in logs",
            });
        }
        if let Some(bytes) = self.cache.get(digest) {
            return Ok(Fetched { bytes, digest: *digest, origin: Origin::Cache });
        }
        let host = parsed.host_str().unwrap_or_default().to_owned();
        self.online(&host)?;
        let answer = self.puller.http().ask(&Ask::get(url, url, BYTES_MAX)).await?;
        match answer.status {
            status if status.is_success() => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(Error::NotFound { place: url.to_owned() }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(Error::Denied { host, place: url.to_owned(), why: "it is not for everybody" });
            }
            status if status.is_server_error() => {
                return Err(Error::Unreachable { host, reason: format!("it answered {status}") });
            }
            status => return Err(Error::Answer { host, place: url.to_owned(), reason: format!("status {status}") }),
        }
        self.keep(url, digest, answer.body)
    }

    async fn artifact(&self, name: &Name) -> Result<Fetched, Error> {
        // Who wrote the digest of the component itself means it as well.
        if let Some(digest) = &name.digest
            && let Some(bytes) = self.cache.get(digest).filter(|bytes| is_wasm(bytes))
        {
            return Ok(Fetched { bytes, digest: *digest, origin: Origin::Cache });
        }
        let (mut body, mut origin) = match self.first_manifest(name).await {
            Err(Error::NotFound { place }) => {
                return self.named_by_layer(name).await.ok_or(Error::NotFound { place });
            }
            found => found?,
        };
        for _ in 0..MANIFESTS_MAX {
            let next = manifest::next(&body);
            match next.map_err(|reason| Error::NotWasm { place: name.to_string(), reason })? {
                Next::Layer(digest, _) => return self.layer(name, &digest, origin).await,
                Next::Manifest(digest) => (body, origin) = self.manifest(name, &digest, origin).await?,
            }
        }
        let reason = "its index leads to an index, and that to another one".to_owned();
        Err(Error::NotWasm { place: name.to_string(), reason })
    }

    async fn first_manifest(&self, name: &Name) -> Result<(Vec<u8>, Origin), Error> {
        if let Some(digest) = &name.digest {
            return self.manifest(name, digest, Origin::Cache).await;
        }
        let asked = if self.is_offline {
            self.online(&name.host).map(|()| Vec::new())
        } else {
            self.puller.manifest(name, &name.asked()).await
        };
        match asked {
            Ok(body) => {
                let digest = Digest::of(&body);
                self.cache.put(&digest, &body)?;
                self.cache.put_note(&name.to_string(), &digest)?;
                Ok((body, Origin::Network))
            }
            // A tag that cannot be looked up is what it was.
            Err(error) if error.is_retryable() => {
                let noted = self.cache.noted(&name.to_string()).and_then(|digest| self.cache.get(&digest));
                noted.map(|body| (body, Origin::Stale)).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Fetches by the digest of the component itself, where the registry has no manifest of that digest.
    async fn named_by_layer(&self, name: &Name) -> Option<Fetched> {
        let digest = name.digest?;
        let bytes = self.puller.blob(name, &digest.to_string(), BYTES_MAX).await.ok()?;
        let fetched = self.keep(&name.to_string(), &digest, bytes).ok()?;
        is_wasm(&fetched.bytes).then_some(fetched)
    }

    async fn manifest(&self, name: &Name, digest: &Digest, origin: Origin) -> Result<(Vec<u8>, Origin), Error> {
        if let Some(body) = self.cache.get(digest) {
            return Ok((body, origin));
        }
        self.online(&name.host)?;
        let body = self.puller.manifest(name, &digest.to_string()).await?;
        let fetched = self.keep(&name.to_string(), digest, body)?;
        Ok((fetched.bytes, Origin::Network))
    }

    async fn layer(&self, name: &Name, digest: &Digest, origin: Origin) -> Result<Fetched, Error> {
        if let Some(bytes) = self.cache.get(digest) {
            // The manifest says where it came from; the bytes themselves cannot be old.
            let origin = if origin == Origin::Network { Origin::Cache } else { origin };
            return wasm(name, Fetched { bytes, digest: *digest, origin });
        }
        self.online(&name.host)?;
        let bytes = self.puller.blob(name, &digest.to_string(), BYTES_MAX).await?;
        wasm(name, self.keep(&name.to_string(), digest, bytes)?)
    }

    /// Checks what came, and keeps it.
    fn keep(&self, place: &str, expected: &Digest, bytes: Vec<u8>) -> Result<Fetched, Error> {
        let found = Digest::of(&bytes);
        if found != *expected {
            return Err(Error::Digest { place: place.to_owned(), expected: *expected, found });
        }
        self.cache.put(expected, &bytes)?;
        Ok(Fetched { bytes, digest: *expected, origin: Origin::Network })
    }
}

fn is_wasm(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm")
}

fn wasm(name: &Name, fetched: Fetched) -> Result<Fetched, Error> {
    if is_wasm(&fetched.bytes) {
        return Ok(fetched);
    }
    Err(Error::NotWasm { place: name.to_string(), reason: "its layer does not begin as WebAssembly does".to_owned() })
}

/// Runs a future to its end on a thread of its own: the caller may be inside of an event loop, which must not run another.
fn blocking<T: Send>(work: impl Future<Output = Result<T, Error>> + Send) -> Result<T, Error> {
    let fail = |reason: String| Error::Unreachable { host: "any server".to_owned(), reason };
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(|error| fail(format!("cannot start an event loop: {error}")))?.block_on(work)
        });
        thread.join().unwrap_or_else(|_| Err(fail("the request was given up".to_owned())))
    })
}
