//! How each server under test is started.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::{Bench, require};

#[derive(Clone, Debug)]
pub(crate) enum Launch {
    /// This program, on one core, with every limit at its default.
    Wharf { app: PathBuf, state: PathBuf, more: Vec<String> },
    /// `wharf dev`, with the search path `tools`.
    Dev { app: PathBuf, state: PathBuf, tools: OsString },
    /// `wasmtime serve`; compiled code is kept in a folder of its own.
    Serve { component: PathBuf, cache: PathBuf, more: Vec<String> },
    /// The native server: its flavour.
    Native(&'static str),
}

impl Launch {
    /// Returns the command that serves at an address.
    pub(crate) fn command(&self, address: SocketAddr, bench: &Bench) -> Result<Command> {
        match self {
            Launch::Wharf { app, state, more } => {
                require(&bench.wharf)?;
                let mut command = Command::new(&bench.wharf);
                command.arg("up").arg(app).args(["--listen", &address.to_string()]);
                command.args(["--json", "--cores", "1", "--access-log", "off", "--state"]).arg(state).args(more);
                Ok(command)
            }
            Launch::Dev { app, state, tools } => {
                require(&bench.wharf)?;
                let mut command = Command::new(&bench.wharf);
                command.arg("dev").arg(app).args(["--listen", &address.to_string(), "--state"]).arg(state);
                command.env("PATH", tools);
                Ok(command)
            }
            Launch::Serve { component, cache, more } => {
                require(&bench.wasmtime)?;
                fs::create_dir_all(cache)?;
                let config = cache.with_extension("toml");
                fs::write(&config, format!("[cache]\ndirectory = {:?}\n", cache.canonicalize()?))?;
                let mut command = Command::new(&bench.wasmtime);
                command.args(["serve", "--addr", &address.to_string(), "-Scli"]);
                command.arg(format!("-Ccache-config={}", config.display())).args(more).arg(component);
                Ok(command)
            }
            Launch::Native(flavour) => {
                require(&bench.native)?;
                let mut command = Command::new(&bench.native);
                command.args([&address.to_string(), *flavour]);
                Ok(command)
            }
        }
    }
}
