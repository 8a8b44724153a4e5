//! C sources → component: bindings by `wit-bindgen-c`, core module by clang, component by `wit-component`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use wasi_preview1_component_adapter_provider as adapter;
use wit_bindgen_core::Files;
use wit_component::ComponentEncoder;
use wit_parser::Resolve;

use super::{Paths, recipe};

/// Builds from `[--debug] <WIT folder> <world> <output> <C files...>`, all relative to `dir`.
pub(crate) fn build(args: &[String], dir: &Path, paths: &Paths) -> Result<()> {
    let (kept, args) = match args.split_first() {
        Some((first, rest)) if first == "--debug" => (Kept::Everything, rest),
        _ => (Kept::Names, args),
    };
    let [wit, world, output, sources @ ..] = args else {
        bail!("usage: cargo xtask guests c [--debug] <WIT folder> <world> <output> <C files...>");
    };
    // Two examples may call their output the same.
    let folder = dir.file_name().unwrap_or_default().to_string_lossy();
    let work = paths.guests.join("c").join(format!("{folder}-{output}"));
    let bindings = generate(&dir.join(wit), world, &work)?;
    let core = work.join("core.wasm");
    compile(sources.iter().map(|source| dir.join(source)).chain(bindings), &work, &core, kept)?;

    let module = fs::read(core)?;
    let reactor = adapter::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;
    let component = ComponentEncoder::default()
        .module(&module)?
        .adapter(adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, reactor)?
        .validate(true)
        .encode()
        .context("the module does not fit its world")?;
    fs::write(dir.join(output), component)?;
    Ok(())
}

/// Writes the bindings of a world and returns the files that are to be compiled and linked.
fn generate(wit: &Path, world: &str, work: &Path) -> Result<Vec<PathBuf>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit).with_context(|| format!("cannot read WIT in {}", wit.display()))?;
    let world = resolve.select_world(&[package], Some(world))?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;

    fs::create_dir_all(work)?;
    let mut linked = Vec::new();
    for (name, bytes) in files.iter() {
        let file = work.join(name);
        fs::write(&file, bytes)?;
        if !name.ends_with(".h") {
            linked.push(file);
        }
    }
    Ok(linked)
}

/// What is kept for those who look for a mistake.
#[derive(Clone, Copy)]
enum Kept {
    /// Small and quick: names of functions.
    Names,
    /// Every variable in its place, and DWARF that says where.
    Everything,
}

fn compile(sources: impl Iterator<Item = PathBuf>, include: &Path, output: &Path, kept: Kept) -> Result<()> {
    let mut clang = Command::new("clang-19");
    clang.args(["--target=wasm32-wasi", "-mexec-model=reactor", "-Wall", "-Wextra", "-Werror"]);
    clang.args(match kept {
        Kept::Names => ["-Os", "-Wl,--strip-debug"],
        Kept::Everything => ["-O0", "-g"],
    });
    // Generated bindings leave some parameters unused.
    clang.args(["-Wno-unused-parameter", "-I"]);
    recipe::run(clang.arg(include).args(sources).arg("-o").arg(output))
}
