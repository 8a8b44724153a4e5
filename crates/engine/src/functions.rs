//! Compiled functions that stay in memory while an app is developed: after a change most functions are as they were.
//!
//! In: the compiler's key of a function, which has everything that its machine code depends on. Out: that code. Next: the engine's compiler.
//!
//! Nothing is on disk: another process could have written it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use wasmtime::CacheStore;

/// Bytes of a generation. A component of 2.6 MB of Go has 20 MB; there are two generations.
const GENERATION_BYTES: usize = 96 << 20;

/// Functions that were compiled or used since the last change of generations, and those from before.
pub(crate) struct Functions {
    limit_bytes: usize,
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashMap<Vec<u8>, Vec<u8>>,
    young_bytes: usize,
    old: HashMap<Vec<u8>, Vec<u8>>,
}

impl Functions {
    pub(crate) fn new() -> Self {
        Self::limited(GENERATION_BYTES)
    }

    fn limited(limit_bytes: usize) -> Self {
        Self { limit_bytes, generations: Mutex::default() }
    }

    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    /// Puts a function among the young. When these are too many they become the old ones, and what was old goes.
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>, limit_bytes: usize) {
        let (key_bytes, bytes) = (key.len(), key.len() + value.len());
        if self.young_bytes + bytes > limit_bytes {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        if let Some(before) = self.young.insert(key, value) {
            // Two threads compiled the same function.
            self.young_bytes -= key_bytes + before.len();
        }
    }
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let mut generations = self.generations();
        if let Some(value) = generations.young.get(key) {
            return Some(value.clone().into());
        }
        let (key, value) = generations.old.remove_entry(key)?;
        generations.put(key, value.clone(), self.limit_bytes);
        Some(value.into())
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let is_kept = key.len() + value.len() <= self.limit_bytes;
        if is_kept {
            self.generations().put(key.to_vec(), value, self.limit_bytes);
        }
        is_kept
    }
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Functions").field("limit_bytes", &self.limit_bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(functions: &Functions) -> usize {
        let generations = functions.generations();
        let all = generations.young.iter().chain(&generations.old);
        all.map(|(key, value)| key.len() + value.len()).sum()
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let functions = Functions::limited(1000);
        assert!(functions.insert(b"used", vec![1; 90]));
        assert!(functions.insert(b"once", vec![2; 90]));
        for round in 0..100u8 {
            assert!(functions.insert(&[round], vec![round; 200]));
            assert_eq!(functions.get(b"used").as_deref(), Some(&[1; 90][..]), "{round}");
            assert!(bytes(&functions) <= 2000);
        }
        assert_eq!(functions.get(b"once"), None);
        assert_eq!(functions.get(&[99]).as_deref(), Some(&[99; 200][..]));
        assert!(!functions.insert(b"long", vec![0; 1000]));
        assert_eq!(functions.get(b"long"), None);
    }

    #[test]
    fn one_that_comes_twice_is_counted_once() {
        let functions = Functions::limited(1000);
        for _ in 0..100 {
            functions.insert(b"same", vec![7; 100]);
            functions.insert(b"same", vec![7; 200]);
        }
        let counted = functions.generations().young_bytes;
        assert_eq!((counted, bytes(&functions)), (204, 204));
    }
}
