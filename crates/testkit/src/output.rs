//! What a process prints, line by line, while it runs.

use crate::wait::BOUND;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The lines of one stream of a process. Clones are the same stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<String>,
    ended: bool,
}

impl Output {
    /// Starts reading `stream` on a thread of its own, which ends with the stream.
    pub(crate) fn read(stream: impl Read + Send + 'static) -> Self {
        let output = Self::default();
        let writer = output.clone();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
                writer.change(|lines| lines.lines.push(text));
                line.clear();
            }
            writer.change(|lines| lines.ended = true);
        });
        output
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Lines)) {
        change(&mut self.lock());
        self.0.1.notify_all();
    }

    /// Returns all lines until now, each with its end.
    pub(crate) fn text(&self) -> String {
        self.lock().lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Waits for a line that `wanted` takes. Absent if the stream ends without one, or [`BOUND`] passes.
    pub(crate) fn line(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        self.line_within(BOUND, wanted)
    }

    /// Waits for a line that `wanted` takes. Absent if the stream ends without one, or `bound` passes.
    pub(crate) fn line_within(&self, bound: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let find = |lines: &Lines| lines.lines.iter().find(|line| wanted(line)).cloned();
        let (lines, _) = self
            .0
            .1
            .wait_timeout_while(self.lock(), bound, |lines| find(lines).is_none() && !lines.ended)
            .unwrap_or_else(PoisonError::into_inner);
        find(&lines)
    }

    /// Waits for the end of the stream and returns all of it.
    pub(crate) fn whole(&self) -> String {
        let ended = self.0.1.wait_timeout_while(self.lock(), BOUND, |lines| !lines.ended);
        drop(ended.unwrap_or_else(PoisonError::into_inner));
        self.text()
    }
}
