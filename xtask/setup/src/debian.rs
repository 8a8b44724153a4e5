//! Installs the Debian packages that the tests need, and only when one is missing.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::guests::C_PACKAGES;
use crate::run;

/// A probe that succeeds when the packages are there, and their names.
type Need = (&'static [&'static str], &'static [&'static str]);

const NEEDS: &[Need] = &[
    (&["curl", "--version"], &["curl", "ca-certificates"]),
    (&["git", "--version"], &["git"]),
    // The guests in C; the probe asks for the last of the packages, their library of the compiler.
    (&["sh", "-c", "clang-19 --version && wasm-ld-19 --version && test -e /usr/lib/wasm32-wasi/libc.a"], C_PACKAGES),
    (&["python3", "-c", "import venv, ensurepip"], &["python3", "python3-venv"]),
    (&["npm", "--version"], &["nodejs", "npm"]),
    // Servers that tests start for themselves; what the packages start by themselves, if anything, is not touched.
    (&["sh", "-c", "PATH=$PATH:/usr/sbin; command -v redis-server && command -v redis-cli"], &["redis-server"]),
    (&["sh", "-c", "PATH=$PATH:/usr/sbin; command -v mosquitto && command -v mosquitto_passwd"], &["mosquitto"]),
    (
        &["sh", "-c", "PATH=$(echo /usr/lib/postgresql/*/bin):$PATH; command -v postgres && command -v psql"],
        &["postgresql"],
    ),
];

/// The browser that the pages of `wharf dev` are tested in, and its driver: large, and Ubuntu has no such packages.
const BROWSER: &[Need] =
    &[(&["sh", "-c", "command -v chromium && command -v chromedriver"], &["chromium", "chromium-driver"])];

/// Installs what is missing. That there is no browser is told and no more: the tests that need it are skipped without it.
pub fn set_up() -> Result<()> {
    install(&missing(NEEDS))?;
    if let Err(error) = install(&missing(BROWSER)) {
        eprintln!("the browser for tests was not installed: {error:#}");
    }
    Ok(())
}

fn missing(needs: &[Need]) -> Vec<&'static str> {
    needs.iter().filter(|(probe, _)| !has(probe)).flat_map(|(_, packages)| packages.iter().copied()).collect()
}

/// Installs packages, as root or through sudo.
pub fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    println!("installing Debian packages: {}", packages.join(" "));
    let by_hand = format!("install these packages by hand: {}", packages.join(" "));
    apt_get(&["update", "--quiet"]).with_context(|| by_hand.clone())?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    apt_get(&[&install[..], packages].concat()).context(by_hand)
}

fn has(probe: &[&str]) -> bool {
    run::succeeds(&mut run::command(probe[0], &probe[1..]))
}

fn apt_get(args: &[&str]) -> Result<()> {
    let args = [&["DEBIAN_FRONTEND=noninteractive", "apt-get"][..], args].concat();
    let is_root = run::output(&mut run::command("id", &["-u"])).is_ok_and(|id| id.trim() == "0");
    let mut command = match is_root {
        true => run::command("env", &args),
        false if has(&["sudo", "--version"]) => run::command("sudo", &[&["env"][..], &args].concat()),
        false => bail!("not root and no sudo"),
    };
    quiet(&mut command)
}

/// Shows what apt-get says only when it fails: it is long and never read.
fn quiet(command: &mut Command) -> Result<()> {
    run::output(command).map(drop)
}
