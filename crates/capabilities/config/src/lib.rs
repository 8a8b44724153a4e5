//! Configuration for guests.
