//! What can stand behind a label. A backend is one file and one line here.

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

use crate::api::Database;
use wharf_kit::Backend;

/// Every backend. The first is what labels get without an operator's word.
pub const BACKENDS: &[Backend<dyn Database>] = &[
    sqlite::BACKEND,
    #[cfg(feature = "postgres")]
    postgres::BACKEND,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use wharf_kit::Embedded;

    #[test]
    fn every_example_can_be_opened() {
        for backend in BACKENDS {
            let settings: Result<toml::Table, _> = backend.example.parse();
            let mut settings = settings.unwrap_or_else(|error| panic!("{}: {error}", backend.name));
            assert_eq!(settings.remove("backend").and_then(|name| Some(name.as_str()? == backend.name)), Some(true));
            let opened = (backend.open)(settings, &Embedded::new(Path::new("state"), "sql"));
            assert!(opened.is_ok(), "{}: {:?}", backend.name, opened.err());
        }
    }
}
