//! Which toolchain a guest needs, whether it is there, and the sentence that says how to get it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use super::Paths;
use super::recipe::Failure;

pub(crate) const RUST_TARGETS: &[&str] = &["wasm32-wasip2", "wasm32-wasip1", "wasm32-unknown-unknown"];
pub(crate) const C_PACKAGES: &[&str] = &["clang-19", "lld-19", "llvm-19", "wasi-libc", "libclang-rt-19-dev-wasm32"];
/// The file of a tool folder that says which pins it was installed from.
pub(crate) const PINS: &str = ".pins";

const SETUP: &str = "`cargo xtask guests --setup` installs it";

/// Returns the folders of programs that build commands may use.
pub(crate) fn folders(paths: &Paths) -> [PathBuf; 2] {
    [paths.tools.join("py/bin"), paths.tools.join("js/node_modules/.bin")]
}

/// Says what is missing for a build command, judged by its first words.
pub(crate) fn need_for(command: &str, paths: &Paths) -> Result<(), Failure> {
    let mut words = command.split_whitespace();
    match words.next() {
        Some("cargo") if words.next() == Some("xtask") => need_c(),
        Some("cargo") => match words.skip_while(|word| *word != "--target").nth(1) {
            Some(target) => need_rust(target),
            None => Ok(()),
        },
        Some("componentize-py") => need("Python's componentize-py (it needs python3) is", has_python(paths)),
        Some("jco") => need("JavaScript's jco (it needs Node.js 20) is", has_javascript(paths)),
        _ => Ok(()),
    }
}

pub(crate) fn need_rust(target: &str) -> Result<(), Failure> {
    need(&format!("Rust's standard library for {target} (`rustup target add {target}`) is"), has_rust(target))
}

fn need_c() -> Result<(), Failure> {
    need(&format!("the C toolchain (Debian: {}) is", C_PACKAGES.join(" ")), has_c())
}

fn need(what: &str, there: bool) -> Result<(), Failure> {
    match there {
        true => Ok(()),
        false => Err(Failure::Missing(format!("{what} missing; {SETUP}"))),
    }
}

pub(crate) fn has_rust(target: &str) -> bool {
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

pub(crate) fn has_c() -> bool {
    has_program("clang-19") && has_program("wasm-ld-19") && Path::new("/usr/lib/wasm32-wasi/libc.a").exists()
}

pub(crate) fn has_python(paths: &Paths) -> bool {
    paths.tools.join("py/bin/componentize-py").exists() && pins_match(paths, "py", "requirements.txt")
}

pub(crate) fn has_go(paths: &Paths) -> bool {
    paths.tools.join("go/bin/go").exists() && pins_match(paths, "go", "requirements.txt")
}

pub(crate) fn has_javascript(paths: &Paths) -> bool {
    has_program("node")
        && paths.tools.join("js/node_modules/.bin/jco").exists()
        && pins_match(paths, "js", "package.json")
}

fn pins_match(paths: &Paths, tool: &str, pins: &str) -> bool {
    let wanted = fs::read(paths.root.join("guests/tools").join(tool).join(pins));
    let installed = fs::read(paths.tools.join(tool).join(PINS));
    matches!((wanted, installed), (Ok(wanted), Ok(installed)) if wanted == installed)
}

/// Tells whether a program is on the search path and answers.
pub fn has_program(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|dir| dir.join(name).is_file());
    found && Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}
