//! HTTP to other servers for guests.
