//! An object's file: its bytes, and behind them the name where it is too long for a file. Blocks.

use super::{Failed, blocking, name};
use crate::api::{ByteRange, Download, Error, ObjectInfo, ObjectName};
use async_trait::async_trait;
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::SystemTime;

/// What is read at once: enough that changing threads costs little of it, and not more than a guest takes at once.
const PIECE_BYTES: usize = 64 * 1024;

/// The length of a name, in the last bytes of a file.
const LEN_BYTES: u64 = 2;

/// The file of an object.
#[derive(Debug)]
pub(super) struct Entry {
    file: File,
    size_bytes: u64,
    created: SystemTime,
    /// Absent where the file name says it.
    name: Option<ObjectName>,
}

/// Tells whether the name of the object at this path is in the file.
pub(super) fn has_trailer(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(name::is_hashed)
}

/// Returns what belongs behind the bytes of an object at this path.
pub(super) fn trailer(path: &Path, name: &ObjectName) -> Option<Vec<u8>> {
    let len = u16::try_from(name.as_str().len()).ok()?;
    has_trailer(path).then(|| [name.as_str().as_bytes(), &len.to_le_bytes()].concat())
}

impl Entry {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let mut entry = Self { file, size_bytes: metadata.len(), created: metadata.modified()?, name: None };
        if has_trailer(path) {
            let name = entry.trailing_name()?;
            let file_name = path.file_name().and_then(|name| name.to_str());
            if file_name != Some(name::encode(name.as_str()).as_str()) {
                return Err(damaged());
            }
            entry.size_bytes -= name.as_str().len() as u64 + LEN_BYTES;
            entry.name = Some(name);
        }
        Ok(entry)
    }

    fn trailing_name(&self) -> io::Result<ObjectName> {
        let end = self.size_bytes.checked_sub(LEN_BYTES).ok_or_else(damaged)?;
        let mut len = [0; LEN_BYTES as usize];
        self.file.read_exact_at(&mut len, end)?;
        let len = u16::from_le_bytes(len);
        let mut name = vec![0; usize::from(len)];
        self.file.read_exact_at(&mut name, end.checked_sub(u64::from(len)).ok_or_else(damaged)?)?;
        String::from_utf8(name).ok().and_then(|name| ObjectName::new(&name).ok()).ok_or_else(damaged)
    }

    /// Returns the name, where the file has it.
    pub(super) fn into_name(self) -> Option<ObjectName> {
        self.name
    }

    pub(super) fn info(&self) -> ObjectInfo {
        ObjectInfo { size_bytes: self.size_bytes, created: self.created }
    }

    /// Copies the object's bytes to the end of another file.
    pub(super) fn copy_to(self, to: &mut File) -> io::Result<()> {
        let mut from = self.file.take(self.size_bytes);
        if io::copy(&mut from, to)? == self.size_bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Opens a part. Its first piece is read at once, so that a small object costs one change of threads.
    pub(super) fn part(self, range: ByteRange) -> io::Result<Part> {
        let rest = range.within(self.size_bytes);
        let mut part = Part { size_bytes: rest.end - rest.start, state: None, first: Bytes::new() };
        let mut reading = Reading { file: self.file, rest };
        part.first = reading.piece()?;
        part.state = Some(reading);
        Ok(part)
    }
}

/// A part of an object that is being read.
pub(super) struct Part {
    size_bytes: u64,
    first: Bytes,
    /// Absent while a thread has it, and after an error.
    state: Option<Reading>,
}

struct Reading {
    file: File,
    rest: Range<u64>,
}

impl Reading {
    fn piece(&mut self) -> io::Result<Bytes> {
        let len = self.rest.end - self.rest.start;
        let mut piece = vec![0; usize::try_from(len).map_or(PIECE_BYTES, |len| len.min(PIECE_BYTES))];
        self.file.read_exact_at(&mut piece, self.rest.start)?;
        self.rest.start += piece.len() as u64;
        Ok(piece.into())
    }
}

#[async_trait]
impl Download for Part {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        if !self.first.is_empty() {
            return Ok(Some(std::mem::take(&mut self.first)));
        }
        let mut reading = self.state.take().ok_or(Error::Broken)?;
        if reading.rest.is_empty() {
            self.state = Some(reading);
            return Ok(None);
        }
        let read = move || {
            let piece = reading.piece().map_err(Failed::from)?;
            Ok((reading, piece))
        };
        let (reading, piece) = blocking("read an object", read).await?;
        self.state = Some(reading);
        Ok(Some(piece))
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the name at the end of the file is damaged")
}
