//! Makes a table of the files in `templates` and `wit`, so that the program carries them.

#![allow(clippy::disallowed_methods, reason = "a build script's settings are its environment")]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)? + "/../..";
    let mut code = String::new();
    for (table, folder) in [("TEMPLATES", "templates"), ("WIT", "wit")] {
        let folder = Path::new(&root).join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        collect(&folder, "", &mut files)?;
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
