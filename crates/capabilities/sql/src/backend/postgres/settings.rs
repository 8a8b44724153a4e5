//! What can be set, and what comes of it.

use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use wharf_kit::{BackendError, Period};
use wharf_servers::tls::{Pem, Tls};

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
    /// Who has to have signed the server's certificate, in place of those whom the platform trusts: a PEM file, or its text.
    authorities: Option<Pem>,
    /// The certificate that is shown to the server, with its chain: a PEM file, or its text.
    certificate: Option<Pem>,
    /// Its key: a PEM file, or its text.
    key: Option<Pem>,
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
        let parsed: Result<tokio_postgres::Config, _> = plainly(&self.url).parse();
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
        let tls = Tls { authorities: self.authorities, certificate: self.certificate, key: self.key };
        let wanted = match (self.tls, server.get_ssl_mode()) {
            (Some(wanted), _) => wanted,
            (None, SslMode::Disable) => false,
            (None, SslMode::Require) => true,
            // Never what the server prefers: somebody in between could prefer something else.
            (None, _) => tls.is_set() || !server.get_hosts().iter().all(is_local),
        };
        server.ssl_mode(if wanted { SslMode::Require } else { SslMode::Disable });
        tls.only_with(wanted, "write `tls = true`")?;
        let tls = if wanted { Some(MakeRustlsConnect::new(tls.config()?)) } else { None };
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

/// Returns a URL in words that the parser has: those of the server's own clients for checked certificates ask for what is always done here.
fn plainly(url: &str) -> Cow<'_, str> {
    let Some((server, options)) = url.split_once('?') else { return Cow::Borrowed(url) };
    let plain = |option: &str| match option {
        "sslmode=verify-ca" | "sslmode=verify-full" => "sslmode=require".to_owned(),
        other => other.to_owned(),
    };
    let options: Vec<String> = options.split('&').map(plain).collect();
    Cow::Owned(format!("{server}?{}", options.join("&")))
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
        let is_encrypted = |text: &str| {
            let checked = check(text).map(|it| it.tls.is_some() && it.server.get_ssl_mode() == SslMode::Require);
            assert_eq!(checked, Ok(true), "{text}");
        };
        for mode in ["prefer", "require", "verify-ca", "verify-full"] {
            is_encrypted(&format!("url = \"postgres://shop@db.example/shop?application_name=a&sslmode={mode}\""));
        }
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let settings = format!("url = \"postgres://shop@localhost/shop\"\nauthorities = '''{}'''", made.cert.pem());
        is_encrypted(&settings);
        assert!(check(&format!("{settings}\ntls = false")).is_err_and(|error| error.contains("write `tls = true`")));
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
