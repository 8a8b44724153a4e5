//! What a path with WIT is: a component, a file, a folder, or a package in binary form.
//!
//! In: a path. Out: [`Wit`]. Next: `wharf_wit`.

use crate::command_error::{CommandError, chain};
use crate::report;
use std::io::Read;
use std::path::{Path, PathBuf};
use wharf_wit::{Dependency, Finding, Folder, Parsed, Side, SourceFile, TEXT_LEN_MAX, has_errors, render};

/// Bytes of a component: those with an interpreter and all its modules have 100 MB.
const BINARY_LEN_MAX: u64 = 512 << 20;

/// Files in one folder, and entries in its `deps`.
const FILES_MAX: usize = 1000;

/// The interface that is in a path.
pub(crate) enum Wit {
    /// Of texts.
    Text(Box<Parsed>),
    /// Of a component or a package in binary form.
    Binary(Box<wharf_component::Wit>),
}

impl Wit {
    pub(crate) fn side(&self) -> Side<'_> {
        match self {
            Self::Text(parsed) => parsed.side(),
            Self::Binary(wit) => Side { resolve: &wit.resolve, package: wit.package, world: wit.world },
        }
    }
}

/// Reads whatever has an interface. What is wrong with texts is told as `wharf wit check` tells it.
pub(crate) fn read(path: &Path) -> Result<Wit, CommandError> {
    if path.is_file() {
        let bytes = bytes(path)?;
        if bytes.starts_with(b"\0asm") {
            let wit = wharf_component::wit(&bytes)
                .map_err(|error| CommandError::usage(format!("[WHARF-0002] {}: {}", path.display(), chain(&error))))?;
            return Ok(Wit::Binary(Box::new(wit)));
        }
    }
    let folder = folder(path)?;
    match wharf_wit::parse(&folder) {
        Ok(parsed) => Ok(Wit::Text(Box::new(parsed))),
        Err(findings) => Err(told(&findings, &folder)),
    }
}

/// Returns findings as the error of a command.
pub(crate) fn told(findings: &[Finding], folder: &Folder) -> CommandError {
    let text = render(findings, folder, &report::palette());
    if !has_errors(findings) {
        return CommandError::rendered(text);
    }
    let is_error = |finding: &&Finding| has_errors(std::slice::from_ref(*finding));
    let count = findings.iter().filter(is_error).count();
    let count = if count == 1 { "1 error".to_owned() } else { format!("{count} errors") };
    CommandError::rendered(format!("{}\n{count}", text.trim_end()))
}

/// Reads a folder with its `deps`, or one file with the `deps` beside it.
pub(crate) fn folder(path: &Path) -> Result<Folder, CommandError> {
    if path.is_file() {
        let beside = path.parent().unwrap_or(Path::new("."));
        return Ok(Folder { files: vec![text(path)?], deps: deps(beside)? });
    }
    if !path.is_dir() {
        let error = CommandError::usage(format!("there is no {}", path.display()));
        return Err(error.hint("give a folder with .wit files, a .wit file, or a component"));
    }
    let files = texts(path)?;
    if files.is_empty() {
        let error = CommandError::usage(format!("there is no .wit file in {}", path.display()));
        let nested = path.join("wit");
        return Err(match nested.is_dir() {
            true => error.hint(format!("did you mean {}?", nested.display())),
            false => error.hint("a WIT package is a folder of .wit files, with what it uses in `deps` below it"),
        });
    }
    Ok(Folder { files, deps: deps(path)? })
}

fn deps(folder: &Path) -> Result<Vec<Dependency>, CommandError> {
    let deps = folder.join("deps");
    if !deps.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for path in entries(&deps)? {
        let is = |wanted: &str| path.extension().is_some_and(|extension| extension == wanted);
        if path.is_dir() {
            let files = texts(&path)?;
            found.extend((!files.is_empty()).then_some(Dependency::Text(files)));
        } else if is("wit") {
            found.push(Dependency::Text(vec![text(&path)?]));
        } else if is("wasm") {
            found.push(Dependency::Binary { name: path.display().to_string(), bytes: bytes(&path)? });
        }
    }
    Ok(found)
}

fn texts(folder: &Path) -> Result<Vec<SourceFile>, CommandError> {
    let is_text = |path: &PathBuf| path.is_file() && path.extension().is_some_and(|extension| extension == "wit");
    entries(folder)?.iter().filter(|path| is_text(path)).map(|path| text(path)).collect()
}

/// Returns what is in a folder, in the order of names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let failed = |error: std::io::Error| CommandError::usage(format!("cannot read {}: {error}", folder.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        found.push(entry.map_err(failed)?.path());
        if found.len() > FILES_MAX {
            return Err(CommandError::usage(format!("{} has more than {FILES_MAX} entries", folder.display())));
        }
    }
    found.sort();
    Ok(found)
}

fn text(path: &Path) -> Result<SourceFile, CommandError> {
    let name = path.display().to_string();
    let bytes = bounded(path, TEXT_LEN_MAX as u64)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        CommandError::usage(format!("{name} is no text: byte {} is not UTF-8", error.utf8_error().valid_up_to()))
    })?;
    Ok(SourceFile { name, text })
}

fn bytes(path: &Path) -> Result<Vec<u8>, CommandError> {
    bounded(path, BINARY_LEN_MAX)
}

fn bounded(path: &Path, limit: u64) -> Result<Vec<u8>, CommandError> {
    let failed = |error: std::io::Error| CommandError::usage(format!("cannot read {}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        let size = wharf_app::format_size(limit);
        return Err(CommandError::usage(format!("{} is longer than {size}", path.display())));
    }
    Ok(bytes)
}
