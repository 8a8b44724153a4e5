//! The connections of one component on one core, kept for the next request to the same server.
//!
//! In: connections, and leases that are done. Out: [`Lease`]s. Next: [`crate::client`].
//!
//! A component's connections are its own: another one with other grants never rides on them, so that what was checked when a connection
//! was made holds for every request on it. They stay on the core that made them, because its event loop drives them.

use crate::Target;
use crate::connection::Sender;
use crate::quota::Quota;
use crate::settings::Limits;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wharf_telemetry::clock;

/// The pool of one component on one core.
pub(crate) struct Pool {
    limits: Limits,
    quota: Arc<Quota>,
    /// Used by one core only; it is locked because futures may not know that. Whatever is dropped under it must not come back here.
    servers: Mutex<HashMap<Target, Server>>,
}

/// What is known about a connection as long as anybody uses or drives it.
pub(crate) struct Shared {
    target: Target,
    created: Instant,
}

/// Both lists are empty for no longer than the lock is held.
#[derive(Default)]
struct Server {
    kept: Vec<Kept>,
    /// Those who wait for a place in the quota; a connection that is returned meanwhile serves them as well.
    waiting: VecDeque<oneshot::Sender<Lease>>,
}

struct Kept {
    sender: Sender,
    shared: Arc<Shared>,
    /// Requests under way; always 0 with HTTP/1, whose connections are here only when they are unused.
    used: usize,
    since: Instant,
}

/// The use of a connection for one request. Dropping it without [`Lease::put_back`] closes an HTTP/1 connection, because the rest of its
/// answer is in the way of the next one; of an HTTP/2 connection it ends the use.
pub(crate) struct Lease {
    /// Absent when it was put back.
    sender: Option<Sender>,
    shared: Arc<Shared>,
    pool: Arc<Pool>,
    /// Whether a request went over the connection before.
    pub(crate) reused: bool,
}

impl Shared {
    pub(crate) fn new(target: Target) -> Arc<Self> {
        Arc::new(Self { target, created: clock::now() })
    }
}

impl Pool {
    pub(crate) fn new(limits: Limits, quota: Arc<Quota>) -> Self {
        Self { limits, quota, servers: Mutex::default() }
    }

    /// Returns the use of a connection to the server: of one that is free, or else of one that may be in a moment.
    pub(crate) fn take(self: &Arc<Self>, target: &Target) -> Option<Lease> {
        let mut servers = self.lock();
        let server = servers.get_mut(target)?;
        server.kept.retain(|kept| !kept.sender.is_closed() && (kept.used > 0 || self.is_young(&kept.shared)));
        let free = server.kept.iter().rposition(|kept| self.is_usable(kept));
        let soon = || server.kept.iter().rposition(|kept| self.is_young(&kept.shared));
        let found = free.or_else(soon).map(|at| server.give(at));
        forget_if_empty(&mut servers, target);
        drop(servers);
        let (sender, shared) = found?;
        Some(Lease { sender: Some(sender), shared, pool: Arc::clone(self), reused: true })
    }

    /// Begins to wait for a connection to the server that somebody returns.
    pub(crate) fn wait(self: &Arc<Self>, target: &Target) -> Waiting {
        let (tx, rx) = oneshot::channel();
        self.lock().entry(target.clone()).or_default().waiting.push_back(tx);
        Waiting { rx, target: target.clone(), pool: Arc::clone(self) }
    }

    /// Returns the use of a new connection, and lets others share it if it can be shared.
    pub(crate) fn admit(self: &Arc<Self>, sender: Sender, shared: Arc<Shared>) -> Lease {
        let Some(copy) = sender.share() else {
            return Lease { sender: Some(sender), shared, pool: Arc::clone(self), reused: false };
        };
        let lease = Lease { sender: Some(copy), shared: Arc::clone(&shared), pool: Arc::clone(self), reused: false };
        let target = shared.target.clone();
        let mut servers = self.lock();
        let server = servers.entry(target.clone()).or_default();
        let waiting = std::mem::take(&mut server.waiting);
        // Several may have connected at once, before any of them knew that one connection is enough.
        if !server.kept.iter().any(|kept| kept.sender.share().is_some() && self.is_usable(kept)) {
            server.kept.push(Kept { sender, shared, used: 1, since: clock::now() });
        }
        forget_if_empty(&mut servers, &target);
        drop(servers);
        for waiting in waiting {
            if let Some(lease) = self.take(&target) {
                let _ = waiting.send(lease);
            }
        }
        lease
    }

    /// Returns how long a connection may stay unused; absent when it is no longer kept, because it was unused for long, or because
    /// somebody needs its place.
    pub(crate) fn idle_left(&self, shared: &Arc<Shared>) -> Option<Duration> {
        let mut servers = self.lock();
        let all = self.limits.idle_time;
        let kept = servers.get(&shared.target).and_then(|server| server.find(shared)).map(|(_, kept)| kept);
        let Some(kept) = kept.filter(|kept| kept.used == 0) else {
            // In use; or let go of, so that it ends when those who use it are done.
            return Some(all);
        };
        let left = all.saturating_sub(clock::since(kept.since));
        if left.is_zero() || self.quota.claim() {
            remove(&mut servers, shared);
            return None;
        }
        Some(left)
    }

