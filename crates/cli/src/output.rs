//! What goes to stdout and stderr. Whoever closes a pipe has read enough: that is no failure.
//!
//! Invariant: what is kept at the end of a terminal stays at its end, whoever writes to stderr. So nobody writes there but by this file.

use crate::command_error::CommandError;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

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
    let _ = Talk.write_all(text.as_bytes());
}

/// stderr, for those who take a writer.
#[derive(Clone, Copy)]
pub(crate) struct Talk;

impl Write for Talk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let mut screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
        let text = screen.with(bytes);
        std::io::stderr().lock().write_all(&text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps these lines at the end of the terminal, in the place of those before. Each has to fit into one line of it.
pub(crate) fn keep_at_end(lines: &str) {
    let mut screen = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let text = screen.keep(lines);
    let _ = std::io::stderr().lock().write_all(&text);
}

/// One for the process, as there is one stderr.
static SCREEN: Mutex<Screen> = Mutex::new(Screen { kept: String::new(), drawn: 0, is_inside: false });

/// What is known of the end of the terminal.
struct Screen {
    /// The lines that are kept there.
    kept: String,
    /// How many of them are on the screen.
    drawn: usize,
    /// Whether somebody wrote half a line.
    is_inside: bool,
}

impl Screen {
    /// Returns what to write so that `bytes` stand above what is kept.
    fn with(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut text = self.taken_back();
        text.extend_from_slice(bytes);
        if let Some(last) = bytes.last() {
            self.is_inside = *last != b'\n';
        }
        self.draw(&mut text);
        text
    }

    fn keep(&mut self, lines: &str) -> Vec<u8> {
        let mut text = self.taken_back();
        lines.clone_into(&mut self.kept);
        self.draw(&mut text);
        text
    }

    fn taken_back(&mut self) -> Vec<u8> {
        // Up one line, and empty it.
        b"\x1b[1A\x1b[2K".repeat(std::mem::take(&mut self.drawn))
    }

    fn draw(&mut self, text: &mut Vec<u8>) {
        if !self.is_inside {
            text.extend_from_slice(self.kept.as_bytes());
            self.drawn = self.kept.lines().count();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Screen;

    #[test]
    fn what_is_kept_stays_at_the_end() {
        let mut screen = Screen { kept: String::new(), drawn: 0, is_inside: false };
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace("\x1b[1A\x1b[2K", "^");
        assert_eq!(text(screen.with(b"a\n")), "a\n");
        assert_eq!(text(screen.keep("1\n2\n")), "1\n2\n");
        assert_eq!(text(screen.with(b"b\n")), "^^b\n1\n2\n");
        // Half a line is not torn apart.
        assert_eq!(text(screen.with(b"c")), "^^c");
        assert_eq!(text(screen.keep("3\n")), "");
        assert_eq!(text(screen.with(b"d\n")), "d\n3\n");
        assert_eq!(text(screen.keep("")), "^");
        assert_eq!(text(screen.with(b"e\n")), "e\n");
    }
}
