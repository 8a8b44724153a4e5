//! Vault, or whatever speaks its KV API, version 2.
//!
//! The secret `stripe-key` of the app `shop` is the field `value` of the entry `shop/default/stripe-key`, below the prefix; in a
//! namespace that an operator named, of the entry `NAMESPACE/stripe-key`.

mod answer;
mod cache;
mod client;
mod health;
mod renewal;
mod token;

use crate::{Error, Store, Value};
use async_trait::async_trait;
use cache::Cache;
use client::Client;
use renewal::Renewal;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use token::Token;
use wharf_kit::{Backend, BackendError, Embedded, Namespace, Opened, Period, settings};
use wharf_servers::tls::{Pem, Tls};

/// The longest that a value may be believed: who rotates a secret should not have to wait for longer.
const TTL_MAX: Duration = Duration::from_secs(3600);

/// The settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// The server, `https://vault.example.com:8200`.
    address: String,
    /// Where the KV engine is mounted.
    #[serde(default = "Config::mount")]
    mount: String,
    /// What all paths begin with.
    #[serde(default)]
    prefix: String,
    /// The field of an entry that has the value.
    #[serde(default = "Config::field")]
    field: String,
    /// The token, best written `{ env = "VAULT_TOKEN" }` or `{ file = "…" }`, which is read once.
    token: Option<Secret>,
    /// A file with the token that somebody else writes again from time to time.
    token_file: Option<PathBuf>,
    /// The namespace within the server, for those that have some.
    vault_namespace: Option<String>,
    /// How long a value is believed before the server is asked again.
    #[serde(default = "Config::ttl")]
    ttl: Period,
    /// Who has to have signed the server's certificate, in place of those whom the platform trusts: a PEM file, or its text.
    authorities: Option<Pem>,
    /// The certificate that is shown to the server, with its chain: a PEM file, or its text.
    certificate: Option<Pem>,
    /// Its key: a PEM file, or its text.
    key: Option<Pem>,
}

/// A text that is not printed.
#[derive(Deserialize)]
#[serde(transparent)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Config {
    fn mount() -> String {
        "secret".to_owned()
    }

    fn field() -> String {
        "value".to_owned()
    }

    fn ttl() -> Period {
        Period(Duration::from_secs(30))
    }

    /// Returns what is wrong with the settings, without a value that may be secret.
    fn mistake(&self) -> Option<&'static str> {
        let plain = |path: &str| {
            let part = |part: &str| {
                let byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                !part.is_empty() && part != "." && part != ".." && part.bytes().all(byte)
            };
            path.split('/').all(part)
        };
        if !self.address.starts_with("https://") && !self.address.starts_with("http://") {
            Some("`address` does not begin with `https://` or `http://`")
        } else if self.address.contains(['@', '?', '#']) {
            Some("`address` is more than a server and a path")
        } else if !plain(&self.mount) {
            Some("`mount` is no path of letters, digits, `-`, `_` and `.`")
        } else if !self.prefix.is_empty() && !plain(&self.prefix) {
            Some("`prefix` is no path of letters, digits, `-`, `_` and `.`")
        } else if self.token.is_some() == self.token_file.is_some() {
            Some("it needs either a `token` or a `token-file`")
        } else if self.ttl.0 > TTL_MAX {
            Some("`ttl` is more than an hour")
        } else {
            None
        }
    }
}

/// The entry in the list.
pub(super) const BACKEND: Backend<dyn Store> = Backend {
    name: "vault",
    summary: "HashiCorp Vault or OpenBao: the KV secrets engine, version 2, by token.",
    durability: "The server's. Nothing is written; a value is believed for `ttl`, 30 s unless it says otherwise.",
    example: "backend = \"vault\"\naddress = \"https://vault.example.com:8200\"\nmount = \"secret\"\nprefix = \"wharf\"\n\
              token-file = \"/run/vault/token\"\nttl = \"30s\"",
    open,
};

