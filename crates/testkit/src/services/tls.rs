//! What a server does for TLS: what it shows, and whom it lets in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::folder::{Owner, give};
use crate::authority::{Authority, Identity};

/// How a server speaks TLS. It does so at its port, and without TLS at no port that a test is told of.
#[derive(Clone, Debug)]
pub struct Tls {
    pub(super) identity: Identity,
    /// Who has to have signed the certificate of every client.
    pub(super) clients: Option<String>,
}

/// The files of a server.
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    /// Absent: clients show no certificate.
    pub(super) clients: Option<PathBuf>,
}

impl Tls {
    /// Shows this certificate to everybody.
    pub fn new(identity: Identity) -> Self {
        Self { identity, clients: None }
    }

    /// Lets in only those who show a certificate of this authority.
    #[must_use]
    pub fn with_clients_of(mut self, authority: &Authority) -> Self {
        self.clients = Some(authority.pem().to_owned());
        self
    }

    /// Writes the files into a server's folder, readable by its owner only, as some servers want it.
    pub(super) fn write(&self, folder: &Path, owner: Option<Owner>) -> Files {
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            let written = fs::write(&path, text)
                .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o600)))
                .and_then(|()| give(&path, owner));
            written.expect("a server's folder can be written");
            path
        };
        Files {
            certificate: write("server.pem", &self.identity.certificate),
            key: write("server.key", &self.identity.key),
            clients: self.clients.as_ref().map(|authority| write("clients.pem", authority)),
        }
    }
}
