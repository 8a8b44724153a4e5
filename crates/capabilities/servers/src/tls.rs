//! TLS to servers: whom a backend trusts, who it says it is, and what it means when a handshake fails.
//!
//! In: what a backend's settings say. Out: the settings of a client that checks every certificate, or words for the guest. Next: the server.
//!
//! One place for all backends, so that the same words mean the same whatever is behind a label.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, CertificateError, Error};
use rustls_platform_verifier::Verifier;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wharf_kit::BackendError;

pub use rustls::ClientConfig;

/// What every PEM text begins with, and no path.
const BEGIN: &str = "-----BEGIN";

/// What a backend's settings say about TLS. They cannot be one part of those, as serde finds no unknown keys beside such a part.
#[derive(Clone, Default)]
pub struct Tls {
    /// `authorities`: who has to have signed the server's certificate. Absent: those that the platform trusts.
    pub authorities: Option<Pem>,
    /// `certificate`: what the host shows to the server, with its chain.
    pub certificate: Option<Pem>,
    /// `key`: the key of `certificate`.
    pub key: Option<Pem>,
}

/// Certificates or a key, as a PEM file or its text. Never shown: it may be a private key.
#[derive(Clone)]
pub enum Pem {
    /// In this file.
    File(PathBuf),
    /// Here.
    Text(Arc<str>),
}

impl<'de> Deserialize<'de> for Pem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(if text.trim_start().starts_with(BEGIN) { Self::Text(text.into()) } else { Self::File(text.into()) })
    }
}

impl Pem {
    /// Returns the text. Blocks on the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> Result<Cow<'_, [u8]>, BackendError> {
        match self {
            Self::File(path) => std::fs::read(path).map(Cow::Owned).map_err(|error| unusable(path, error)),
            Self::Text(text) => Ok(Cow::Borrowed(text.as_bytes())),
        }
    }

    fn wrong(&self, setting: &str, error: PemError) -> BackendError {
        match self {
            Self::File(path) => unusable(path, error),
            // The crate's message may have a piece of the text.
            Self::Text(_) => BackendError::Settings(format!("`{setting}` has nothing in PEM that can be used")),
        }
    }

    /// Returns the certificates, of which there is one at least. Blocks on the file.
    ///
    /// # Errors
    /// When `setting`, which is what the error calls it, cannot be read or has none.
    pub fn certificates(&self, setting: &str) -> Result<Vec<CertificateDer<'static>>, BackendError> {
        let text = self.read()?;
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let found = found.map_err(|error| self.wrong(setting, error))?;
        if found.is_empty() { Err(self.wrong(setting, PemError::NoItemsFound)) } else { Ok(found) }
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, BackendError> {
        PrivateKeyDer::from_pem_slice(&self.read()?).map_err(|error| self.wrong("key", error))
    }
}

fn unusable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> BackendError {
    BackendError::Open { path: path.to_owned(), source: Box::new(error) }
}

impl Tls {
    /// Tells whether anything is said about TLS.
    pub fn is_set(&self) -> bool {
        self.authorities.is_some() || self.certificate.is_some() || self.key.is_some()
    }

    /// Fails when something is said about TLS and the server's address has none: nothing of it would hold.
    ///
    /// # Errors
    /// What to write instead.
    pub fn only_with(&self, is_tls: bool, instead: &str) -> Result<(), BackendError> {
        if is_tls || !self.is_set() {
            return Ok(());
        }
        let text = format!("`authorities`, `certificate` and `key` are for TLS, which is not wanted: {instead}");
        Err(BackendError::Settings(text))
    }

