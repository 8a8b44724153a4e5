//! The mark of an initialised component: a custom section that names the function that was run.
//!
//! In: bytes or a file. Out: the name. It tells a build that nothing is left to do, and one with another function that all is.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use wasm_encoder::{ComponentSection, CustomSection};

const SECTION: &str = "wharf:preinit";

/// The longest name of a function that is read.
const NAME_BYTES: u64 = 1024;

/// Marks a component, once: one that is marked already must not be marked again.
pub(crate) fn mark(component: &mut Vec<u8>, function: &str) {
    CustomSection { name: SECTION.into(), data: function.as_bytes().into() }.append_to_component(component);
}

/// Returns the function that a file's component was initialised with. None for what cannot be read: whoever needs it says so.
pub(crate) fn of_file(path: &Path) -> Option<String> {
    Some(find(&mut BufReader::new(File::open(path).ok()?)).ok()??.function)
}

/// Returns the function that a component was initialised with.
pub(crate) fn of(component: &[u8]) -> Option<String> {
    Some(find(&mut io::Cursor::new(component)).ok()??.function)
}

/// Takes the mark away.
pub(crate) fn remove(component: &mut Vec<u8>) {
    if let Ok(Some(mark)) = find(&mut io::Cursor::new(component.as_slice())) {
        component.drain(mark.place);
    }
}

/// A mark, and where it is.
struct Mark {
    function: String,
    place: Range<usize>,
}

/// Walks from section to section: none is read but the one that is looked for.
fn find(file: &mut (impl Read + Seek)) -> io::Result<Option<Mark>> {
    let mut place = 8;
    loop {
        file.seek(SeekFrom::Start(place))?;
        let mut id = [0];
        if file.read(&mut id)? == 0 {
            return Ok(None);
        }
        let (length, _) = number(file)?;
        let start = file.stream_position()?;
        if id == [0] {
            let mut name = vec![0; SECTION.len()];
            let (name_length, width) = number(file)?;
            if name_length == SECTION.len() as u64 && file.read_exact(&mut name).is_ok() && name == SECTION.as_bytes() {
                let mut function = Vec::new();
                let left = length.saturating_sub(name_length + width).min(NAME_BYTES);
                if file.take(left).read_to_end(&mut function)? as u64 != left {
                    return Ok(None);
                }
                let end = usize::try_from(start.saturating_add(length)).unwrap_or(usize::MAX);
                let place = usize::try_from(place).unwrap_or(usize::MAX)..end;
                return Ok(String::from_utf8(function).ok().map(|function| Mark { function, place }));
            }
        }
        place = start.saturating_add(length);
    }
}

/// Reads a number of the binary format, and how many bytes it took.
fn number(file: &mut impl Read) -> io::Result<(u64, u64)> {
    let mut value = 0;
    for at in 0..5 {
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        value |= u64::from(byte[0] & 0x7f) << (7 * at);
        if byte[0] & 0x80 == 0 {
            return Ok((value, at + 1));
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_marked_is_found_and_nothing_else() {
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        assert_eq!(of(&component), None);
        // Another custom section, and one with a long body.
        component.extend([0, 3, 1, b'x', 7]);
        component.extend([1, 0x80, 0x02].into_iter().chain(std::iter::repeat_n(0, 256)));
        mark(&mut component, "wizer-initialize");
        assert_eq!(of(&component).as_deref(), Some("wizer-initialize"));
        component.extend([0, 3, 1, b'y', 7]);
        assert_eq!(of(&component).as_deref(), Some("wizer-initialize"));
        remove(&mut component);
        assert_eq!((of(&component), component.len()), (None, 8 + 5 + 259 + 5));
        remove(&mut component);
        assert_eq!(component.len(), 8 + 5 + 259 + 5);
    }

    #[test]
    fn what_is_damaged_has_no_mark() {
        for bytes in [
            &b""[..],
            b"\0asm",
            b"\0asm\x0d\0\x01\0\0",
            b"\0asm\x0d\0\x01\0\0\xff\xff\xff\xff\xff\xff",
            b"\0asm\x0d\0\x01\0\0\x20\x0d",
        ] {
            assert_eq!(of(bytes), None, "{bytes:?}");
        }
    }
}
