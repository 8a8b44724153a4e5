//! Blobs for guests.
