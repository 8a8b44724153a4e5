//! Runs the build commands of a manifest, for components whose file is missing or older than its sources.
//!
//! In: an app and its folder. Out: files. Next: `node`, which reads them.

use crate::command_error::CommandError;
use crate::output::talk;
use globset::{Glob, GlobSet, GlobSetBuilder};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;
use wharf_app::{App, Build, Component, Source};

/// Folders that hold what builds make, or history, never sources.
const SKIPPED: &[&str] = &["target", "node_modules", ".git", ".wharf", "__pycache__", ".venv"];

/// How deep folders of sources may be nested: a link that leads up would never end.
const DEPTH: usize = 32;

/// Builds what is missing or stale.
pub(crate) fn stale(app: &App, folder: &Path) -> Result<(), CommandError> {
    for component in &app.components {
        if let Some(build) = &component.build
            && is_stale(component, build, folder)?
        {
            run(component, build, folder)?;
        }
    }
    Ok(())
}

fn run(component: &Component, build: &Build, folder: &Path) -> Result<(), CommandError> {
    let dir = sources(build, folder);
    add_rust_target(&build.command, &dir);
    talk(&format!("building {}: {}\n", component.name, build.command));
    let status = Command::new("sh")
        .arg("-c")
        .arg(&build.command)
        .current_dir(&dir)
        .stdin(Stdio::null())
        // Stdout is for data: what a build says is talk.
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| {
            CommandError::failed(format!("cannot run the build of {} in {}: {error}", component.name, dir.display()))
        })?;
    if !status.success() {
        let error = CommandError::failed(format!("the build of {} failed with {status}", component.name));
        return Err(error.hint(format!("it ran in {}: {}", dir.display(), build.command)));
    }
    let file = output(component, folder);
    if !file.is_file() {
        let error = CommandError::failed(format!("the build of {} wrote no {}", component.name, file.display()));
        return Err(error.hint("`source` in the manifest names the file that `build` makes"));
    }
    Ok(())
}

/// Adds the Rust target that a build names, where rustup is there and the target is not. A toolchain that was installed before its
/// `rust-toolchain.toml` lacks the targets that the file names, and rustup says nothing. If adding fails, so does the build, which says why.
fn add_rust_target(command: &str, dir: &Path) {
    let mut words = command.split_whitespace().skip_while(|word| *word != "--target").skip(1);
    let Some(target) = words.next().filter(|target| target.starts_with("wasm32-")) else { return };
    let libraries =
        quiet(Command::new("rustc").args(["--print", "target-libdir", "--target", target]).current_dir(dir));
    if libraries.is_none_or(|libraries| Path::new(&libraries).is_dir()) {
        return;
    }
    eprintln!("adding the Rust target {target}: rustup target add {target}");
    let _ = Command::new("rustup").args(["target", "add", target]).current_dir(dir).stdout(std::io::stderr()).status();
}

/// Returns what a command prints, if it can be run and succeeds.
fn quiet(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn is_stale(component: &Component, build: &Build, folder: &Path) -> Result<bool, CommandError> {
    let Ok(built) = std::fs::metadata(output(component, folder)).and_then(|data| data.modified()) else {
        return Ok(true);
    };
    let watch = globs(&build.watch).map_err(|error| {
        CommandError::usage(format!("component {}: `watch` has an invalid glob: {error}", component.name))
    })?;
    let dir = sources(build, folder);
    Ok(newest(&dir, &dir, watch.as_ref(), DEPTH).is_some_and(|newest| newest > built))
}

fn globs(patterns: &[String]) -> Result<Option<GlobSet>, globset::Error> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(Glob::new(pattern)?);
    }
    builder.build().map(Some)
}

/// Returns when the newest source in `folder` was changed. What cannot be read is no source.
fn newest(root: &Path, folder: &Path, watch: Option<&GlobSet>, depth: usize) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let times = entries.filter_map(|entry| {
        let path = entry.path();
        let data = entry.metadata().ok()?;
        if data.is_dir() {
            let skipped = SKIPPED.iter().any(|name| entry.file_name() == *name);
            return if skipped || depth == 0 { None } else { newest(root, &path, watch, depth - 1) };
        }
        let relative = path.strip_prefix(root).unwrap_or(&path);
        let is_source =
            watch.map_or_else(|| path.extension().is_none_or(|end| end != "wasm"), |watch| watch.is_match(relative));
        if is_source { data.modified().ok() } else { None }
    });
    times.max()
}

fn sources(build: &Build, folder: &Path) -> PathBuf {
    build.dir.as_ref().map_or_else(|| folder.to_owned(), |dir| folder.join(dir))
}

fn output(component: &Component, folder: &Path) -> PathBuf {
    match &component.source {
        Source::File(file) => folder.join(file),
        other => PathBuf::from(format!("{other:?}")),
    }
}
