//! Real guests in a real runtime, without sockets.

mod http;
