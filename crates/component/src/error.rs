//! Why a file could not be read as WebAssembly.

use crate::Lookalike;

/// Why [`inspect`](crate::inspect) could not read a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,

    /// The file is something else.
    #[error("not a WebAssembly binary: {0}")]
    NotWasm(Lookalike),

    /// A WebAssembly binary of a version that no tool of today writes.
    #[error(
        "WebAssembly binary of an unknown version (header {header:02x?}): built by a tool that is too old or too new"
    )]
    UnknownVersion {
        /// Bytes 4 to 8 of the file.
        header: [u8; 4],
    },

    /// The file ends in the middle of something.
    #[error(
        "the file is cut short: it ends at byte {size_bytes} while more was expected (at offset {offset:#x}); download or build it again"
    )]
    Truncated {
        /// Where the validator stood.
        offset: usize,
        /// The size of the file.
        size_bytes: usize,
    },

    /// The validator refused it.
    #[error("invalid WebAssembly at offset {offset:#x}: {message}")]
    Invalid {
        /// The validator's own words.
        message: String,
        /// Where in the file.
        offset: usize,
    },

    /// Nested deeper than any tool does; reading it would exhaust the stack.
    #[error("types or components are nested too deep (more than 100 levels, at offset {offset:#x})")]
    TooDeep {
        /// Where in the file.
        offset: usize,
    },

    /// A core module without a world, or an interface that WIT cannot say.
    #[error("its interface cannot be written as WIT: {reason}")]
    NoWit {
        /// Why not.
        reason: &'static str,
    },

    /// Valid under a proposal that no engine profile turns on.
    #[error(
        "uses the WebAssembly proposal `{proposal}`, which this host does not run (at offset {offset:#x}: {message})"
    )]
    Unsupported {
        /// The name of the proposal, as in `wasm-tools validate --features`.
        proposal: String,
        /// The validator's own words.
        message: String,
        /// Where in the file.
        offset: usize,
    },
}

/// Whose fault an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The wrong file was given, or it was damaged on the way.
    WrongFile,
    /// The tool that built it made something this host cannot take.
    Unusable,
}

impl Error {
    /// Says whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Empty | Error::NotWasm(_) | Error::Truncated { .. } => ErrorKind::WrongFile,
            Error::UnknownVersion { .. }
            | Error::TooDeep { .. }
            | Error::Invalid { .. }
            | Error::NoWit { .. }
            | Error::Unsupported { .. } => ErrorKind::Unusable,
        }
    }

    /// The same bytes give the same answer, always.
    pub fn is_retryable(&self) -> bool {
        false
    }
}
