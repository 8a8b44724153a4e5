//! Why something could not be fetched: what, from where, and what to do.

use std::path::PathBuf;

use crate::Digest;

/// Why something could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The reference says nothing that could be asked for.
    #[error("`{text}` is no reference: {reason}")]
    Reference {
        /// What was written.
        text: String,
        /// Why not.
        reason: &'static str,
    },
    /// The server does not have it.
    #[error("{place} does not exist")]
    NotFound {
        /// What was asked for.
        place: String,
    },
    /// The server does not let us have it.
    #[error("{host} refuses to give {place}: {why}")]
    Denied {
        /// The server.
        host: String,
        /// What was asked for.
        place: String,
        /// Whether credentials were there, and whether they were taken.
        why: &'static str,
    },
    /// The bytes are others than those that were asked for.
    #[error("{place} has other bytes than expected: expected {expected}, found {found}")]
    Digest {
        /// Where they came from.
        place: String,
        /// What was asked for.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// There is no way to the server.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// The server.
        host: String,
        /// Why not.
        reason: String,
    },
    /// The server's certificate is not trusted, or it does not speak TLS.
    #[error("cannot talk to {host} securely: {reason}")]
    Tls {
        /// The server.
        host: String,
        /// Why not.
        reason: String,
    },
    /// It is larger than anything that is loaded.
    #[error("{place} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// Where it comes from.
        place: String,
        /// The limit.
        limit_bytes: usize,
    },
    /// It is something else.
    #[error("{place} is no WebAssembly artifact: {reason}")]
    NotWasm {
        /// Where it comes from.
        place: String,
        /// What it is.
        reason: String,
    },
    /// The server answers what no registry answers.
    #[error("{host} answered {place} in a way that cannot be used: {reason}")]
    Answer {
        /// The server.
        host: String,
        /// What was asked for.
        place: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The credentials cannot be used.
    #[error("cannot use the credentials for {host}: {reason}")]
    Credentials {
        /// The server that they are for.
        host: String,
        /// Why not.
        reason: String,
    },
    /// The cache cannot be used.
    #[error("cannot use the cache at {}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Whose fault an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was written is wrong.
    User,
    /// The server, or the way to it.
    Server,
    /// This machine.
    Machine,
}

impl Error {
    /// Says whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Reference { .. } | Self::NotFound { .. } | Self::Denied { .. } | Self::NotWasm { .. } => {
                ErrorKind::User
            }
            Self::Cache { .. } | Self::Credentials { .. } => ErrorKind::Machine,
            _ => ErrorKind::Server,
        }
    }

    /// Says whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Returns the code that `wharf explain` knows.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Reference { .. } => "WHARF-0210",
            Self::NotFound { .. } => "WHARF-0211",
            Self::Denied { .. } | Self::Credentials { .. } => "WHARF-0212",
            Self::Digest { .. } => "WHARF-0213",
            Self::Unreachable { .. } | Self::Tls { .. } | Self::Answer { .. } => "WHARF-0214",
            Self::TooLarge { .. } | Self::NotWasm { .. } => "WHARF-0215",
            Self::Cache { .. } => "WHARF-0216",
        }
    }

    /// Returns what to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Reference { .. } => "write `registry.example.com/name:version`, or a URL with its digest",
            Self::NotFound { .. } => "check name and version; a registry may also say this of what it hides from you",
            Self::Denied { .. } => "log in with `docker login HOST` or `podman login HOST`: their credentials are used",
            Self::Digest { .. } => {
                "if the new bytes are the right ones, write their digest; if not, somebody changed what was published"
            }
            Self::Unreachable { .. } => {
                "check the name and the network; what is named by a digest is taken from the cache"
            }
            Self::Tls { .. } => {
                "for a private authority, put its certificate where the system trusts it, or into the file that SSL_CERT_FILE names"
            }
            Self::TooLarge { .. } => "a component of this size would not start: leave out debug information and data",
            Self::NotWasm { .. } => "push the component as a WebAssembly artifact: one layer of type application/wasm",
            Self::Answer { .. } => "check that the address is that of a registry",
            Self::Credentials { .. } => "log in again, or mend the file or the helper that is named",
            Self::Cache { .. } => "make room and permissions for it, or remove it: it is filled again",
        }
    }
}
