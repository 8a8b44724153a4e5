//! The tools of the languages that components are written in, as `cargo xtask guests --setup` installs them: shared by all tests, so that
//! none installs them for itself.

use crate::guests::root;
use crate::services::skip;
use std::env;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Returns the folders of programs: those that were installed for tests, then the search path.
fn folders() -> Vec<PathBuf> {
    let tools = ["go/bin", "js/node_modules/.bin", "py/bin"].map(|folder| root().join("target/tools").join(folder));
    #[expect(clippy::disallowed_methods, reason = "which programs a machine has is what its search path says")]
    let path = env::var_os("PATH").unwrap_or_default();
    tools.into_iter().chain(env::split_paths(&path)).collect()
}

/// Returns the environment of builds: where programs are, and where compilers keep what they made before.
pub fn environment() -> Vec<(String, String)> {
    let path = env::join_paths(folders()).unwrap_or_default();
    let go = root().join("target/testkit/go");
    let pairs = [
        ("PATH", path.to_string_lossy().into_owned()),
        ("GOCACHE", go.display().to_string()),
        // What a build needs comes with it.
        ("GOPROXY", "off".to_owned()),
        ("GOTOOLCHAIN", "local".to_owned()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Tells whether all of these programs are there; if not, that the test is skipped.
pub fn are_there(programs: &[&str]) -> bool {
    let is_there = |program: &&&str| folders().iter().any(|folder| folder.join(program).is_file());
    match programs.iter().find(|program| !is_there(program)) {
        None => true,
        Some(program) => {
            skip(&format!("{program} is not installed: `cargo xtask guests --setup` installs it"));
            false
        }
    }
}

/// Gives a project the packages that all tests share, where its own build would install them, and the folder of a Rust project the target
/// folder that all of them share.
///
/// # Panics
/// When the links cannot be made.
pub fn share(project: &Path) {
    let tools = root().join("target/tools");
    let link = |target: &Path, name: &str| symlink(target, project.join(name)).expect("a link can be made");
    if project.join("package.json").is_file() {
        link(&tools.join("js/node_modules"), "node_modules");
        touch(&tools.join("js/node_modules/.package-lock.json"));
    }
    if project.join("requirements.txt").is_file() {
        link(&tools.join("py"), ".venv");
        touch(&tools.join("py/.installed"));
    }
    if project.join("Cargo.toml").is_file() {
        let target = root().join("target/testkit/rust");
        fs::create_dir_all(&target).expect("a folder can be made");
        link(&target, "target");
    }
}

/// Makes a file look as if it had been written now: builds compare it with the project's own.
fn touch(file: &Path) {
    let opened = File::options().append(true).create(true).open(file).expect("a file of the tools can be written");
    #[expect(clippy::disallowed_methods, reason = "the time of a file is compared with that of others by builds")]
    let now = SystemTime::now();
    opened.set_modified(now).expect("the time of a file can be set");
}
