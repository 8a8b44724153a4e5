//! A test that runs in a process of its own, for what ends a process or is set for one as a whole.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Where the process finds its data; without it, the test is not to play its role.
const FOLDER: &str = "WHARF_TEST_FOLDER";

/// A process that plays a role.
pub(crate) struct Player {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// Starts this binary again with one test, by a script of the shell if there is one.
pub(crate) fn play(test: &str, folder: &Path, shell: Option<&str>) -> Player {
    let own = std::env::current_exe().unwrap();
    let mut command = match shell {
        Some(script) => {
            let mut command = Command::new("/bin/bash");
            command.args(["-c", script]).arg(own);
            command
        }
        None => Command::new(own),
    };
    command.args(["--exact", test, "--nocapture", "--test-threads", "1"]).env(FOLDER, folder);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    Player { child, lines }
}

/// Returns the folder of the role. Nothing, where the test runs for itself.
#[expect(clippy::disallowed_methods, reason = "the process was started with it")]
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

impl Player {
    /// Returns the next line that the process wrote; nothing after its end.
    pub(crate) fn line(&mut self) -> Option<String> {
        self.lines.next().and_then(Result::ok)
    }

    /// Kills it with SIGKILL, and returns the lines that it had written before.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.map_while(Result::ok).collect()
    }

    /// Waits for its end, which has to be a good one.
    pub(crate) fn succeeds(mut self) {
        let words: Vec<String> = self.lines.by_ref().map_while(Result::ok).collect();
        let status = self.child.wait().unwrap();
        let words = words.join("\n");
        assert!(status.success() && words.contains("1 passed"), "{status}:\n{words}");
    }
}
