//! The secrets of one app, for who keeps them on this machine: where `wharf up` will look for them.
//!
//! In: what an operator says, and a state folder. Out: a file that was changed. Next: [`wharf_secrets::SecretFile`].

use std::path::Path;
use wharf_app::{LabelError, Operator, check_label};
use wharf_kit::{BackendError, Embedded, Namespace};
use wharf_secrets::{BOUNDS, CAPABILITY, FileError, LABEL, SecretFile, Value};

/// The secrets of one app, in a file.
#[derive(Debug)]
pub struct Secrets {
    file: SecretFile,
    namespace: Namespace,
}

/// Why secrets cannot be kept. Never shows one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretsError {
    /// The app's are not in a file.
    #[error("the operator's file binds the secrets of `{app}` to the backend `{backend}`")]
    Elsewhere {
        /// The app.
        app: String,
        /// The backend.
        backend: String,
    },
    /// The binding cannot be understood.
    #[error("the operator's file binds the secrets of the app in a way that cannot be understood")]
    Binding(#[source] BackendError),
    /// The name is none.
    #[error(transparent)]
    Name(#[from] LabelError),
    /// The value is too long for any component.
    #[error("the value has {bytes} bytes, and a secret has at most {}", BOUNDS.size_bytes)]
    TooLong {
        /// What it has.
        bytes: usize,
    },
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Secrets {
    /// Finds the secrets of an app. Opens nothing.
    ///
    /// # Errors
    /// When the operator keeps them elsewhere.
    pub fn find(operator: &Operator, state: &Path, app: &str) -> Result<Self, SecretsError> {
        let embedded = Embedded::new(state, CAPABILITY);
        let of = |owner: Option<&str>| {
            let is_it = |one: &&wharf_app::OperatorBinding| {
                one.capability == CAPABILITY && one.label == LABEL && one.app.as_deref() == owner
            };
            operator.bindings.iter().find(is_it)
        };
        let Some(binding) = of(Some(app)).or_else(|| of(None)) else {
            return Ok(Self { file: SecretFile::in_state(&embedded), namespace: Namespace::own(app, LABEL) });
        };
        if binding.backend != wharf_secrets::LOCAL {
            return Err(SecretsError::Elsewhere { app: app.to_owned(), backend: binding.backend.clone() });
        }
        let file = wharf_secrets::local_file(binding.settings.clone(), &embedded).map_err(SecretsError::Binding)?;
        let namespace = match &binding.namespace {
            Some(name) => {
                check_label(name)?;
                Namespace::shared(name)
            }
            None => Namespace::own(app, LABEL),
        };
        Ok(Self { file, namespace })
    }

    /// Returns the file.
    pub fn file(&self) -> &SecretFile {
        &self.file
    }

    /// Gives a secret a value; returns whether that made an identity. Blocks.
    ///
    /// # Errors
    /// See [`SecretsError`]. The file is then as it was.
    pub fn set(&self, name: &str, value: Vec<u8>) -> Result<bool, SecretsError> {
        let (bytes, value) = (value.len(), Value::bytes(value.into()));
        check_label(name)?;
        if bytes > BOUNDS.size_bytes {
            return Err(SecretsError::TooLong { bytes });
        }
        Ok(self.file.change(|contents| contents.set(&self.namespace, name, value))?)
    }

    /// Returns the names of those that have a value, in order. Blocks.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn names(&self) -> Result<Vec<String>, SecretsError> {
        Ok(self.file.read()?.names(&self.namespace).map(str::to_owned).collect())
    }

    /// Takes a secret away; returns whether it was there. Blocks.
    ///
    /// # Errors
    /// See [`SecretsError`]. The file is then as it was.
    pub fn remove(&self, name: &str) -> Result<bool, SecretsError> {
        check_label(name)?;
        if !self.names()?.iter().any(|known| known == name) {
            return Ok(false);
        }
        let mut was_there = false;
        self.file.change(|contents| was_there = contents.remove(&self.namespace, name))?;
        Ok(was_there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(operator: &str, state: &Path, app: &str) -> Result<Secrets, String> {
        let (operator, problems) = wharf_app::parse_operator(operator);
        assert_eq!(problems, []);
        Secrets::find(&operator.unwrap(), state, app).map_err(|error| error.to_string())
    }

    #[test]
    fn secrets_are_kept_where_the_app_will_look_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let value = || b"hunter2".to_vec();
        let shop = find("", folder.path(), "shop").unwrap();
        assert!(shop.set("key", value()).unwrap());
        let bank = find("", folder.path(), "bank").unwrap();
        assert!(!bank.set("pin", value()).unwrap());
        let named = find("[app.shop.secrets.default]\nbackend = \"local\"\nnamespace = \"all\"", folder.path(), "shop");
        let named = named.unwrap();
        named.set("shared", value()).unwrap();
        let names = [&shop, &bank, &named].map(|secrets| secrets.names().unwrap().join(" "));
        assert_eq!(names, ["key", "pin", "shared"]);
        assert!(shop.remove("key").unwrap() && !shop.remove("key").unwrap());
        let elsewhere = find("[secrets.default]\nbackend = \"vault\"\naddress = \"x\"", folder.path(), "shop");
        assert_eq!(elsewhere.unwrap_err(), "the operator's file binds the secrets of `shop` to the backend `vault`");
        assert!(matches!(shop.set("Key", value()), Err(SecretsError::Name(_))));
        let long = vec![b'x'; BOUNDS.size_bytes + 1];
        assert!(matches!(shop.set("key", long), Err(SecretsError::TooLong { .. })));
    }
}
