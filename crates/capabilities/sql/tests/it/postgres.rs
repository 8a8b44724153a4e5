//! What only a server has: users, other connections, and an end of its own.

mod away;
mod clean;
mod isolation;
mod tls;
