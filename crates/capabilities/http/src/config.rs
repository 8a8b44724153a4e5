//! What an operator says about outbound HTTP: the tables `[http]` and `[app.NAME.http]` of `node.toml`.
//!
//! In: a table whose `{ env = … }` and `{ file = … }` were resolved. Out: [`Network`] and [`Quota`]. Next: [`crate::Client`].

use crate::settings::{Asked, ServerTimeouts};
use crate::tls::{Pem, ServerTls, TlsError, Trust};
use crate::{Network, Quota, Settings, System};
use serde::Deserialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use wharf_app::{HostPattern, HttpPattern, PatternError, Scheme};
use wharf_kit::Period;

/// What every PEM text begins with, and no path.
const PEM: &str = "-----BEGIN";

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A key is unknown, missing or of the wrong type. Never shows a value: it may be a private key.
    #[error("{0}")]
    Settings(String),
    /// The name of an entry below `server` is no pattern of servers.
    #[error("`http.server.\"{servers}\"` names no servers")]
    Servers {
        /// What is written there.
        servers: String,
        /// Why.
        source: PatternError,
    },
    /// A certificate comes with its key, and the other way round.
    #[error("`http.server.\"{servers}\"` has only one of `certificate` and `key`")]
    Identity {
        /// The entry.
        servers: String,
    },
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// `[http]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Config {
    /// Time for a connection: a free place, the look-up, TCP and TLS together.
    connect_timeout: Option<Period>,
    /// Time until an answer begins.
    first_byte_timeout: Option<Period>,
    /// Time between two pieces of an answer.
    between_bytes_timeout: Option<Period>,
    /// Connections of one app.
    connections: Option<NonZeroU32>,
    /// Requests of one component under way.
    requests: Option<NonZeroU32>,
    /// Unused connections that a component keeps on each core.
    idle: Option<u32>,
    /// How long one is kept.
    idle_time: Option<Period>,
    /// What differs for some servers, by a pattern as in a grant.
    server: BTreeMap<String, Server>,
}

/// `[http.server."https://*.corp.example"]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Server {
    /// Authorities to trust: a PEM file, or its text.
    authorities: Option<String>,
    /// Whether the platform's are trusted beside them; they are if this is absent.
    platform_authorities: Option<bool>,
    /// The certificate that is shown to the server, with its chain: a PEM file, or its text.
    certificate: Option<String>,
    /// Its key: a PEM file, or its text.
    key: Option<String>,
    connect_timeout: Option<Period>,
    first_byte_timeout: Option<Period>,
    between_bytes_timeout: Option<Period>,
}

/// `[app.NAME.http]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct AppConfig {
    /// Connections of this app.
    connections: Option<NonZeroU32>,
}

impl Network {
    /// Reads the table `[http]`, which may be empty, and the files that it names. Blocks on them.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn configured(table: toml::Table) -> Result<Self, ConfigError> {
        let config: Config = read(table)?;
        let mut settings = Settings::default();
        let Settings { timeouts, limits, .. } = &mut settings;
        set(&mut timeouts.connect, time(config.connect_timeout));
        set(&mut timeouts.first_byte, time(config.first_byte_timeout));
        set(&mut timeouts.between_bytes, time(config.between_bytes_timeout));
        set(&mut limits.connections, count(config.connections));
        set(&mut limits.requests, count(config.requests));
        set(&mut limits.idle, config.idle.map(|idle| idle as usize));
        set(&mut limits.idle_time, time(config.idle_time));
        let mut tls = Vec::new();
        for (pattern, server) in by_precision(config.server)? {
            settings.servers.push(ServerTimeouts { servers: pattern.clone(), timeouts: server.timeouts() });
            tls.extend(server.tls(pattern)?);
        }
        Ok(Self { settings, trust: Trust::load(&tls)?, resolver: Arc::new(System::default()) })
    }

    /// Returns the places for connections of an app, by its table `[app.NAME.http]`, which may be empty.
    ///
    /// # Errors
    /// [`ConfigError::Settings`].
    pub fn quota(&self, app: toml::Table) -> Result<Quota, ConfigError> {
        let config: AppConfig = read(app)?;
        Ok(Quota::new(count(config.connections).unwrap_or(self.settings.limits.connections)))
    }
}

impl Server {
    fn timeouts(&self) -> Asked {
        Asked {
            connect: time(self.connect_timeout),
            first_byte: time(self.first_byte_timeout),
            between_bytes: time(self.between_bytes_timeout),
        }
    }

    /// Returns what differs in TLS, if anything does.
    fn tls(self, servers: HttpPattern) -> Result<Option<ServerTls>, ConfigError> {
        let identity = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Some((pem(certificate), pem(key))),
            (None, None) => None,
            _ => return Err(ConfigError::Identity { servers: servers.to_string() }),
        };
        if identity.is_none() && self.authorities.is_none() && self.platform_authorities.is_none() {
            return Ok(None);
        }
        let platform = self.platform_authorities.unwrap_or(true);
        Ok(Some(ServerTls { servers, authorities: self.authorities.map(pem), platform, identity }))
    }
}

fn read<C: serde::de::DeserializeOwned>(table: toml::Table) -> Result<C, ConfigError> {
    wharf_kit::settings(table).map_err(|error| ConfigError::Settings(error.to_string()))
}

fn pem(text: String) -> Pem {
    if text.trim_start().starts_with(PEM) { Pem::Text(text.into()) } else { Pem::File(text.into()) }
}

/// Sorts the entries so that of several that fit a server the most precise one is first: by the host, then the ports, then the scheme.
fn by_precision(servers: BTreeMap<String, Server>) -> Result<Vec<(HttpPattern, Server)>, ConfigError> {
    let parse = |(text, server): (String, Server)| match HttpPattern::parse(&text) {
        Ok(pattern) => Ok((pattern, server)),
        Err(source) => Err(ConfigError::Servers { servers: text, source }),
    };
    let mut all = servers.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|(pattern, _)| Reverse(precision(pattern)));
    Ok(all)
}

fn precision(pattern: &HttpPattern) -> (u8, usize, Reverse<u16>, bool) {
    let (kind, length) = match &pattern.host {
        HostPattern::Any => (0, 0),
        HostPattern::Network(network) => (1, usize::from(network.prefix_len())),
        HostPattern::Suffix(suffix) => (1, suffix.len()),
        HostPattern::Name(_) => (2, 0),
    };
    let ports = pattern.ports.map_or(0, |ports| ports.last - ports.first);
    (kind, length, Reverse(ports), pattern.scheme != Scheme::Any)
}

fn time(period: Option<Period>) -> Option<Duration> {
    period.map(|Period(time)| time)
}

fn count(number: Option<NonZeroU32>) -> Option<usize> {
    number.map(|number| number.get() as usize)
}

fn set<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}

#[cfg(test)]
mod tests;
