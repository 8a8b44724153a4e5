//! Ports of loopback that no other test has.

use std::fs::{self, File};
use std::net::TcpListener;
use std::ops::Range;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::guests::root;

/// Below the ports that systems give to outgoing connections: one of those could sit on a port while its server is down.
const RANGE: Range<u16> = 20_000..32_000;

/// Ports that are ours while this lives, also while nothing listens there.
#[derive(Debug)]
pub(super) struct Ports {
    ports: Vec<u16>,
    /// A locked file for each: the lock goes with the process, so a test that dies leaves none.
    _locks: Vec<File>,
}

impl Ports {
    /// Takes as many ports as `count`, all free at this moment.
    ///
    /// # Panics
    /// When there are not so many.
    pub(super) fn take(count: usize) -> Ports {
        let folder = root().join("target/testkit/ports");
        fs::create_dir_all(&folder).expect("the folder of taken ports can be made");
        let mut taken = Ports { ports: Vec::new(), _locks: Vec::new() };
        for port in candidates() {
            if taken.ports.len() == count {
                return taken;
            }
            let lock = File::create(folder.join(port.to_string())).expect("the folder of taken ports can be written");
            if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
                taken.ports.push(port);
                taken._locks.push(lock);
            }
        }
        panic!("fewer than {count} ports of {RANGE:?} are free");
    }

    pub(super) fn get(&self, index: usize) -> u16 {
        self.ports[index]
    }

    /// Returns the one where a server says whether it is up.
    pub(super) fn last(&self) -> u16 {
        self.ports[self.ports.len() - 1]
    }
}

/// Returns every port once, from a place that differs between processes and between calls, so that they rarely meet.
fn candidates() -> impl Iterator<Item = u16> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    const SPREAD: u32 = 2_654_435_761; // The golden ratio of 32 bits: neighbours land far apart.
    let count = u32::from(RANGE.end - RANGE.start);
    let call = process::id().wrapping_add(CALLS.fetch_add(1, Ordering::Relaxed) << 20);
    let start = call.wrapping_mul(SPREAD) % count;
    (0..count).filter_map(move |step| u16::try_from((start + step) % count).ok().map(|offset| RANGE.start + offset))
}
