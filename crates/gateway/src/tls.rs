//! Stop 2: certificate and key → what a TLS handshake needs; HTTP/2 or HTTP/1.1 is agreed on in it (ALPN).
//!
//! In: two PEM files. Out: a [`rustls::ServerConfig`]. Next: [`crate::connection`].

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// TLS files that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("cannot read {what} from {}", path.display())]
    Pem {
        /// `a certificate` or `a private key`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// The certificate file is PEM without a certificate.
    #[error("{} has no certificate in it", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key do not go together, or are of a kind that is not supported.
    #[error("cannot use this certificate with this key")]
    Config(#[from] rustls::Error),
}

/// Reads a certificate chain and its key.
///
/// # Errors
/// When a file cannot be read, or the two do not go together.
pub fn load(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let pem = |what, path: &Path, source| TlsError::Pem { what, path: path.to_owned(), source };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|source| pem("a certificate", certificate, source))?;
    if chain.is_empty() {
        return Err(TlsError::Empty { path: certificate.to_owned() });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|source| pem("a private key", key, source))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
