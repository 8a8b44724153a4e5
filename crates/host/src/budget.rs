//! Counts the memory of one store against its limit, over all its memories and tables together.
//!
//! The engine asks for each memory on its own; a component with eight memories would otherwise get eight times its limit.

use std::mem::size_of;
use wasmtime::{ResourceLimiter, Result};

/// What was refused to a guest, kept so that a trap that follows is explained by its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Linear memories and tables together would have passed the limit.
    Memory {
        /// What the store would have used, in bytes.
        wanted_bytes: usize,
        /// The limit, in bytes.
        limit_bytes: usize,
    },
}

/// The memory budget of one store.
#[derive(Debug)]
pub struct Budget {
    limit_bytes: usize,
    used_bytes: usize,
    refusal: Option<Refusal>,
}

/// Core instances, memories and tables that one store may hold: more than the pool allows one component, for what runs beside it. A pump
/// has two instances and a memory, for each type and direction of streams that the host has no type for.
const INSTANCES: usize = 256;
const MEMORIES: usize = 64;
const TABLES: usize = 64;

impl Budget {
    /// Returns an unused budget.
    pub fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, used_bytes: 0, refusal: None }
    }

    /// Returns the bytes of linear memories and tables that the store holds now.
    pub fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// Returns the last refusal, if there was one.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// Forgets the last refusal, when an instance goes on to its next request.
    pub fn clear_refusal(&mut self) {
        self.refusal = None;
    }

    fn grow(&mut self, by_bytes: usize) -> bool {
        let wanted_bytes = self.used_bytes.saturating_add(by_bytes);
        if wanted_bytes > self.limit_bytes {
            self.refusal = Some(Refusal::Memory { wanted_bytes, limit_bytes: self.limit_bytes });
            return false;
        }
        self.used_bytes = wanted_bytes;
        true
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let elements = desired.saturating_sub(current);
        Ok(self.grow(elements.saturating_mul(size_of::<usize>())))
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }

    fn tables(&self) -> usize {
        TABLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut budget = Budget::new(100_000);
        assert!(budget.memory_growing(0, 65_536, None).unwrap());
        assert!(!budget.memory_growing(0, 65_536, None).unwrap());
        assert!(budget.table_growing(0, 4_000, None).unwrap());
        assert!(!budget.table_growing(4_000, 5_000, None).unwrap());
        assert_eq!(budget.used_bytes(), 65_536 + 32_000);
        assert_eq!(
            budget.refusal(),
            Some(Refusal::Memory { wanted_bytes: 65_536 + 32_000 + 8_000, limit_bytes: 100_000 })
        );
    }

    #[test]
    fn an_absurd_table_does_not_overflow_the_count() {
        let mut budget = Budget::new(1);
        assert!(!budget.table_growing(0, usize::MAX, None).unwrap());
    }
}
