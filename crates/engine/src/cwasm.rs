//! Compiled components on disk, so that a second start compiles nothing. Holds the project's `unsafe` blocks.
//!
//! In: the digest of a component. Out: compiled code that this cache wrote and nobody changed, or nothing. Next: [`crate::Compiler`].
//!
//! Invariant: compiled code is loaded only if its MAC, under a key that never leaves this folder, fits. Loading code that somebody else
//! made would be running it.

use rustix::mm::{Advice, madvise};
use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use wasmtime::Module;
use wasmtime::component::Component;
use wharf_telemetry::clock;

/// Bytes of the MAC that stands beside each entry.
const MAC_BYTES: usize = 32;

/// The folder of compiled components of one state folder.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    key: [u8; 32],
    limit_bytes: u64,
    /// What the entries took when they were last looked at, and what was written since; absent before the first look.
    used_bytes: Mutex<Option<u64>>,
}

/// What an entry is.
#[derive(Clone, Copy)]
enum Kind {
    Component,
    Module,
}

enum Loaded {
    Component(Component),
    Module(Module),
}

/// A cache that cannot be used. Serving goes on without it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[error("cannot use the cache of compiled components at {}", path.display())]
pub struct CacheError {
    path: PathBuf,
    source: std::io::Error,
}

impl Cache {
    /// Opens the cache in `folder`, making it if it is not there. Entries together stay under `limit_bytes`; what other processes add is
    /// noticed when this one has written that much itself.
    ///
    /// # Errors
    /// When the folder or its key cannot be made or read.
    pub fn open(folder: &Path, limit_bytes: u64) -> Result<Self, CacheError> {
        let failed = |source| CacheError { path: folder.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let key = read_or_make_key(&folder.join("key")).map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), key, limit_bytes, used_bytes: Mutex::default() })
    }

    /// Tells whether there is an entry of `digest` for `engine`; whether it is sound is found out when it is loaded.
    pub(crate) fn has(&self, engine: &wasmtime::Engine, digest: &str) -> bool {
        self.entry(engine, digest).is_file()
    }

    /// Loads the component of `digest` for `engine`, if there is one that this cache wrote and nobody changed.
    pub(crate) fn component(&self, engine: &wasmtime::Engine, digest: &str) -> Option<Component> {
        match self.load(engine, digest, Kind::Component)? {
            Loaded::Component(component) => Some(component),
            Loaded::Module(_) => None,
        }
    }

    /// The same for a core module.
    pub(crate) fn module(&self, engine: &wasmtime::Engine, digest: &str) -> Option<Module> {
        match self.load(engine, digest, Kind::Module)? {
            Loaded::Module(module) => Some(module),
            Loaded::Component(_) => None,
        }
    }

    fn load(&self, engine: &wasmtime::Engine, digest: &str, kind: Kind) -> Option<Loaded> {
        let path = self.entry(engine, digest);
        let mut file = File::open(&path).ok()?;
        if self.mac(&path, &mut file).ok()? != read_mac(&path)? {
            tracing::warn!("a damaged entry of the cache of compiled components is recompiled: {}", path.display());
            self.remove(&path);
            return None;
        }
        // Through the open file, so that what was verified is what is mapped.
        let verified = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        // SAFETY: the bytes were produced by `serialize` of a component or a module of this program and are unchanged since: their MAC
        // under a key that is readable by this user alone fits. Whoever could change the file between the check and the mapping is this
        // user. One taken for the other is an error: the kind is part of what is written.
        #[expect(unsafe_code, reason = "the only way to load compiled code; see SAFETY")]
        let loaded = unsafe {
            match kind {
                Kind::Component => Component::deserialize_file(engine, verified).map(Loaded::Component),
                Kind::Module => Module::deserialize_file(engine, verified).map(Loaded::Module),
            }
        };
        match loaded {
            Ok(loaded) => {
                leave_on_disk(&loaded);
                // The time of last use orders eviction. A read-only folder just makes it a queue.
                let _ = file.set_modified(clock::wall());
                Some(loaded)
            }
            Err(error) => {
                tracing::debug!("an entry of the cache of compiled components does not fit this engine: {error}");
                self.remove(&path);
                None
            }
        }
    }

    /// Keeps compiled code, as `serialize` returned it. A failure costs the next start a compilation and is logged only.
    pub(crate) fn store(&self, engine: &wasmtime::Engine, digest: &str, serialized: wasmtime::Result<Vec<u8>>) {
        let path = self.entry(engine, digest);
        let kept = serialized.map_err(std::io::Error::other).and_then(|bytes| {
            self.write(&path, &bytes)?;
            Ok(bytes.len() as u64)
        });
        match kept {
            Ok(bytes) => self.grown(bytes, &path),
            Err(error) => tracing::warn!("cannot keep compiled code at {}: {error}", path.display()),
        }
    }

    /// Looks at all entries only when they may be too many: with thousands of them that takes longer than to write one.
    fn grown(&self, bytes: u64, newest: &Path) {
        let mut used_bytes = self.used_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        *used_bytes = match *used_bytes {
            Some(used) if used.saturating_add(bytes) <= self.limit_bytes => Some(used + bytes),
            _ => self.evict(newest),
        };
    }

    fn entry(&self, engine: &wasmtime::Engine, digest: &str) -> PathBuf {
        let mut hasher = StableHasher(blake3::Hasher::new());
        std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
        hasher.write(digest.as_bytes());
        self.folder.join(format!("{}.cwasm", &hasher.0.finalize().to_hex()[..40]))
    }

    fn mac(&self, path: &Path, file: &mut File) -> std::io::Result<[u8; MAC_BYTES]> {
        let mut hasher = self.hasher(path);
        let mut buffer = vec![0; 256 << 10];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.finalize().into()),
                n => hasher.update(&buffer[..n]),
            };
        }
    }

    /// The name is part of what is authenticated: an entry cannot be passed off as another.
    fn hasher(&self, path: &Path) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        hasher
    }

    /// Writes the code, then its MAC, each by renaming a complete file: a crash leaves an entry without a MAC, which is not loaded.
    fn write(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let mac = self.hasher(path).update(bytes).finalize();
        self.write_whole(path, bytes)?;
        self.write_whole(&mac_path(path), mac.as_bytes())
    }

    fn write_whole(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
        let mut file = private(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    }

    /// Removes the entries that were used longest ago until the rest fits, never the one just written. Returns what is left.
    fn evict(&self, newest: &Path) -> Option<u64> {
        let entries = fs::read_dir(&self.folder).ok()?;
        let mut entries: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let data = entry.metadata().ok()?;
                let compiled = entry.path().extension().is_some_and(|extension| extension == "cwasm");
                compiled.then(|| (data.modified().unwrap_or(SystemTime::UNIX_EPOCH), data.len(), entry.path()))
            })
            .collect();
        let mut total: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
        entries.sort();
        for (_, bytes, path) in entries {
            if total <= self.limit_bytes {
                break;
            }
            if path != newest {
                self.remove(&path);
                total -= bytes;
            }
        }
        Some(total)
    }

    fn remove(&self, path: &Path) {
        let _ = fs::remove_file(mac_path(path));
        let _ = fs::remove_file(path);
    }
}