    /// Forgets a connection that ended.
    pub(crate) fn remove(&self, shared: &Arc<Shared>) {
        remove(&mut self.lock(), shared);
    }

    fn put_back(self: &Arc<Self>, mut lease: Lease) {
        if lease.sender.as_ref().is_some_and(Sender::is_free) && self.is_young(&lease.shared) {
            while let Some(waiting) = self.next_waiting(&lease.shared.target) {
                lease.reused = true;
                match waiting.send(lease) {
                    Ok(()) => return,
                    Err(returned) => lease = returned,
                }
            }
        }
        let Some(sender) = lease.sender.take() else { return };
        let mut servers = self.lock();
        let total: usize = servers.values().map(|server| server.kept.len()).sum();
        let kept = servers.get(&lease.shared.target).map_or(0, |server| server.kept.len());
        let full = total >= self.limits.idle || kept >= self.limits.idle_per_server;
        if full || sender.is_closed() || !self.is_young(&lease.shared) || self.quota.claim() {
            return;
        }
        let shared = Arc::clone(&lease.shared);
        let server = servers.entry(shared.target.clone()).or_default();
        server.kept.push(Kept { sender, shared, used: 0, since: clock::now() });
    }

    /// One request less on a connection that is shared.
    fn end_use(&self, shared: &Arc<Shared>) {
        let mut servers = self.lock();
        let Some(server) = servers.get_mut(&shared.target) else { return };
        let Some((at, _)) = server.find(shared) else { return };
        let kept = &mut server.kept[at];
        kept.used = kept.used.saturating_sub(1);
        kept.since = clock::now();
        if kept.used == 0 && self.quota.claim() {
            remove(&mut servers, shared);
        }
    }

    fn next_waiting(&self, target: &Target) -> Option<oneshot::Sender<Lease>> {
        let mut servers = self.lock();
        let next = servers.get_mut(target)?.waiting.pop_front();
        forget_if_empty(&mut servers, target);
        next
    }

    fn is_usable(&self, kept: &Kept) -> bool {
        self.is_young(&kept.shared) && kept.sender.is_free()
    }

    fn is_young(&self, shared: &Shared) -> bool {
        clock::since(shared.created) < self.limits.age
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Target, Server>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Returns the use of a connection: a share of it, or all of it, if it cannot be shared.
    fn give(&mut self, at: usize) -> (Sender, Arc<Shared>) {
        let kept = &mut self.kept[at];
        if let Some(sender) = kept.sender.share() {
            kept.used += 1;
            return (sender, Arc::clone(&kept.shared));
        }
        let kept = self.kept.swap_remove(at);
        (kept.sender, kept.shared)
    }

    fn find(&self, shared: &Arc<Shared>) -> Option<(usize, &Kept)> {
        self.kept.iter().enumerate().find(|(_, kept)| Arc::ptr_eq(&kept.shared, shared))
    }
}

fn remove(servers: &mut HashMap<Target, Server>, shared: &Arc<Shared>) {
    if let Some(server) = servers.get_mut(&shared.target) {
        server.kept.retain(|kept| !Arc::ptr_eq(&kept.shared, shared));
    }
    forget_if_empty(servers, &shared.target);
}

/// A guest chooses the servers, so that one without connections must not stay.
fn forget_if_empty(servers: &mut HashMap<Target, Server>, target: &Target) {
    if servers.get(target).is_some_and(|server| server.kept.is_empty() && server.waiting.is_empty()) {
        servers.remove(target);
    }
}

impl Lease {
    /// Returns where the request goes in.
    pub(crate) fn sender(&mut self) -> &mut Sender {
        self.sender.as_mut().expect("only what consumes the lease takes the sender")
    }

    /// Ends the use of a connection whose answer was read to its end.
    pub(crate) fn put_back(self) {
        if matches!(self.sender, Some(Sender::Http1(_))) {
            let pool = Arc::clone(&self.pool);
            pool.put_back(self);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if matches!(self.sender, Some(Sender::Http2(_))) {
            self.pool.end_use(&self.shared);
        }
    }
}

/// One who waits for a connection that somebody returns.
pub(crate) struct Waiting {
    rx: oneshot::Receiver<Lease>,
    target: Target,
    pool: Arc<Pool>,
}

impl Waiting {
    /// Completes with a connection, or never. Dropping the future is safe.
    pub(crate) async fn returned(&mut self) -> Lease {
        match (&mut self.rx).await {
            Ok(lease) => lease,
            // Somebody was faster.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.rx.close();
        if let Ok(lease) = self.rx.try_recv() {
            lease.put_back();
        }
        let mut servers = self.pool.lock();
        if let Some(server) = servers.get_mut(&self.target) {
            server.waiting.retain(|waiting| !waiting.is_closed());
        }
        forget_if_empty(&mut servers, &self.target);
    }
}
