//! Where secrets are. Each backend is a file here and a line in the list.

mod environment;
mod local;
#[cfg(feature = "vault")]
mod vault;

pub use local::{LOCAL, local_file};

use crate::Store;
use wharf_kit::Backend;

/// The backends. The first is the one that an app gets without an operator's word.
pub const BACKENDS: &[Backend<dyn Store>] = &[
    local::BACKEND,
    environment::BACKEND,
    #[cfg(feature = "vault")]
    vault::BACKEND,
];

#[cfg(test)]
mod tests {
    use super::*;
    use toml::{Table, Value};
    use wharf_kit::Embedded;

    /// Puts a value in the place of `{ env = "NAME" }` and `{ file = "PATH" }`, as is done before a backend sees it.
    fn resolve(table: &mut Table) {
        for (_, value) in table.iter_mut() {
            let Value::Table(inner) = value else { continue };
            if inner.contains_key("env") || inner.contains_key("file") {
                *value = Value::String("hunter2".to_owned());
            } else {
                resolve(inner);
            }
        }
    }

    #[test]
    fn every_example_is_read() {
        for backend in BACKENDS {
            let mut table: Table = backend.example.parse().unwrap();
            assert_eq!(table.remove("backend").as_ref().and_then(Value::as_str), Some(backend.name));
            resolve(&mut table);
            let opened = (backend.open)(table, &Embedded::new("state".as_ref(), crate::CAPABILITY));
            assert_eq!(opened.err().map(|error| error.to_string()), None, "{}", backend.name);
        }
    }
}
