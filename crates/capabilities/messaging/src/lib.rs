//! Messages for guests.
