//! Whom to trust and who we are, for each server: the platform's certificates, more of them, and client certificates.
//!
//! In: the operator's files. Out: [`Trust`], which is read for each new connection. Next: [`crate::connect`].

use crate::{Error, Target};
use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::Verifier;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use wharf_app::HttpPattern;

/// What an operator says about the TLS of some servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// The servers. The first entry that fits a server decides.
    pub servers: HttpPattern,
    /// Authorities that are trusted too.
    pub authorities: Option<Pem>,
    /// Whether those of the platform are trusted.
    pub platform: bool,
    /// The certificate that we show, and its key.
    pub identity: Option<(Pem, Pem)>,
}

/// Where certificates or a key are written.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// In this file.
    File(PathBuf),
    /// Here. Never shown: it may be a private key.
    Text(Arc<str>),
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Text(_) => f.write_str("the text that is given"),
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// TLS files that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file, or a text, cannot be read as PEM.
    #[error("cannot read {what} from {place}")]
    Pem {
        /// `certificates` or `a private key`.
        what: &'static str,
        /// The file, or that it is a text.
        place: String,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// What is trusted, or the certificate and its key, cannot be used.
    #[error("cannot use the TLS settings of {servers}")]
    Config {
        /// The servers of the entry.
        servers: String,
        /// Why.
        source: rustls::Error,
    },
}

/// The TLS settings of all servers. One for a process: sessions are resumed and certificates are loaded once.
pub struct Trust {
    crypto: Arc<CryptoProvider>,
    servers: Vec<(HttpPattern, Arc<ClientConfig>)>,
    every: OnceLock<Result<Arc<ClientConfig>, Arc<rustls::Error>>>,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            crypto: Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
            servers: Vec::new(),
            every: OnceLock::new(),
        }
    }
}

impl Trust {
    /// Reads the operator's files. Blocks on them.
    ///
    /// # Errors
    /// When a file cannot be read, or what is in it cannot be used.
    pub fn load(servers: &[ServerTls]) -> Result<Self, TlsError> {
        let mut trust = Self::default();
        for entry in servers {
            let config = trust.server(entry)?;
            trust.servers.push((entry.servers.clone(), Arc::new(config)));
        }
        Ok(trust)
    }

    /// Loads the platform's certificates, some milliseconds of reading files, if nobody did. A platform that has none is no error until
    /// a component needs them.
    pub(crate) fn warm(&self) {
        let _ = self.every();
    }

    /// Returns the settings for a server.
    pub(crate) fn config(&self, target: &Target) -> Result<Arc<ClientConfig>, Error> {
        let fits = |(servers, _): &&(HttpPattern, _)| servers.matches(target.https, &target.host, Some(target.port));
        match self.servers.iter().find(fits) {
            Some((_, config)) => Ok(Arc::clone(config)),
            None => self.every(),
        }
    }

    fn every(&self) -> Result<Arc<ClientConfig>, Error> {
        let make = || {
            let verifier = Verifier::new(Arc::clone(&self.crypto))?;
            self.complete(Arc::new(verifier), None).map(Arc::new).map_err(Arc::new)
        };
        self.every.get_or_init(make).clone().map_err(Error::Trust)
    }

    fn server(&self, entry: &ServerTls) -> Result<ClientConfig, TlsError> {
        let wrong = |source| TlsError::Config { servers: entry.servers.to_string(), source };
        let authorities = entry.authorities.as_ref().map(certificates).transpose()?.unwrap_or_default();
        let identity = match &entry.identity {
            Some((chain, key)) => Some((certificates(chain)?, private_key(key)?)),
            None => None,
        };
        let verifier = self.verifier(authorities, entry.platform).map_err(wrong)?;
        self.complete(verifier, identity).map_err(wrong)
    }

    fn verifier(
        &self,
        authorities: Vec<CertificateDer<'static>>,
        platform: bool,
    ) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
        let crypto = Arc::clone(&self.crypto);
        if platform {
            return Ok(Arc::new(Verifier::new_with_extra_roots(authorities, crypto)?));
        }
        let mut roots = rustls::RootCertStore::empty();
        authorities.into_iter().try_for_each(|authority| roots.add(authority))?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crypto).build();
        Ok(verifier.map_err(|error| rustls::Error::General(error.to_string()))?)
    }

    fn complete(
        &self,
        verifier: Arc<dyn ServerCertVerifier>,
        identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    ) -> Result<ClientConfig, rustls::Error> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.crypto))
            .with_safe_default_protocol_versions()?
            // "Dangerous" is what rustls calls every verifier that is handed to it. These check all that its own does.
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::Pem { what: "certificates", place: pem.to_string(), source };
    let found: Result<Vec<_>, _> = match pem {
        Pem::File(path) => CertificateDer::pem_file_iter(path).and_then(Iterator::collect),
        Pem::Text(text) => CertificateDer::pem_slice_iter(text.as_bytes()).collect(),
    };
    let found = found.map_err(unreadable)?;
    if found.is_empty() { Err(unreadable(rustls::pki_types::pem::Error::NoItemsFound)) } else { Ok(found) }
}

fn private_key(pem: &Pem) -> Result<PrivateKeyDer<'static>, TlsError> {
    let found = match pem {
        Pem::File(path) => PrivateKeyDer::from_pem_file(path),
        Pem::Text(text) => PrivateKeyDer::from_pem_slice(text.as_bytes()),
    };
    found.map_err(|source| TlsError::Pem { what: "a private key", place: pem.to_string(), source })
}
