//! Waiting for a condition, with a bound that only a broken program reaches.

use std::time::Duration;

/// How long anything may take before a test gives up: far more than it takes on a busy machine, less than the runner allows a test.
pub const BOUND: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until `look` finds something, and returns it.
///
/// # Panics
/// When it finds nothing within [`BOUND`]; `what` says what was waited for.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(BOUND, what, look)
}

/// Waits until `look` finds something, for no longer than `bound`, and returns it.
///
/// # Panics
/// When it finds nothing in that time; `what` says what was waited for.
pub fn within<T>(bound: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(waited < bound, "waited in vain for {what}");
        std::thread::sleep(LOOK);
        waited += LOOK;
    }
}

/// Waits until `holds` does.
///
/// # Panics
/// When it does not within [`BOUND`].
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    eventually(what, || holds().then_some(()));
}
