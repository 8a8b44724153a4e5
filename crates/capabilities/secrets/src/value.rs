//! The value of a secret, which shows itself to nobody who does not ask.

use std::fmt;
use std::sync::Arc;
use wharf_kit::Payload;
use zeroize::{Zeroize, Zeroizing};

/// The value of a secret. Clones share it; the last one wipes it from memory.
#[derive(Clone)]
pub struct Value(Arc<Inner>);

/// The engine copies from these into a guest's memory, without a copy in between.
enum Inner {
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
}

/// A value, on its way to somebody who may see it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Revealed<'a> {
    /// It is text.
    Text(&'a Arc<str>),
    /// It is not.
    Bytes(&'a Arc<[u8]>),
}

impl Value {
    /// Returns the value that a text is.
    pub fn text(text: Zeroizing<String>) -> Self {
        Self(Arc::new(Inner::Text(text.as_str().into())))
    }

    /// Returns the value that bytes are; text, if they are text.
    pub fn bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(Arc::new(match str::from_utf8(&bytes) {
            Ok(text) => Inner::Text(text.into()),
            Err(_) => Inner::Bytes(bytes.as_slice().into()),
        }))
    }

    /// Shows it. Whoever keeps a clone of what is shown keeps it from being wiped.
    pub fn reveal(&self) -> Revealed<'_> {
        match &*self.0 {
            Inner::Text(text) => Revealed::Text(text),
            Inner::Bytes(bytes) => Revealed::Bytes(bytes),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Absent only while a clone of what was revealed is alive.
        match self {
            Self::Text(text) => Arc::get_mut(text).map(Zeroize::zeroize),
            Self::Bytes(bytes) => Arc::get_mut(bytes).map(Zeroize::zeroize),
        };
    }
}

impl Revealed<'_> {
    /// Returns the bytes, of a text too.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for Revealed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Payload for Value {
    fn size_bytes(&self) -> usize {
        self.reveal().as_bytes().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_not_printed() {
        for value in [Value::text("hunter2".to_owned().into()), Value::bytes(vec![0xff, b'h'].into())] {
            assert_eq!(format!("{value:?} {:?} {:#?}", value.reveal(), [&value]), "… … [\n    …,\n]");
        }
    }

    #[test]
    fn bytes_that_are_text_are_text() {
        assert!(matches!(Value::bytes(b"ab".to_vec().into()).reveal(), Revealed::Text(text) if &**text == "ab"));
        assert!(matches!(Value::bytes(vec![0xff].into()).reveal(), Revealed::Bytes(bytes) if **bytes == [0xff]));
    }
}
