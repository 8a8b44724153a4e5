//! What goes to stdout and stderr. Whoever closes a pipe has read enough: that is no failure.

use crate::command_error::CommandError;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// Writes what a command was asked for to stdout, as it is, and returns the command's exit code.
pub(crate) fn data(text: &str) -> Result<ExitCode, CommandError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CommandError::failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Writes to stderr, as it is. `eprint!` would panic when nobody reads there.
pub(crate) fn talk(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
