//! Values that the operator's file takes from the environment, or from files that somebody else writes: for who has a store already.

use crate::{Error, Store, Value};
use async_trait::async_trait;
use serde::de::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wharf_kit::{Backend, BackendError, Embedded, Namespace, Opened, check_label, settings};

/// The settings.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The secrets by their names, each `{ env = "NAME" }` or `{ file = "PATH" }`. They are read once, when the node starts.
    values: BTreeMap<String, Hidden>,
}

/// A value that is not printed.
#[derive(Debug)]
struct Hidden(Value);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Value::text(text.into())))
    }
}

/// The entry in the list.
pub(super) const BACKEND: Backend<dyn Store> = Backend {
    name: "environment",
    summary: "Environment variables of the node, or files that somebody else writes.",
    durability: "Nothing is written. Values are those of when the node was started.",
    example: "backend = \"environment\"\nvalues.stripe-key = { env = \"STRIPE_KEY\" }\nvalues.signing-key = { file = \"/run/secrets/signing-key\" }",
    open,
};

fn open(table: toml::Table, _: &Embedded) -> Result<Arc<dyn Opened<dyn Store>>, BackendError> {
    check_types(&table)?;
    let config: Config = settings(table)?;
    for name in config.values.keys() {
        check_label(name).map_err(|error| BackendError::Settings(format!("in `values`: {error}")))?;
    }
    Ok(Arc::new(Values(Arc::new(config.values.into_iter().map(|(name, Hidden(value))| (name, value)).collect()))))
}

/// Refuses what is no text, without showing it as the message about a wrong type does.
fn check_types(table: &toml::Table) -> Result<(), BackendError> {
    let error = |what: String| Err(BackendError::Settings(what));
    match table.get("values") {
        None => Ok(()),
        Some(toml::Value::Table(values)) => match values.iter().find(|(_, value)| !value.is_str()) {
            Some((name, _)) => error(format!("`values.{name}` is no text")),
            None => Ok(()),
        },
        Some(_) => error("`values` is no table".to_owned()),
    }
}

/// The same for every namespace: an operator who wants them apart binds the label of each app.
struct Values(Arc<BTreeMap<String, Value>>);

impl Opened<dyn Store> for Values {
    fn store(&self, _namespace: &Namespace) -> Result<Arc<dyn Store>, BackendError> {
        Ok(Arc::new(Self(Arc::clone(&self.0))))
    }

    fn place(&self, _namespace: &Namespace) -> String {
        "of the node".to_owned()
    }
}

#[async_trait]
impl Store for Values {
    async fn get(&self, name: &str) -> Result<Value, Error> {
        self.0.get(name).cloned().ok_or(Error::NotFound)
    }

    fn names(&self) -> Option<BTreeSet<String>> {
        Some(self.0.keys().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_are_refused_without_their_values() {
        for (settings, expected) in [
            ("", "missing field `values`"),
            ("values = \"hunter2\"", "`values` is no table"),
            ("values.key = 42", "`values.key` is no text"),
            ("values.key = { evn = \"hunter2\" }", "`values.key` is no text"),
            ("values.Key = \"hunter2\"", "`Key` is no label"),
            ("values = {}\nvalue = \"hunter2\"", "unknown field `value`"),
        ] {
            let error = open(settings.parse().unwrap(), &Embedded::new("state".as_ref(), crate::CAPABILITY)).err();
            let message = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(message.contains(expected) && !message.contains("hunter2") && !message.contains("42"), "{message}");
        }
    }
}
