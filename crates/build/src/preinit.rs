//! Initialises what a command made: its function is found, run once by the runtime, and the result says that it was.
//!
//! In: bytes of a module or a component, and the name of the function. Out: bytes that begin where the function ended. Next:
//! [`crate::build`].

pub(crate) mod expose;
pub(crate) mod stamp;

use crate::PreinitError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use wharf_preinit::{Preinit, PreinitFault, Snapshot};

/// What an initialisation may use.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) memory_bytes: u64,
    pub(crate) timeout: Duration,
    pub(crate) cancelled: Arc<AtomicBool>,
}

/// Ends an initialisation when it is dropped: the future that waits for it is not the thread that runs it.
pub(crate) struct Cancel(pub(crate) Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs the function of a module or a component that was inspected. Takes a while; called on a thread of its own, of a tokio runtime.
pub(crate) fn run(bytes: &[u8], function: &str, bounds: &Bounds) -> Result<Snapshot, PreinitError> {
    let exposed = if is_component(bytes) { Some(expose::core_export(bytes, function)?) } else { None };
    let preinit = Preinit {
        function: if exposed.is_some() { expose::NAME } else { function },
        memory_bytes: usize::try_from(bounds.memory_bytes).unwrap_or(usize::MAX),
        timeout: bounds.timeout,
        cancelled: Arc::clone(&bounds.cancelled),
    };
    let run = Handle::current().block_on(preinit.run(exposed.as_deref().unwrap_or(bytes)));
    run.map_err(|error| match error.fault {
        PreinitFault::Missing => PreinitError::Missing { exports: expose::exports(bytes) },
        PreinitFault::Signature => PreinitError::Signature,
        fault => PreinitError::Failed { fault, said: error.said },
    })
}

/// Tells components from core modules, by the second half of the version.
pub(crate) fn is_component(bytes: &[u8]) -> bool {
    bytes.get(..8) == Some(b"\0asm\x0d\0\x01\0")
}
