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
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use wharf_app::HttpPattern;

/// What an operator says about the TLS of some servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// The servers. The first entry that fits a server decides.
    pub servers: HttpPattern,
    /// PEM file of authorities that are trusted too.
    pub authorities: Option<PathBuf>,
    /// Whether those of the platform are trusted.
    pub platform: bool,
    /// PEM files of the certificate that we show, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// TLS files that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("cannot read {what} from {}", path.display())]
    Pem {
        /// `certificates` or `a private key`.
        what: &'static str,
        /// The file.
        path: PathBuf,
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
        let authorities = entry.authorities.as_deref().map(certificates).transpose()?.unwrap_or_default();
        let identity = match &entry.identity {
            Some((chain, key)) => {
                let unreadable = |source| TlsError::Pem { what: "a private key", path: key.clone(), source };
                Some((certificates(chain)?, PrivateKeyDer::from_pem_file(key).map_err(unreadable)?))
            }
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

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = |source| TlsError::Pem { what: "certificates", path: path.to_owned(), source };
    let found: Vec<_> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(pem)?;
    if found.is_empty() { Err(pem(rustls::pki_types::pem::Error::NoItemsFound)) } else { Ok(found) }
}
