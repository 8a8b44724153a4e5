//! New clusters: made by `initdb` once for each version, then copied, which takes a tenth of the time.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Postgres;
use crate::guests::root;
use crate::services::folder::{self, Owner};

/// To be raised when [`make`] changes.
const GENERATION: u32 = 1;

/// Who may own a cluster when we are root, as whom postgres refuses to run: the first of these that there is.
const OWNERS: &[&str] = &["postgres", "nobody"];

/// Returns who has to run the server; nobody else than ourselves, when we are not root.
pub(super) fn owner() -> Option<Owner> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("the list of users can be read");
    let owner = OWNERS.iter().find_map(|name| {
        let mut fields = users.lines().find(|line| line.split(':').next() == Some(name))?.split(':').skip(2);
        Some(Owner { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    });
    Some(owner.unwrap_or_else(|| panic!("postgres does not run as root, and there is no user of {OWNERS:?}")))
}

/// Returns an empty cluster for this program, to be copied. Makes it if it is not there; other tests wait meanwhile.
pub(super) fn template(program: &Path, initdb: &Path, owner: Option<Owner>) -> PathBuf {
    let output = Command::new(program).arg("--version").output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
    let version = String::from_utf8_lossy(&output.stdout);
    let number = version.split_whitespace().find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()));
    let number = number.unwrap_or_else(|| panic!("{version:?} has no version"));
    let parent = root().join("target/testkit/postgres");
    let template = parent.join(format!("{number}-{GENERATION}"));
    if template.exists() {
        return template;
    }
    fs::create_dir_all(&parent).expect("the folder of empty clusters can be made");
    let lock = File::create(parent.join("lock")).expect("the folder of empty clusters can be written");
    lock.lock().expect("a file can be locked");
    if !template.exists() {
        make(&template, initdb, owner);
    }
    template
}

/// Makes a cluster where its owner may write, and moves it into place when it is whole.
fn make(template: &Path, initdb: &Path, owner: Option<Owner>) {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let (data, password) = (place.path().join("data"), place.path().join("password"));
    fs::write(&password, Postgres::PASSWORD).expect("a temporary folder can be written");
    for path in [place.path(), &password] {
        folder::give(path, owner).expect("a new file can be given away");
    }
    let mut command = Command::new(initdb);
    command.current_dir(place.path()).arg("--pgdata").arg(&data).arg("--pwfile").arg(&password);
    command.args(["--username", Postgres::USER, "--encoding", "UTF8", "--locale", "C", "--no-sync"]);
    // One MiB for each piece of the log instead of 16: an empty cluster is copied for each test.
    command.args(["--auth-host", "scram-sha-256", "--auth-local", "trust", "--wal-segsize", "1"]);
    if let Some(owner) = owner {
        command.uid(owner.user).gid(owner.group);
    }
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {}: {error}", initdb.display()));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    let half = template.with_extension("half");
    // What a test left that was killed here.
    let _ = fs::remove_dir_all(&half);
    folder::copy(&data, &half, None).expect("a cluster can be copied");
    fs::rename(&half, template).expect("a new cluster can be moved");
}