fn open(table: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    let config: Config = settings(table)?;
    if let Some(mistake) = config.mistake() {
        return Err(BackendError::Settings(mistake.to_owned()));
    }
    let token = match (config.token, config.token_file) {
        (Some(Secret(token)), _) => Token::fixed(&token),
        (None, file) => Token::in_file(file.unwrap_or_default()),
    };
    let tls = Tls { authorities: config.authorities, certificate: config.certificate, key: config.key };
    let is_tls = config.address.starts_with("https://");
    tls.only_with(is_tls, "write `https://` in `address`")?;
    let tls = if is_tls { Some(tls.config()?) } else { None };
    let client = Client::new(config.address, config.vault_namespace, token, tls)?;
    let client = Arc::new(client);
    let renewal = Renewal::start(Arc::clone(&client));
    let renewal = renewal.map_err(|_| BackendError::Settings("no thread can be started for its token".to_owned()))?;
    Ok(Arc::new(Server(Arc::new(Shared {
        client,
        entries: format!(
            "{}/data/{}",
            config.mount,
            if config.prefix.is_empty() { String::new() } else { config.prefix + "/" }
        ),
        field: config.field,
        cache: Cache::new(config.ttl.0),
        _renewal: renewal,
    }))))
}

struct Server(Arc<Shared>);

struct Shared {
    client: Arc<Client>,
    /// What the path of every entry begins with, up to a slash.
    entries: String,
    field: String,
    cache: Cache,
    _renewal: Renewal,
}

impl Opened<dyn Store> for Server {
    fn store(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, BackendError> {
        // An own namespace has two parts and a shared one has one, so that no entry belongs to both.
        let folder = format!("{}{namespace}/", self.0.entries);
        Ok(Arc::new(Entries { shared: Arc::clone(&self.0), folder }))
    }

    fn place(&self, namespace: &Namespace) -> String {
        format!("{} {}{namespace}", self.0.client.address(), self.0.entries.replace("/data/", "/"))
    }
}

/// The entries of one namespace.
struct Entries {
    shared: Arc<Shared>,
    folder: String,
}

#[async_trait]
impl Store for Entries {
    async fn get(&self, name: &str) -> Result<Value, Error> {
        let path = format!("{}{name}", self.folder);
        let Shared { client, field, cache, .. } = &*self.shared;
        if let Some(known) = cache.get(&path) {
            return known.ok_or(Error::NotFound);
        }
        let found = match client.read(&path).await {
            Ok(body) => {
                answer::value(&body, field).ok_or(Error::Backend("it answers what is no entry of KV, version 2"))?
            }
            Err(Error::NotFound) => None,
            Err(error) => return Err(error),
        };
        cache.put(path, found.clone());
        found.ok_or(Error::NotFound)
    }

    fn names(&self) -> Option<BTreeSet<String>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(settings: &str) -> Option<String> {
        let table = settings.parse().unwrap();
        let embedded = Embedded::new("state".as_ref(), crate::CAPABILITY);
        open(table, &embedded).err().map(|error| error.to_string())
    }

    #[test]
    fn settings_that_cannot_be_are_refused_without_their_values() {
        let with = |line: &str| format!("address = \"http://127.0.0.1:1\"\ntoken = \"hunter2\"\n{line}");
        assert_eq!(mistake(&with("")), None);
        for (settings, expected) in [
            (with("mount = \"a/../b\""), "`mount` is no path"),
            (with("mount = \"\""), "`mount` is no path"),
            (with("prefix = \"/a\""), "`prefix` is no path"),
            (with("prefix = \"a%2e\""), "`prefix` is no path"),
            (with("token-file = \"f\""), "either a `token` or a `token-file`"),
            (with("ttl = \"2h\""), "`ttl` is more than an hour"),
            (with("tll = \"2h\""), "unknown field `tll`"),
            ("token = \"hunter2\"".to_owned(), "missing field `address`"),
            ("address = \"http://a\"".to_owned(), "either a `token` or a `token-file`"),
            ("address = \"http://hunter2@a\"\ntoken = \"\"".to_owned(), "`address` is more than"),
            ("address = \"hunter2\"\ntoken = \"\"".to_owned(), "`address` does not begin"),
            ("address = \"http://a\"\ntoken = \"hunter2\\n\"".to_owned(), "`token` cannot be sent"),
            (with("authorities = \"nowhere.pem\""), "write `https://` in `address`"),
            (with("authorities = \"nowhere.pem\"").replace("http:", "https:"), "cannot open nowhere.pem"),
        ] {
            let message = mistake(&settings).unwrap_or_default();
            assert!(message.contains(expected) && !message.contains("hunter2"), "{settings}: {message}");
        }
    }
}
