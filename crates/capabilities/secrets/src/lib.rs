//! Secrets for guests.
