//! Key-value stores for guests.
