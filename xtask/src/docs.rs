//! `cargo xtask docs`: writes the reference pages that the program itself makes. A test of `cli` compares them.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use xtask_setup::run;

/// What the program calls a page, and its file.
const PAGES: &[(&str, &str)] = &[
    ("cli", "cli.md"),
    ("manifest", "manifest.md"),
    ("schema", "manifest.schema.json"),
    ("test-schema", "tests.schema.json"),
];

pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    if !args.is_empty() {
        bail!("usage: cargo xtask docs");
    }
    let folder = run::root().join("docs/reference");
    fs::create_dir_all(&folder)?;
    // As tests build it: of one package alone, what it depends on has other features and is compiled once more.
    run::succeed(&mut run::command("cargo", &["build", "--quiet", "--locked", "--workspace", "--bin", "wharf"]))?;
    for (page, file) in PAGES {
        let text = run::output(&mut run::command("target/debug/wharf", &["reference", page]))?;
        fs::write(folder.join(file), text).with_context(|| format!("cannot write {file}"))?;
        println!("docs/reference/{file}");
    }
    Ok(ExitCode::SUCCESS)
}
