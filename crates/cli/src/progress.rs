//! A line for each build: in a terminal the running ones are shown at its end, elsewhere each change is a line.

use crate::output::talk;
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Instant;
use wharf_build::{Built, Error};
use wharf_telemetry::{Size, clock};

/// Columns of a command line that are shown: a line that wraps could not be taken back.
const COMMAND_COLUMNS: usize = 50;

/// What is running, and how much of it is on the screen.
pub(crate) struct Progress {
    terminal: bool,
    running: Vec<(String, String, Instant)>,
    drawn: usize,
}

impl Progress {
    pub(crate) fn on_stderr() -> Self {
        Self { terminal: std::io::stderr().is_terminal(), running: Vec::new(), drawn: 0 }
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
        if self.terminal && self.drawn > 0 {
            self.redraw("");
        }
    }

    /// Takes back the lines of what is running, writes `text`, and writes them again.
    fn redraw(&mut self, text: &str) {
        if !self.terminal {
            talk(text);
            return;
        }
        let mut screen = String::new();
        for _ in 0..self.drawn {
            // Up one line, and empty it.
            screen.push_str("\x1b[1A\x1b[2K");
        }
        screen.push_str(text);
        for (component, command, started) in &self.running {
            let shown: String = command.chars().filter(|c| !c.is_control()).take(COMMAND_COLUMNS).collect();
            let seconds = clock::since(*started).as_secs_f64();
            let _ = writeln!(screen, "building {component:.20} {seconds:>5.1} s  {shown}");
        }
        self.drawn = self.running.len();
        talk(&screen);
    }
}

impl Drop for Progress {
    /// What was running when the user had enough is not any more.
    fn drop(&mut self) {
        self.running.clear();
        self.redraw("");
    }
}
