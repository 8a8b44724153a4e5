//! The backends of blobs. The first one is what a label has when the operator says nothing.

pub mod files;
pub mod memory;
#[cfg(feature = "s3")]
pub mod s3;

use crate::api::Store;
use wharf_kit::Backend;

/// Every backend.
pub const BACKENDS: &[Backend<dyn Store>] = &[
    files::BACKEND,
    memory::BACKEND,
    #[cfg(feature = "s3")]
    s3::BACKEND,
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
            let opened = (backend.open)(settings, &Embedded::new(Path::new("state"), "blobstore"));
            assert!(opened.is_ok(), "{}: {:?}", backend.name, opened.err());
        }
    }
}
