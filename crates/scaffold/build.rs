//! Makes a table of the files in `templates` and `wit`, so that the program carries them.

#![allow(clippy::disallowed_methods, reason = "a build script's settings are its environment")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// A package with that one dependency, of which cargo says where it is.
const GO_RUNTIME_MANIFEST: &str = r#"
[package]
name = "go-runtime"
version = "0.0.0"
edition = "2024"

[lib]
path = "lib.rs"

[dependencies]
wit-bindgen-go = { version = "*", default-features = false }

[workspace]
"#;

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)? + "/../..";
    let mut code = String::new();
    let own = |folder: &str| Path::new(&root).join(folder);
    let tables = [("TEMPLATES", own("templates")), ("WIT", own("wit")), ("GO_RUNTIME", go_runtime(&root)?)];
    for (table, folder) in tables {
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        collect(&folder, "", &mut files)?;
        if table == "GO_RUNTIME" {
            let is_code = |file: &String| file.ends_with(".go") || file.ends_with(".s");
            files.retain(|file| is_code(file) || file == "go.mod" || file == "LICENSE");
        }
        files.sort();
        let _ = writeln!(code, "pub(crate) static {table}: &[(&str, &[u8])] = &[");
        for file in files {
            let path = folder.join(&file);
            let _ = writeln!(code, "    ({file:?}, include_bytes!({:?})),", path.display().to_string());
        }
        code.push_str("];\n");
    }
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("embedded.rs"), code)
}

/// Returns the folder of the library that Go bindings call. It is part of the crate that makes them, so both are of one version.
///
/// Cargo is asked about a package that depends on this crate alone: of the whole workspace it knows only once it has downloaded what
/// tests and other platforms need, which a first build does not.
fn go_runtime(root: &str) -> io::Result<PathBuf> {
    let variable = |name| env::var(name).map_err(io::Error::other);
    let lock = Path::new(root).join("Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let folder = Path::new(&variable("OUT_DIR")?).join("go-runtime");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("Cargo.toml"), GO_RUNTIME_MANIFEST)?;
    fs::write(folder.join("lib.rs"), "")?;
    // Of the versions that would do, cargo takes the one that is locked.
    fs::copy(lock, folder.join("Cargo.lock"))?;
    let output = Command::new(variable("CARGO")?)
        .args(["metadata", "--offline", "--format-version", "1", "--filter-platform", &variable("TARGET")?])
        .current_dir(&folder)
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.filter(|package| package["name"] == "wit-bindgen-go").find_map(|package| {
        let manifest = package["manifest_path"].as_str()?;
        Some(Path::new(manifest).parent()?.join("src/pkg"))
    });
    found.ok_or_else(|| io::Error::other("cargo does not know where wit-bindgen-go is"))
}

/// Adds every file below a folder, by its path with `/`.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| io::Error::other(format!("{name:?} is no UTF-8")))?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else {
            files.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}
