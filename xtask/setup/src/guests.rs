//! Builds every example and every test guest from source into `target/guests/<name>.wasm`.
//!
//! A guest is built again only when its digest changed: its sources, what they build upon, and how they are built.

mod c;
mod digest;
mod list;
mod recipe;
mod setup;
#[cfg(test)]
mod tests;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use list::Guest;
use recipe::Failure;
pub(crate) use tools::C_PACKAGES;
pub use tools::has_program;

const USAGE: &str = "usage: cargo xtask guests [options]
       cargo xtask guests c <WIT folder> <world> <output> <C files...>

Builds the examples and the test guests into target/guests/<name>.wasm, those that changed.

options:
  --only NAME      build this guest, or all of this example; may be repeated
  --list           print the names and exit
  --setup          install the toolchains that are missing, then build
  --require-all    fail when a toolchain is missing
  --force          build also what did not change
";

/// Where things are; everything below `guests` is output.
pub(crate) struct Paths {
    pub(crate) root: PathBuf,
    pub(crate) guests: PathBuf,
    pub(crate) tools: PathBuf,
}

#[derive(Default)]
struct Options {
    only: Vec<String>,
    list: bool,
    setup: bool,
    require_all: bool,
    force: bool,
}

/// What became of one guest.
enum Outcome {
    Unchanged,
    Built,
    Missing,
    Failed,
}

/// Builds guests as the arguments say.
///
/// # Errors
/// When the arguments are wrong, or a guest cannot be built.
pub fn run(args: &[String]) -> Result<ExitCode> {
    let paths = Paths::find()?;
    if let Some(("c", rest)) = args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        c::build(rest, &env::current_dir()?, &paths)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(options) = parse(args) else {
        eprint!("{USAGE}");
        return Ok(ExitCode::from(2));
    };
    let guests = select(list::find(&paths)?, &options.only)?;
    if options.list {
        guests.iter().for_each(|guest| println!("{}", guest.name));
        return Ok(ExitCode::SUCCESS);
    }
    if options.setup {
        setup::run(&paths);
    }
    Ok(build_all(&guests, &options, &paths))
}

fn parse(args: &[String]) -> Option<Options> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--only" => options.only.push(args.next()?.clone()),
            "--list" => options.list = true,
            "--setup" => options.setup = true,
            "--require-all" => options.require_all = true,
            "--force" => options.force = true,
            _ => return None,
        }
    }
    Some(options)
}

fn select(guests: Vec<Guest>, only: &[String]) -> Result<Vec<Guest>> {
    for name in only {
        if !guests.iter().any(|guest| guest.is_called(name)) {
            bail!("no guest is called `{name}`; `cargo xtask guests --list` prints the names");
        }
    }
    let wanted = |guest: &Guest| only.is_empty() || only.iter().any(|name| guest.is_called(name));
    Ok(guests.into_iter().filter(wanted).collect())
}

fn build_all(guests: &[Guest], options: &Options, paths: &Paths) -> ExitCode {
    let (mut missing, mut failed, mut unchanged) = (0, 0, 0);
    for guest in guests {
        match build(guest, options.force, paths) {
            Outcome::Unchanged => unchanged += 1,
            Outcome::Built => {}
            Outcome::Missing => missing += 1,
            Outcome::Failed => failed += 1,
        }
    }
    println!("{} guests: {unchanged} unchanged, {missing} without their toolchain, {failed} failed", guests.len());
    match failed > 0 || (options.require_all && missing > 0) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// Builds one guest if it changed and prints a line about it.
fn build(guest: &Guest, force: bool, paths: &Paths) -> Outcome {
    let output = paths.guests.join(format!("{}.wasm", guest.name));
    let record = paths.guests.join(format!("{}.digest", guest.name));
    let digest = match digest::of(guest, paths) {
        Ok(digest) => digest,
        Err(error) => return failed(guest, &error),
    };
    if !force && output.exists() && fs::read_to_string(&record).is_ok_and(|known| known == digest) {
        return Outcome::Unchanged;
    }
    let started = Instant::now();
    match recipe::build(guest, paths).and_then(|bytes| Ok(keep(&bytes, &digest, &output, &record)?)) {
        Ok(size_bytes) => {
            println!("{:<24} {:>9} bytes  {:>6.1} s", guest.name, size_bytes, started.elapsed().as_secs_f64());
            Outcome::Built
        }
        Err(Failure::Missing(sentence)) => {
            println!("{:<24} skipped: {sentence}", guest.name);
            Outcome::Missing
        }
        Err(Failure::Broken(error)) => failed(guest, &error),
    }
}

fn failed(guest: &Guest, error: &anyhow::Error) -> Outcome {
    println!("{:<24} FAILED", guest.name);
    eprintln!("{error:#}");
    Outcome::Failed
}

/// Puts a finished guest in its place; its digest last, so that an interrupted build is repeated.
fn keep(bytes: &[u8], digest: &str, output: &Path, record: &Path) -> Result<usize> {
    let _ = fs::remove_file(record);
    let fresh = output.with_extension("wasm.new");
    fs::write(&fresh, bytes).with_context(|| format!("cannot write {}", fresh.display()))?;
    fs::rename(&fresh, output)?;
    fs::write(record, digest)?;
    Ok(bytes.len())
}

impl Paths {
    fn find() -> Result<Paths> {
        let root = crate::run::root();
        let paths = Paths { guests: root.join("target/guests"), tools: root.join("target/tools"), root };
        fs::create_dir_all(&paths.guests)?;
        fs::create_dir_all(&paths.tools)?;
        Ok(paths)
    }
}
