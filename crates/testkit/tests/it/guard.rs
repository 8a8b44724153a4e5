//! That a server does not outlive the process of its test.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wharf_testkit::services::{Browser, Postgres, Redis};
use wharf_testkit::until;

use crate::wire::is_refused;

/// The variable by which this program runs one test of its own as the victim.
const VICTIM: &str = "WHARF_TEST_VICTIM";

/// In the process of the victim: starts servers, tells where, and dies without a destructor.
#[test]
fn dies_with_servers_when_asked() {
    let Some(file) = env::var_os(VICTIM).map(PathBuf::from) else { return };
    let (Some(redis), Some(postgres)) = (Redis::start(), Postgres::start()) else { return };
    let Some(browser) = Browser::start() else { return };
    let of = |folder: &Path, port: u16| format!("{port} {}\n", folder.display());
    let text = of(redis.folder(), redis.port()) + &of(postgres.folder(), postgres.port());
    std::fs::write(file, text + &of(browser.folder(), browser.port())).unwrap();
    // One that is paused is the hardest to end.
    postgres.pause();
    std::process::abort();
}

#[test]
fn ends_servers_whose_test_died() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("servers");
    let mut victim = Command::new(env::current_exe().unwrap());
    victim.args(["--exact", "guard::dies_with_servers_when_asked"]).env(VICTIM, &file);
    let ended = victim.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    // It says why itself when it is skipped.
    let Ok(servers) = std::fs::read_to_string(&file) else { return assert!(ended.success()) };
    assert!(!ended.success());
    assert_eq!(servers.lines().count(), 3);
    for server in servers.lines() {
        let (port, folder) = server.split_once(' ').unwrap();
        until("the end of a server", || is_refused(port.parse().unwrap()));
        let folder = Path::new(folder);
        until("the end of its processes", || !is_used(folder));
        until("the end of its folder", || !folder.exists());
    }
}

/// Tells whether a process was started with a path in this folder: those of a browser are, and not all are children of each other.
pub(crate) fn is_used(folder: &Path) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("cmdline"));
    let mut lines = processes.filter_map(|file| std::fs::read(file).ok());
    let folder = folder.as_os_str().as_encoded_bytes();
    lines.any(|line| line.windows(folder.len()).any(|window| window == folder))
}
