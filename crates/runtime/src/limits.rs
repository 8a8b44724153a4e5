//! What one component may use, as plain values.

use std::time::Duration;

/// The limits of one component. Each is a budget of the component or of one invocation of it, never of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memories and tables of one store together.
    pub memory_bytes: usize,
    /// Native stack that a guest may use, rounded up by [`stack_size`](crate::stack_size).
    pub stack_bytes: usize,
    /// CPU time of one invocation, from its first instruction until its store is dropped.
    pub cpu: Duration,
    /// Time of one invocation by the clock on the wall, waiting included.
    pub wall: Duration,
    /// Invocations at a time.
    pub concurrency: usize,
    /// Invocations that may wait for their turn; one more is answered 503.
    pub queue: usize,
    /// Body bytes of one request.
    pub request_body_bytes: u64,
    /// Body bytes of one response.
    pub response_body_bytes: u64,
    /// Resources that one store may hold at a time.
    pub handles: usize,
    /// Bytes that one host call may copy out of the guest.
    pub hostcall_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 128 << 20,
            stack_bytes: 512 << 10,
            cpu: Duration::from_millis(500),
            wall: Duration::from_secs(30),
            concurrency: 1024,
            queue: 1024,
            request_body_bytes: 64 << 20,
            response_body_bytes: 1 << 30,
            handles: 10_000,
            hostcall_bytes: 16 << 20,
        }
    }
}

/// How long one instance serves before it is dropped, for components that opted in to reuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reuse {
    /// Requests over its life.
    pub requests: usize,
    /// Requests at a time.
    pub concurrent: usize,
    /// How long it may wait for a request.
    pub idle: Duration,
}