    /// Reads the files and makes the settings of a client. Blocks on the files, and some milliseconds on those of the platform.
    ///
    /// # Errors
    /// What of them cannot be used.
    pub fn config(&self) -> Result<ClientConfig, BackendError> {
        let wrong = |error: Error| BackendError::Settings(format!("TLS cannot be used: {error}"));
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match &self.authorities {
            None => Arc::new(Verifier::new(Arc::clone(&crypto)).map_err(wrong)?),
            Some(authorities) => {
                let mut roots = rustls::RootCertStore::empty();
                let found = authorities.certificates("authorities")?;
                found.into_iter().try_for_each(|one| roots.add(one)).map_err(wrong)?;
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&crypto)).build();
                verifier.map_err(|error| wrong(Error::General(error.to_string())))?
            }
        };
        let builder = ClientConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .map_err(wrong)?
            // "Dangerous" is what rustls calls every verifier that is handed to it. These check all that its own does.
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        match (&self.certificate, &self.key) {
            (None, None) => Ok(builder.with_no_client_auth()),
            (Some(chain), Some(key)) => {
                let (chain, key) = (chain.certificates("certificate")?, key.private_key()?);
                builder.with_client_auth_cert(chain, key).map_err(wrong)
            }
            _ => Err(BackendError::Settings("it has only one of `certificate` and `key`".to_owned())),
        }
    }
}

/// Returns what went wrong with TLS, in words for the guest. Nothing for an error that is of another kind.
pub fn explain(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    Some(match cause(error)? {
        Error::InvalidCertificate(error) => certificate(error),
        Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired => "the server wants a certificate of the host",
            AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate => "the server does not accept the certificate of the host",
            _ => "the server refuses TLS with the host",
        },
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => "the server does not speak TLS",
        _ => "there is no secure connection to the server",
    })
}

fn certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::UnknownIssuer => "the certificate of the server is signed by nobody whom the host trusts",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate of the server is for another name"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate of the server has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate of the server is not valid yet"
        }
        CertificateError::Revoked => "the certificate of the server is revoked",
        _ => "the certificate of the server is not accepted",
    }
}

/// Finds what TLS says below the errors of a client.
fn cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    type Shared = Arc<dyn std::error::Error + Send + Sync>;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found);
        }
        // Both give out as their source what is below that which they carry.
        let carried = error.downcast_ref::<io::Error>().map(|error| error.get_ref().map(|inner| inner as _));
        let shared = || error.downcast_ref::<Shared>().map(|inner| Some(&**inner as _));
        next = carried.or_else(shared).unwrap_or_else(|| error.source());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(text: &str) -> Tls {
        #[derive(Deserialize)]
        struct Written {
            authorities: Option<Pem>,
            certificate: Option<Pem>,
            key: Option<Pem>,
        }
        let Written { authorities, certificate, key } =
            wharf_kit::settings(text.parse().unwrap_or_default()).unwrap_or_else(|error| panic!("{error}"));
        Tls { authorities, certificate, key }
    }

    #[test]
    fn what_cannot_be_used_is_told_without_a_key() {
        for (text, expected) in [
            ("authorities = \"nowhere.pem\"", "cannot open nowhere.pem"),
            ("authorities = \"-----BEGIN CERTIFICATE-----hunter2\"", "`authorities` has nothing in PEM"),
            ("certificate = \"nowhere.pem\"\nkey = \"nowhere.key\"", "cannot open nowhere.pem"),
            ("certificate = \"a.pem\"", "only one of `certificate` and `key`"),
            ("key = \"-----BEGIN PRIVATE KEY-----hunter2\"", "only one of `certificate` and `key`"),
        ] {
            let error = tls(text).config().map(drop).map_err(|error| error.to_string());
            let error = error.expect_err(text);
            assert!(error.contains(expected) && !error.contains("hunter2"), "{text}: {error}");
        }
        assert!(tls("").only_with(false, "").is_ok());
        assert!(tls("key = \"a\"").only_with(true, "").is_ok());
        assert!(tls("key = \"a\"").only_with(false, "write this").is_err_and(|it| it.to_string().ends_with("this")));
    }

    #[test]
    fn the_cause_is_found_however_deep_it_is() {
        let expired = || Error::InvalidCertificate(CertificateError::Expired);
        let shared: Arc<dyn std::error::Error + Send + Sync> = Arc::new(io::Error::other(expired()));
        let deep = io::Error::other(io::Error::other(shared));
        assert_eq!(explain(&deep), Some("the certificate of the server has expired"));
        assert_eq!(explain(&expired()), explain(&deep));
        assert_eq!(explain(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
        assert_eq!(explain(&io::Error::other("expired")), None);
    }
}
