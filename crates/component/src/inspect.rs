//! The one way in: bytes to facts.
//!
//! In: the bytes of a file. Out: [`Facts`]. Next: `check`, `verdict`, `report` read the facts; nothing reads the bytes again.

use crate::{Error, Facts, Lookalike, decode, entry, features, guess, nesting, scan};

/// The magic that every WebAssembly binary starts with.
const MAGIC: &[u8] = b"\0asm";

/// Reads a WebAssembly file and returns everything that is known about it.
///
/// Validates the whole file, function bodies included, so what it returns facts for is well-formed. Takes time in proportion to
/// the size (60 ms for a module of 10 MB in a release build): call it off the request path. Never panics, whatever the bytes.
pub fn inspect(bytes: &[u8]) -> Result<Facts, Error> {
    check_header(bytes)?;
    nesting::check(bytes)?;
    let (types, proposals) = features::validate(bytes)?;
    let (mut facts, is_heavy) = scan::scan(bytes, types.as_ref())?;
    facts.proposals = proposals;
    if !is_heavy {
        decode::add_wit(&mut facts, bytes);
    }
    facts.world = facts.world.take().or_else(|| guess::world(&facts));
    facts.entries = entry::entries(&facts);
    Ok(facts)
}

pub(crate) fn check_header(bytes: &[u8]) -> Result<(), Error> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    if !bytes.starts_with(MAGIC) {
        return Err(match MAGIC.starts_with(bytes) {
            true => Error::Truncated { offset: bytes.len(), size_bytes: bytes.len() },
            false => Error::NotWasm(Lookalike::of(bytes)),
        });
    }
    match bytes.get(4..8) {
        // A core module, and the component format of all tools since 2023.
        Some([1, 0, 0, 0] | [0x0d, 0, 1, 0]) => Ok(()),
        Some(header) => Err(Error::UnknownVersion { header: header.try_into().unwrap_or_default() }),
        None => Err(Error::Truncated { offset: bytes.len(), size_bytes: bytes.len() }),
    }
}
