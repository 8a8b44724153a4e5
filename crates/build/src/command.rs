//! Runs one command line to its end: with a deadline, its words captured, and nothing of it left behind.
//!
//! In: a command line and where to run it. Out: how it ended and what it said. Next: [`crate::build`].
//!
//! Invariant: when the future is dropped, the command and all that it started are killed.

use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

/// What is kept of a command's words: its last part, where the mistake is.
const KEPT_BYTES: usize = 256 << 10;

/// How long a command that was asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// How long the words of what a command left behind are waited for when it ended.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What to run.
pub(crate) struct Line<'a> {
    pub(crate) command: &'a str,
    pub(crate) dir: &'a Path,
    pub(crate) path: &'a OsStr,
    pub(crate) timeout: Duration,
}

/// How a command ended.
pub(crate) struct Ended {
    /// Absent when its time was up.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) said: String,
}

/// Runs a command line in the system's shell. `heard` gets each of its lines at once.
pub(crate) async fn run(line: &Line<'_>, heard: &dyn Fn(&str)) -> io::Result<Ended> {
    // One pipe for both, so that lines stay in the order in which they were written.
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new("sh");
    command.arg("-c").arg(line.command).current_dir(line.dir).env("PATH", line.path).stdin(Stdio::null());
    command.stdout(Stdio::from(writer.try_clone()?)).stderr(Stdio::from(writer));
    // A group of its own, so that what the shell starts can be ended with it.
    let mut child = command.process_group(0).spawn()?;
    // Holds the writing end, which would keep the pipe open.
    drop(command);
    let group = Group::of(&child);
    let mut said = Said { kept: Vec::new(), line: Vec::new(), heard };
    let mut reader = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    let deadline = tokio::time::sleep(line.timeout);
    tokio::pin!(deadline);
    let mut buffer = vec![0; 16 << 10];
    let mut open = true;
    let status = loop {
        tokio::select! {
            read = reader.read(&mut buffer), if open => match read {
                Ok(0) | Err(_) => open = false,
                Ok(n) => said.hear(&buffer[..n]),
            },
            status = child.wait() => break Some(status?),
            () = &mut deadline => break None,
        }
    };
    if status.is_none() {
        group.signal(Signal::TERM);
        let _ = tokio::time::timeout(GRACE, child.wait()).await;
        drop(group);
    } else {
        group.forget();
    }
    // What is in the pipe was said before the end; what a daemon says after it is not waited for.
    while let Ok(Ok(n @ 1..)) = tokio::time::timeout(LAST_WORDS, reader.read(&mut buffer)).await {
        said.hear(&buffer[..n]);
    }
    Ok(Ended { status, said: said.whole() })
}

/// The processes that a command started. Killed when this is dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // Fails when they have ended, which is as good.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Leaves alone what a command that ended well left running: some toolchains keep a server.
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// What a command says: its last part is kept.
struct Said<'a> {
    kept: Vec<u8>,
    line: Vec<u8>,
    heard: &'a dyn Fn(&str),
}

impl Said<'_> {
    fn hear(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
        if self.kept.len() > 2 * KEPT_BYTES {
            self.kept.drain(..self.kept.len() - KEPT_BYTES);
        }
        for byte in bytes {
            // A line without an end is cut: nobody reads it.
            if *byte == b'\n' || self.line.len() == KEPT_BYTES {
                self.end_line();
            } else {
                self.line.push(*byte);
            }
        }
    }

    fn end_line(&mut self) {
        (self.heard)(String::from_utf8_lossy(&self.line).trim_end());
        self.line.clear();
    }

    fn whole(mut self) -> String {
        if !self.line.is_empty() {
            self.end_line();
        }
        let cut = self.kept.len().saturating_sub(KEPT_BYTES);
        if cut > 0 {
            self.kept.drain(..cut);
        }
        String::from_utf8_lossy(&self.kept).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn path() -> std::ffi::OsString {
        "/usr/local/bin:/usr/bin:/bin".into()
    }

    async fn ends(command: &str, timeout: Duration) -> (Ended, Vec<String>) {
        let lines = RefCell::new(Vec::new());
        let line = Line { command, dir: Path::new("/"), path: &path(), timeout };
        let ended = run(&line, &|line| lines.borrow_mut().push(line.to_owned())).await.unwrap();
        (ended, lines.into_inner())
    }

    #[tokio::test]
    async fn what_it_says_is_kept_in_its_order() {
        let (ended, lines) = ends("echo one; echo two >&2; printf three", Duration::from_secs(60)).await;
        assert!(ended.status.unwrap().success());
        assert_eq!(ended.said, "one\ntwo\nthree");
        assert_eq!(lines, ["one", "two", "three"]);
    }

    #[tokio::test]
    async fn of_much_the_last_part_is_kept() {
        let (ended, _) = ends("yes 0123456789 | head -c 3000000; echo; echo end", Duration::from_secs(60)).await;
        assert!(ended.said.len() <= KEPT_BYTES && ended.said.ends_with("\nend\n"), "{}", ended.said.len());
    }

    #[tokio::test]
    async fn what_does_not_end_is_killed_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        // The grandchild ignores the request to end.
        let hang = format!("sh -c 'trap \"\" TERM; echo $$ > {}; sleep 600; sleep 600' & wait", pid.display());
        let (ended, _) = ends(&hang, Duration::from_millis(500)).await;
        assert!(ended.status.is_none());
        let pid = std::fs::read_to_string(pid).unwrap();
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
            // A zombie is dead and waits for whoever adopted it.
            stat.map_or(true, |stat| stat.contains(") Z "))
        };
        for _ in 0..1000 {
            if gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the grandchild is alive");
    }

    #[tokio::test]
    async fn what_it_leaves_behind_is_not_waited_for() {
        let (ended, _) = ends("sleep 30 & echo done", Duration::from_secs(20)).await;
        assert!(ended.status.unwrap().success());
        assert_eq!(ended.said, "done\n");
    }
}
