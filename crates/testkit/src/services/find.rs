//! Where the programs of the servers are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::guests::root;
use crate::services::skip;

/// Where servers are that a user's search path may not have.
const MORE_FOLDERS: &[&str] = &["/usr/sbin", "/usr/local/sbin"];

/// Where Debian has a folder for each version of PostgreSQL, none of them on the search path.
const POSTGRES: &str = "/usr/lib/postgresql";

/// Returns the file of a program, or tells that the test is skipped.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let found = folders().into_iter().map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        skip(&format!("{name} is not installed: `cargo xtask test` installs it"));
    }
    found
}

/// Returns the folders of programs: what `cargo xtask test` installed for the tests, the search path, and those of servers.
#[expect(clippy::disallowed_methods, reason = "which programs a machine has is what its search path says")]
fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let tools = root().join("target/tools/services/bin");
    let more = MORE_FOLDERS.iter().map(PathBuf::from);
    [tools].into_iter().chain(newest_postgres()).chain(env::split_paths(&path)).chain(more).collect()
}

fn newest_postgres() -> Option<PathBuf> {
    let versions = fs::read_dir(POSTGRES).ok()?.flatten().map(|entry| entry.file_name());
    let newest = versions.filter_map(|name| name.to_str()?.parse::<u32>().ok()).max()?;
    Some(Path::new(POSTGRES).join(newest.to_string()).join("bin"))
}
