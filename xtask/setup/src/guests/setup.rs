//! Installs the guests' toolchains that are missing, by name and pinned version; does nothing when all are there.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::recipe::run as run_command;
use super::tools::{self, PINS, RUST_TARGETS};
use super::{C_PACKAGES, Paths};

type Install = fn(&Paths) -> Result<()>;

/// Installs what it can and says what it cannot; guests without their toolchain are skipped later.
pub(crate) fn run(paths: &Paths) {
    let steps: [(&str, bool, Install); 5] = [
        ("Rust targets", RUST_TARGETS.iter().all(|target| tools::has_rust(target)), rust),
        ("C", tools::has_c(), c),
        ("Python", tools::has_python(paths), python),
        ("JavaScript", tools::has_javascript(paths), javascript),
        ("Go", tools::has_go(paths), go),
    ];
    for (name, there, install) in steps {
        if there {
            continue;
        }
        println!("installing the toolchain: {name}");
        if let Err(error) = install(paths) {
            eprintln!("{name} was not installed: {error:#}");
        }
    }
}

fn rust(_: &Paths) -> Result<()> {
    run_command(Command::new("rustup").args(["target", "add"]).args(RUST_TARGETS))
}

fn c(_: &Paths) -> Result<()> {
    let by_hand = format!("`apt-get install {}` as root", C_PACKAGES.join(" "));
    if !tools::has_program("apt-get") {
        bail!("no apt-get here; on Debian it is {by_hand}");
    }
    let install = ["install", "--yes", "--no-install-recommends"];
    run_command(Command::new("apt-get").args(["update", "--quiet"])).with_context(|| by_hand.clone())?;
    run_command(Command::new("apt-get").args(install).args(C_PACKAGES)).context(by_hand)
}

fn python(paths: &Paths) -> Result<()> {
    packages_of_python(paths, "py")
}

/// Go comes as a package of Python: Debian's is too old.
fn go(paths: &Paths) -> Result<()> {
    packages_of_python(paths, "go")
}

fn packages_of_python(paths: &Paths, tool: &str) -> Result<()> {
    let pins = paths.root.join("guests/tools").join(tool).join("requirements.txt");
    let home = paths.tools.join(tool);
    run_command(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let pip = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run_command(Command::new(home.join("bin/pip")).args(pip).arg(&pins))?;
    fs::copy(pins, home.join(PINS))?;
    Ok(())
}

fn javascript(paths: &Paths) -> Result<()> {
    let (home, pins) = (paths.tools.join("js"), paths.root.join("guests/tools/js/package.json"));
    fs::create_dir_all(&home)?;
    fs::copy(&pins, home.join("package.json"))?;
    // No lock file: npm writes into it only the optional packages of the platform where it was made.
    let npm = ["install", "--no-package-lock", "--no-audit", "--no-fund"];
    run_command(Command::new("npm").args(npm).current_dir(&home))?;
    fs::copy(pins, home.join(PINS))?;
    Ok(())
}
