//! Where built guests are.

use std::path::{Path, PathBuf};

/// Returns the folder of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Returns the file of the built guest or example of that name.
///
/// # Panics
/// When it was not built.
pub fn guest(name: &str) -> PathBuf {
    let file = root().join("target/guests").join(format!("{name}.wasm"));
    assert!(file.is_file(), "there is no guest {name} at {}: run `cargo xtask guests`", file.display());
    file
}
