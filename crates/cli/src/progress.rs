//! A line for each build: in a terminal the running ones are shown at its end, elsewhere each change is a line.

use crate::logging::has_sequences;
use crate::output::{keep_at_end, talk};
use std::fmt::Write;
use std::time::Instant;
use wharf_build::{Built, Error};
use wharf_telemetry::{Size, clock};

/// Characters of a command line that are shown.
const COMMAND_COLUMNS: usize = 50;

/// What is running.
pub(crate) struct Progress {
    terminal: bool,
    running: Vec<(String, String, Instant)>,
}

impl Progress {
    pub(crate) fn on_stderr() -> Self {
        Self { terminal: has_sequences(), running: Vec::new() }
    }

    /// Shows that a command runs.
    pub(crate) fn start(&mut self, component: &str, command: &str) {
        if !self.terminal {
            talk(&format!("building {component}: {command}\n"));
        }
        self.running.push((component.to_owned(), command.to_owned(), clock::now()));
        self.redraw("");
    }

    /// Shows a line above those of what is running.
    pub(crate) fn line(&mut self, line: &str) {
        self.redraw(&format!("{line}\n"));
    }

    /// Shows what came of a component, and what its command said if it failed.
    pub(crate) fn done(&mut self, component: &str, result: &Result<Built, Error>, was_heard: bool) {
        self.running.retain(|(running, ..)| running != component);
        let mut text = String::new();
        match result {
            Ok(Built { took: Some(took), size_bytes, of_module, initialised, .. }) => {
                let made = if *of_module { ", made of a core module" } else { "" };
                let begun = if initialised.is_some() { ", initialised" } else { "" };
                let size = Size::from(*size_bytes);
                let _ = writeln!(text, "built {component} in {:.1} s: {size}{made}{begun}", took.as_secs_f64());
            }
            Ok(_) => {}
            Err(error) => {
                if !was_heard && !error.said().is_empty() {
                    let _ = writeln!(text, "{}", error.said().trim_end());
                }
            }
        }
        self.redraw(&text);
    }

    /// Shows the seconds anew.
    pub(crate) fn tick(&mut self) {
        if self.terminal && !self.running.is_empty() {
            self.redraw("");
        }
    }

    /// Writes `text` above the lines of what is running.
    fn redraw(&mut self, text: &str) {
        if !self.terminal {
            talk(text);
            return;
        }
        if !text.is_empty() {
            talk(text);
        }
        let columns = columns();
        let lines = self.running.iter().map(|(component, command, started)| {
            let seconds = clock::since(*started).as_secs_f64();
            cut(&format!("building {component:.20} {seconds:>5.1} s  {command:.COMMAND_COLUMNS$}"), columns)
        });
        keep_at_end(&lines.collect::<String>());
    }
}

/// Returns how wide the terminal is.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    // A terminal that does not know says zero.
    size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(80)
}

/// Returns a line that fits into so many columns: one that wraps could not be taken back.
fn cut(line: &str, columns: usize) -> String {
    let mut left = columns.saturating_sub(1);
    let mut cut = String::with_capacity(line.len() + 1);
    for c in line.chars().filter(|c| !c.is_control()) {
        // What is not ASCII may be two columns wide.
        let width = if c.is_ascii() { 1 } else { 2 };
        if width > left {
            break;
        }
        left -= width;
        cut.push(c);
    }
    cut.push('\n');
    cut
}

impl Drop for Progress {
    /// What was running when the user had enough is not any more.
    fn drop(&mut self) {
        self.running.clear();
        self.redraw("");
    }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn lines_fit_into_the_terminal() {
        assert_eq!(cut("building api   1.0 s  cargo\tbuild\n", 80), "building api   1.0 s  cargobuild\n");
        assert_eq!(cut("building api", 9), "building\n");
        assert_eq!(cut("語語語", 6), "語語\n");
        assert_eq!(cut("x", 0), "\n");
    }
}
