//! SQL for guests.
