//! Installs what is missing, with the commands that the checks named.
//!
//! In: checks. Out: commands that were run. Next: the checks are made again.

use super::needs::Needs;
use super::{Check, State};
use crate::command_error::CommandError;
use crate::output::talk;
use std::path::Path;
use std::process::{Command, Stdio};
use wharf_build::tools::{Install, Scope, Search};

/// Installs what is bad, each thing once. What cannot be installed is told and stays bad.
pub(super) fn run(checks: &[Check], folder: &Path, needs: &Needs, search: &Search) -> Result<(), CommandError> {
    let mut done: Vec<&str> = Vec::new();
    let mut is_fresh = false;
    for check in checks.iter().filter(|check| check.state == State::Bad) {
        let Some(install) = check.install else {
            talk(&format!("{}: nothing on this machine installs it\n", check.name));
            continue;
        };
        if done.contains(&install.command) {
            continue;
        }
        done.push(install.command);
        if install.scope == Scope::Project && needs.app.is_none() {
            talk(&format!("{}: it is installed into a project; builds do that\n", check.name));
            continue;
        }
        let Some(before) = way(install, search) else {
            talk(&format!("{}: only an administrator may run `{}`\n", check.name, install.command));
            continue;
        };
        if install.by == "apt-get" && !is_fresh {
            // Without a list of packages none is found; a list that is there is good enough.
            let _ = shell(before, "apt-get update --quiet", folder, search);
            is_fresh = true;
        }
        if !shell(before, install.command, folder, search)? {
            talk(&format!("{}: `{}` failed\n", check.name, install.command));
        }
    }
    Ok(())
}

/// Returns the words before a command that let it be run; nothing if it may not.
fn way(install: &Install, search: &Search) -> Option<&'static [&'static str]> {
    if install.scope != Scope::Machine || rustix::process::geteuid().is_root() {
        return Some(&[]);
    }
    let sudo = search.program("sudo")?;
    let asked = Command::new(sudo).args(["-n", "true"]).stdin(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success()).then_some(&["sudo", "-n"])
}

/// Runs a command line, and tells it first. Returns whether it succeeded.
fn shell(before: &[&str], line: &str, folder: &Path, search: &Search) -> Result<bool, CommandError> {
    talk(&format!("+ {}{line}\n", before.iter().map(|word| format!("{word} ")).collect::<String>()));
    let mut words = before.iter().copied().chain(["sh", "-c", line]);
    let mut command = Command::new(words.next().unwrap_or("sh"));
    command.args(words).env("PATH", search.path()).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    if folder.is_dir() {
        command.current_dir(folder);
    }
    // Stdout is for the report.
    let status = command.stdout(std::io::stderr()).status();
    let status = status.map_err(|error| CommandError::failed(format!("cannot run {line}: {error}")))?;
    Ok(status.success())
}
