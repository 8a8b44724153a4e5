//! The numbers, each with its reason, and what of them a guest may lower.

use crate::Target;
use std::time::Duration;
use wharf_app::HttpPattern;

/// What all requests of a process are held to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How long may be waited.
    pub timeouts: Timeouts,
    /// How much may be used.
    pub limits: Limits,
    /// Where times differ. The first entry that fits a server decides; what it leaves out is as everywhere.
    pub servers: Vec<ServerTimeouts>,
}

/// The times of some servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTimeouts {
    /// The servers.
    pub servers: HttpPattern,
    /// Their times; they may be longer than elsewhere.
    pub timeouts: Asked,
}

impl Settings {
    /// Returns the times of a server.
    pub fn timeouts_for(&self, target: &Target) -> Timeouts {
        let fits = |one: &&ServerTimeouts| one.servers.matches(target.https, &target.host, Some(target.port));
        let own = self.servers.iter().find(fits).map(|one| one.timeouts).unwrap_or_default();
        let Timeouts { connect, first_byte, between_bytes } = self.timeouts;
        Timeouts {
            connect: own.connect.unwrap_or(connect),
            first_byte: own.first_byte.unwrap_or(first_byte),
            between_bytes: own.between_bytes.unwrap_or(between_bytes),
        }
    }
}

/// How long one request may wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a free place under the limits, the name look-up, the connection and the TLS handshake, together.
    pub connect: Duration,
    /// For the head of the answer, since the server took the last piece of the request.
    pub first_byte: Duration,
    /// For each further piece of the answer, while the guest wants it.
    pub between_bytes: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            // Three lost packets at the start of a connection cost seven seconds.
            connect: Duration::from_secs(10),
            // What most proxies in front of a server wait for it.
            first_byte: Duration::from_secs(60),
            between_bytes: Duration::from_secs(60),
        }
    }
}

/// What a guest asks for; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// See [`Timeouts::connect`].
    pub connect: Option<Duration>,
    /// See [`Timeouts::first_byte`].
    pub first_byte: Option<Duration>,
    /// See [`Timeouts::between_bytes`].
    pub between_bytes: Option<Duration>,
}

impl Timeouts {
    /// Returns the time-outs of one request: a guest may lower what the operator allows, never raise it.
    #[must_use]
    pub fn lowered(self, asked: Asked) -> Self {
        let lower = |allowed: Duration, asked: Option<Duration>| asked.map_or(allowed, |asked| asked.min(allowed));
        Self {
            connect: lower(self.connect, asked.connect),
            first_byte: lower(self.first_byte, asked.first_byte),
            between_bytes: lower(self.between_bytes, asked.between_bytes),
        }
    }
}

/// How much may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections of one app, over all its components and all cores.
    pub connections: usize,
    /// Requests of one component under way, over all cores. More wait for their turn, within the time to connect.
    pub requests: usize,
    /// Unused connections that a component keeps to one server, for each core.
    pub idle_per_server: usize,
    /// Unused connections that a component keeps in all, for each core.
    pub idle: usize,
    /// How long an unused connection is kept.
    pub idle_time: Duration,
    /// How long a connection is used for new requests: what a name leads to changes.
    pub age: Duration,
    /// Bytes of the head of an answer.
    pub head_bytes: u32,
    /// Fields of the head of an answer, and of its trailers.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A sixteenth of the open files that most systems give a process is a bound and no hindrance.
            connections: 128,
            requests: 256,
            // Most components speak to few servers, with as many requests at a time as they have themselves. An unused connection that
            // is in the way of a new one is closed for it.
            idle_per_server: 64,
            idle: 128,
            // Below what most servers and balancers keep an unused connection for, so that we are the one who closes it.
            idle_time: Duration::from_secs(50),
            age: Duration::from_secs(600),
            // The same as for requests to us, and what guests may hold in one message.
            head_bytes: 64 << 10,
            fields: 100,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_lowers_time_outs_and_never_raises_them() {
        let allowed = Timeouts::default();
        assert_eq!(allowed.lowered(Asked::default()), allowed);
        let short = Duration::from_millis(1);
        assert_eq!(allowed.lowered(Asked { connect: Some(short), ..Asked::default() }).connect, short);
        let long = Asked { first_byte: Some(Duration::MAX), between_bytes: Some(Duration::MAX), connect: None };
        assert_eq!(allowed.lowered(long), allowed);
    }
}
