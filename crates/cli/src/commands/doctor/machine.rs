//! What the machine itself has to offer: the engine, a place for state, a port, and limits of the system.
//!
//! In: the folder of an app. Out: checks. Next: [`super`].

use super::{Check, State};
use crate::commands::run::event_loop;
use crate::surroundings::user_cache;
use rustix::fs::{Access, access, statvfs};
use rustix::process::{Resource, getrlimit};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use wharf_app::Grants;
use wharf_node::Program;
use wharf_runtime::Diagnostics;
use wharf_telemetry::{Size, clock};

const GROUP: &str = "machine";

/// Where `wharf up` listens unless it is told otherwise.
const PORT: u16 = 3000;

/// Files that may be open at once: below, a few thousand clients are turned away.
const FILES_MIN: u64 = 4_096;

/// Below, compiled components and an embedded database soon have no room.
const DISK_MIN_BYTES: u64 = 1 << 30;

/// No clock is right that is before this: 2025, in seconds since 1970. Certificates and signatures would be refused.
const YEAR_2025: Duration = Duration::from_secs(1_735_689_600);

/// A core module that exports `_start`, which does nothing: it is compiled, linked and run.
const NOTHING: &[u8] = b"\0asm\x01\0\0\0\
    \x01\x04\x01\x60\0\0\
    \x03\x02\x01\0\
    \x07\x0a\x01\x06_start\0\0\
    \x0a\x04\x01\x02\0\x0b";

pub(super) fn checks(folder: &Path, has_app: bool) -> Vec<Check> {
    let state = if has_app { folder.join(".wharf") } else { user_cache().unwrap_or_else(|| folder.join(".wharf")) };
    let mut checks = vec![engine(), writable(&state)];
    checks.extend(disk(&state));
    checks.extend([port(), files(), address_space(), swap(), time()]);
    checks
}

fn engine() -> Check {
    let started = clock::now();
    let grants = Grants::default();
    let program = Program {
        name: "doctor",
        arguments: &[],
        grants: &grants,
        bound: None,
        listening: &[],
        memory_bytes: 16 << 20,
        // Not from the cache: compiling is what is to be seen.
        state: None,
        diagnostics: Diagnostics::default(),
    };
    let ran = event_loop().map_err(|error| error.text()).and_then(|event_loop| {
        let runtime = program.runtime();
        let ended = event_loop.block_on(program.run_module(&runtime, NOTHING));
        ended.map_err(|failure| format!("[{}] {}", failure.cause.code(), failure.cause))
    });
    match ran {
        Ok(_) => {
            let took = clock::since(started).as_millis();
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            let found = format!("compiles and runs code ({took} ms), {cores} cores, {}", std::env::consts::ARCH);
            Check::new(GROUP, "engine", State::Good, found)
        }
        Err(error) => Check::new(GROUP, "engine", State::Bad, format!("cannot run code: {}", error.trim()))
            .advice("it needs x86-64 or AArch64 and several GiB of address space, which a limit may take away"),
    }
}

/// The nearest folder above that exists: what is not there yet is made in it.
fn existing(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.ancestors().find(|folder| folder.exists()).map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

fn writable(state: &Path) -> Check {
    let folder = existing(state);
    let found = |what: &str| format!("{} {what}", state.display());
    if !folder.is_dir() {
        return Check::new(GROUP, "state", State::Bad, found("cannot be made: there is a file of a part of its name"));
    }
    match access(&folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Check::new(GROUP, "state", State::Good, found("can be written")),
        Err(error) => Check::new(GROUP, "state", State::Bad, found(&format!("cannot be written: {error}")))
            .advice("make it writable, or choose another one: `wharf up --state DIR`"),
    }
}

fn disk(state: &Path) -> Option<Check> {
    let system = statvfs(existing(state)).ok()?;
    let free = system.f_bavail.saturating_mul(system.f_frsize);
    let found = format!("{} free", Size::from(free));
    let check = match free >= DISK_MIN_BYTES {
        true => Check::new(GROUP, "disk", State::Good, found),
        false => Check::new(GROUP, "disk", State::Note, found).advice("compiled components take up to 2 GiB"),
    };
    Some(check)
}

fn port() -> Check {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)) {
        Ok(_) => Check::new(GROUP, "port", State::Good, format!("127.0.0.1:{PORT} is free")),
        Err(error) => Check::new(GROUP, "port", State::Note, format!("127.0.0.1:{PORT} cannot be had: {error}"))
            .advice("choose another one: `wharf up --listen 127.0.0.1:8080`"),
    }
}

fn files() -> Check {
    let limit = getrlimit(Resource::Nofile).current;
    match limit {
        Some(limit) if limit < FILES_MIN => {
            Check::new(GROUP, "open files", State::Note, format!("{limit} at once: enough to develop, not to serve"))
                .advice("`ulimit -n 65536` in the shell, `LimitNOFILE=65536` in a systemd unit")
        }
        Some(limit) => Check::new(GROUP, "open files", State::Good, format!("{limit} at once")),
        None => Check::new(GROUP, "open files", State::Good, "without a limit"),
    }
}

fn address_space() -> Check {
    match getrlimit(Resource::As).current {
        None => Check::new(GROUP, "address space", State::Good, "without a limit"),
        Some(limit) => Check::new(
            GROUP,
            "address space",
            State::Note,
            format!("limited to {}: instances reserve 8 GiB each", Size::from(limit)),
        )
        .advice("`ulimit -v unlimited`"),
    }
}

fn swap() -> Check {
    // Where there is no such file there is no swap that could be told.
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    match swaps.lines().count() > 1 {
        true => Check::new(GROUP, "swap", State::Note, "on: the memory of instances is cleared in a slower way")
            .advice("for the fastest starts, serve on a machine without swap (`swapoff -a`)"),
        false => Check::new(GROUP, "swap", State::Good, "off"),
    }
}

fn time() -> Check {
    let now = clock::wall();
    let found = clock::timestamp(now);
    match now.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since > YEAR_2025) {
        true => Check::new(GROUP, "clock", State::Good, found),
        false => Check::new(GROUP, "clock", State::Bad, format!("{found} is in the past"))
            .advice("set it: TLS certificates and signatures are refused at a wrong time"),
    }
}
