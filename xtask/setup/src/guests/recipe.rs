//! How each kind of guest is built: text, a package of the guests' workspace, or the build command of a manifest.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, iter};

use anyhow::{Context as _, anyhow};
use wasmparser::{Validator, WasmFeatures};

use super::list::{Guest, Recipe};
use super::{Paths, c, tools};

/// Why there is no guest.
pub(crate) enum Failure {
    /// A toolchain is not there; the sentence names it and says how to get it.
    Missing(String),
    Broken(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Broken(error.into())
    }
}

/// Returns the bytes of a guest, validated.
pub(crate) fn build(guest: &Guest, paths: &Paths) -> Result<Vec<u8>, Failure> {
    let bytes = match &guest.recipe {
        Recipe::Wat { file } => wat::parse_file(file)?,
        Recipe::Package { name, target, profile } => package(name, target, profile, paths)?,
        Recipe::Command { command, dir, source } => run_command(command, dir, source, paths)?,
    };
    Validator::new_with_features(WasmFeatures::all()).validate_all(&bytes).context("the output is not valid")?;
    Ok(bytes)
}

fn package(name: &str, target: &str, profile: &str, paths: &Paths) -> Result<Vec<u8>, Failure> {
    tools::need_rust(target)?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--locked", "--target", target, "--profile", profile, "--package", name]);
    run(prepare(&mut cargo, paths).current_dir(paths.root.join("guests/rust")))?;
    let made = rust_target(paths).join(target).join(profile);
    let component = made.join(format!("{}.wasm", name.replace('-', "_")));
    // A binary keeps its dashes, a library does not.
    let binary = made.join(format!("{name}.wasm"));
    let output = if binary.exists() { binary } else { component };
    read(&output)
}

fn run_command(command: &str, dir: &Path, source: &Path, paths: &Paths) -> Result<Vec<u8>, Failure> {
    tools::need_for(command, paths)?;
    if let Some(rest) = command.strip_prefix("cargo xtask guests c ") {
        let args: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
        c::build(&args, dir, paths)?;
        return read(source);
    }
    if command.starts_with("cargo xtask") {
        return Err(anyhow!("a guest may not be built by `{command}`: it would build itself").into());
    }
    run(prepare(Command::new("sh").args(["-c", command]), paths).current_dir(dir))?;
    // The manifest names Cargo's own target folder; here all guests share one.
    match source.strip_prefix(dir.join("target")) {
        Ok(rest) => read(&rust_target(paths).join(rest)),
        Err(_) => read(source),
    }
}

/// Gives a build command the project's tools, the shared target folder, and no path of this machine to put into guests.
fn prepare<'a>(command: &'a mut Command, paths: &Paths) -> &'a mut Command {
    let old = env::var_os("PATH").unwrap_or_default();
    let all = tools::folders(paths).into_iter().chain(env::split_paths(&old));
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from).unwrap_or_else(|| home().join(".cargo"));
    let flags = [
        format!("--remap-path-prefix={}=/cargo", cargo_home.display()),
        format!("--remap-path-prefix={}=/wharf", paths.root.display()),
    ];
    if let Ok(joined) = env::join_paths(all) {
        command.env("PATH", joined);
    }
    command.env("CARGO_TARGET_DIR", rust_target(paths)).env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
}

/// Runs a command to its end; what it said is shown only when it failed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let words = iter::once(command.get_program()).chain(command.get_args());
    let shown = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let output = command.output().with_context(|| format!("cannot run {shown}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(anyhow!("{}\n{shown} ended with {}", String::from_utf8_lossy(&said), output.status))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    Ok(fs::read(file).with_context(|| format!("the build made no {}", file.display()))?)
}

fn rust_target(paths: &Paths) -> PathBuf {
    paths.guests.join("rust")
}

fn home() -> PathBuf {
    env::home_dir().unwrap_or_default()
}
