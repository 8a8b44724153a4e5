//! A certificate for `localhost` that nobody else trusts.

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A self-signed certificate for `localhost` in a temporary folder.
#[derive(Debug)]
pub struct Certificate {
    folder: TempDir,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// Makes one.
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]);
        let made = made.expect("a certificate can be made");
        let folder = TempDir::new().expect("a temporary folder can be made");
        let written = std::fs::write(folder.path().join("cert.pem"), made.cert.pem())
            .and_then(|()| std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()));
        written.expect("a temporary file can be written");
        Self { folder, der: made.cert.der().clone() }
    }

    /// Returns the file of the certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// Returns the file of its key.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// Returns the folder of both.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the arguments of `wharf up` that use it.
    pub fn args(&self) -> String {
        format!("--tls-cert {} --tls-key {}", self.certificate().display(), self.key().display())
    }

    /// Returns the settings of a client that trusts it and offers `protocols`.
    pub fn client(&self, protocols: &[&[u8]]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).expect("the certificate is one");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("the default versions are known");
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    }
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}
