//! Tests over binaries made on the spot.
