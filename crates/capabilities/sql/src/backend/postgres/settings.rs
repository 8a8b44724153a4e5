//! What can be set, and what comes of it.

use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use wharf_kit::{BackendError, Period};

/// What can be set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Config {
    /// `postgres://USER@HOST:PORT/DATABASE`.
    url: String,
    /// The user's password, if it is not in the URL.
    password: Option<String>,
    /// Whether connections are encrypted, and the server's certificate is checked. Without a word they are, but for loopback.
    tls: Option<bool>,
    /// PEM file of the authorities whose certificates are accepted, instead of those of the platform.
    tls_authorities: Option<PathBuf>,
    /// Connections of each core, for each label.
    #[serde(default = "connections")]
    connections: usize,
    /// How long connecting may take.
    #[serde(default = "connect_timeout")]
    connect_timeout: Period,
    /// How long a transaction or a result may wait for its component.
    #[serde(default = "idle")]
    idle: Period,
    /// How long a transaction, a result or a statement may take.
    #[serde(default = "lifetime")]
    lifetime: Period,
    /// Whether one user of the database may have the schemas of several labels, which are open to each other then.
    #[serde(default)]
    shared_user: bool,
    /// Whether the user may be a superuser, with whom components can do everything on the server.
    #[serde(default)]
    superuser: bool,
}

// A server has 100 at most by its own defaults.
fn connections() -> usize {
    4
}

fn connect_timeout() -> Period {
    Period(Duration::from_secs(2))
}

// A transaction that waits holds a connection, and rows that others wait for.
fn idle() -> Period {
    Period(Duration::from_secs(5))
}

fn lifetime() -> Period {
    Period(Duration::from_secs(60))
}

/// Settings that can be used.
pub(super) struct Checked {
    pub(super) server: tokio_postgres::Config,
    pub(super) tls: Option<MakeRustlsConnect>,
    /// Where it is, for people.
    pub(super) place: String,
    pub(super) connections: usize,
    pub(super) connect_timeout: Duration,
    pub(super) idle: Duration,
    pub(super) lifetime: Duration,
    pub(super) shared_user: bool,
    pub(super) superuser: bool,
}

impl Config {
    pub(super) fn check(self) -> Result<Checked, BackendError> {
        let wrong = |why: &str| BackendError::Settings(why.to_owned());
        // What the parser says may show the URL.
        let parsed: Result<tokio_postgres::Config, _> = self.url.parse();
        let mut server = parsed.map_err(|_| wrong("`url` is none: postgres://USER@HOST:PORT/DATABASE"))?;
        if let Some(password) = &self.password {
            server.password(password);
        }
        let user =
            server.get_user().filter(|user| !user.is_empty()).ok_or_else(|| wrong("`url` names no user"))?.to_owned();
        if server.get_hosts().is_empty() {
            return Err(wrong("`url` names no host"));
        }
        if self.connections == 0 {
            return Err(wrong("`connections` has to be 1 at least"));
        }
        let wanted = match (self.tls, server.get_ssl_mode()) {
            (Some(wanted), _) => wanted,
            (None, SslMode::Disable) => false,
            (None, SslMode::Require) => true,
            // Never what the server prefers: somebody in between could prefer something else.
            (None, _) => !server.get_hosts().iter().all(is_local),
        };
        server.ssl_mode(if wanted { SslMode::Require } else { SslMode::Disable });
        let tls = if wanted { Some(tls(self.tls_authorities.as_deref())?) } else { None };
        let hosts: Vec<_> = server.get_hosts().iter().map(name).collect();
        let port = server.get_ports().first().copied().unwrap_or(5432);
        let database = server.get_dbname().unwrap_or(&user);
        let place = format!("{user}@{}:{port}/{database}", hosts.join(","));
        Ok(Checked {
            tls,
            place,
            connections: self.connections,
            connect_timeout: self.connect_timeout.0,
            idle: self.idle.0,
            lifetime: self.lifetime.0,
            shared_user: self.shared_user,
            superuser: self.superuser,
            server,
        })
    }
}

/// Returns a host for people, and for its certificate.
pub(super) fn name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    }
}

/// Tells whether what is sent to a host never leaves this machine.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
    }
}

fn tls(authorities: Option<&Path>) -> Result<MakeRustlsConnect, BackendError> {
    let wrong = |error: rustls::Error| BackendError::Settings(format!("TLS cannot be used: {error}"));
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match authorities {
        None => Arc::new(Verifier::new(Arc::clone(&crypto)).map_err(wrong)?),
        Some(path) => {
            let open = |source| BackendError::Open { path: path.to_owned(), source };
            let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
            let mut roots = rustls::RootCertStore::empty();
            found.map_err(|error| open(error.into()))?.into_iter().try_for_each(|one| roots.add(one)).map_err(wrong)?;
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&crypto)).build();
            verifier.map_err(|error| open(error.into()))?
        }
    };
    let config = ClientConfig::builder_with_provider(Arc::clone(&crypto))
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        // "Dangerous" is what rustls calls every verifier that is handed to it. These check all that its own does.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Checked, String> {
        let config: Config = wharf_kit::settings(text.parse().unwrap()).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())
    }

    #[test]
    fn only_what_stays_on_the_machine_is_not_encrypted() {
        for (text, is_encrypted) in [
            ("url = \"postgres://shop@localhost/shop\"", false),
            ("url = \"postgres://shop@127.0.0.1/shop\"", false),
            ("url = \"postgres://shop@%2Frun%2Fpostgresql/shop\"", false),
            ("url = \"postgres://shop@localhost/shop\"\ntls = false", false),
            ("url = \"postgres://shop@db.example/shop\"\ntls = false", false),
            ("url = \"postgres://shop@db.example/shop?sslmode=disable\"", false),
        ] {
            assert_eq!(check(text).map(|checked| checked.tls.is_some()), Ok(is_encrypted), "{text}");
        }
        let server = "url = \"postgres://shop@db.example/shop?sslmode=prefer\"";
        assert!(check(server).is_ok_and(|it| it.tls.is_some() && it.server.get_ssl_mode() == SslMode::Require));
    }

    #[test]
    fn mistakes_are_told_without_the_password() {
        for text in [
            "url = \"secret\"",
            "url = \"postgres://shop:secret@db.example:port/shop\"",
            "url = \"postgres://:secret@db.example/shop\"",
            "url = \"postgres://shop:secret@/shop\"",
            "url = \"postgres://shop:secret@db.example/shop?sslmode=secret\"",
            "url = \"postgres://shop@localhost/shop\"\nconnections = 0",
            "url = \"postgres://shop@localhost/shop\"\nsecret = \"secret\"",
            "password = \"secret\"",
        ] {
            let error = check(text).err().expect(text);
            assert!(!error.replace("unknown field `secret`", "").contains("secret"), "{error}");
        }
        let checked = check("url = \"postgres://shop:secret@localhost:1/x\"").unwrap();
        assert_eq!(checked.place, "shop@localhost:1/x");
    }
}