/// Gives back the memory into which the kernel read the code while it was loaded: most of the file, of which loading needs little. What a
/// guest runs is mapped again when it does, a few microseconds for each 64 KiB, as long as the file is in the page cache.
fn leave_on_disk(loaded: &Loaded) {
    let range = match loaded {
        Loaded::Component(component) => component.image_range(),
        Loaded::Module(module) => module.image_range(),
    };
    let len = range.end.addr() - range.start.addr();
    // SAFETY: the range is the engine's mapping of the file, private and never written to: the engine wants code without relocations and
    // makes the mapping read-only before it returns it. So each page is read from the file again as it was.
    #[expect(unsafe_code, reason = "advice on memory; see SAFETY")]
    let advised = unsafe { madvise(range.start.cast_mut().cast(), len, Advice::LinuxDontNeed) };
    if let Err(error) = advised {
        tracing::debug!("compiled code stays in memory: {error}");
    }
}

fn mac_path(path: &Path) -> PathBuf {
    path.with_extension("mac")
}

fn read_mac(path: &Path) -> Option<[u8; MAC_BYTES]> {
    fs::read(mac_path(path)).ok()?.try_into().ok()
}

fn private(path: &Path) -> std::io::Result<File> {
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn read_or_make_key(path: &Path) -> std::io::Result<[u8; 32]> {
    if let Some(key) = fs::read(path).ok().and_then(|bytes| bytes.try_into().ok()) {
        return Ok(key);
    }
    let mut key = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = private(&unfinished)?;
    file.write_all(&key)?;
    file.sync_all()?;
    // A link, unlike a renaming, fails if another process was first: then its key is the one.
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let kept: Result<[u8; 32], _> = fs::read(path)?.try_into();
    kept.map_err(|_| std::io::ErrorKind::InvalidData.into())
}

/// A hasher whose result does not change between runs, as the standard library's may.
struct StableHasher(blake3::Hasher);

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(first)
    }
}

#[cfg(test)]
mod tests;
