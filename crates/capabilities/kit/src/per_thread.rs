//! One value for each thread that asks: connections belong to the event loop that made them.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::thread::ThreadId;

/// A value of its own for each thread. A core of the node is a thread, and its event loop drives the connections that were made on it, so
/// that no call wakes another core. Threads live as long as the process, so that nothing is ever taken out.
#[derive(Debug)]
pub struct PerThread<T>(RwLock<HashMap<ThreadId, T>>);

impl<T> Default for PerThread<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T: Clone> PerThread<T> {
    /// Returns the value of the calling thread, made by `make` when there is none.
    ///
    /// # Errors
    /// That of `make`.
    pub fn get_or_try_make<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let thread = std::thread::current().id();
        if let Some(value) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&thread) {
            return Ok(value.clone());
        }
        // Only this thread makes this entry, so that nobody can have been faster.
        let value = make()?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(thread, value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn each_thread_has_its_own() {
        let values = PerThread::default();
        let get = |new: u32| values.get_or_try_make(|| Ok::<_, Infallible>(new)).unwrap_or_else(|never| match never {});
        assert_eq!((get(1), get(2)), (1, 1));
        let other = std::thread::scope(|scope| scope.spawn(|| get(3)).join().unwrap_or(0));
        assert_eq!((other, get(4)), (3, 1));
    }
}
