//! Ends a server whose test cannot: a test that is killed, or that aborts, runs no destructor.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Waits at a pipe that closes with the test's process. A line in it says that all is well.
///
/// A server that is paused hears no signal but the last one, so it is also told to go on. It has ten seconds, then it is killed:
/// postgres gives its own processes five. What it started may outlive it for a moment, and write to the folder until then.
const SCRIPT: &str = r#"
read -r _ && exit 0
kill -s "$2" "$1"
kill -s CONT "$1"
looks=0
while kill -0 "$1" && test "$looks" -lt 100; do sleep 0.1; looks=$((looks + 1)); done
kill -s KILL "$1"
looks=0
until rm -rf -- "$3" || test "$looks" -ge 100; do sleep 0.1; looks=$((looks + 1)); done
"#;

/// Watches over one server process. Dropped without [`Guard::dismiss`], it acts as if the test had died.
///
/// A shell, because the kernel's own signal at a parent's death is that of the thread which started the server, and a test may
/// hand its server to another thread.
#[derive(Debug)]
pub(super) struct Guard(Child);

impl Guard {
    /// Starts watching: when this process is gone, the server gets `signal`, and its folder is removed.
    pub(super) fn watch(server: u32, signal: &str, folder: &Path) -> Guard {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "guard", &server.to_string(), signal]).arg(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Of its own process group: the runner kills the group of a test that takes too long.
        let child = command.process_group(0).spawn();
        Guard(child.unwrap_or_else(|error| panic!("cannot start sh: {error}")))
    }

    /// Ends watching. To be called before the server's process is waited for: after that its id may be somebody else's.
    pub(super) fn dismiss(mut self) {
        if let Some(mut pipe) = self.0.stdin.take() {
            // A guard that is gone needs no word.
            let _ = pipe.write_all(b"\n");
        }
        let _ = self.0.wait();
    }
}
