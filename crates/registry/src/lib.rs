//! References to bytes: fetches components and WIT packages from OCI registries and from URLs.
//!
//! In: a [`Reference`]. Out: [`Fetched`] bytes whose digest fits. Next: `node` loads them, `cli` keeps them.
//!
//! What was fetched is kept by its digest and checked each time it is read; so what is named by a digest needs no network the second
//! time, and nobody who can write to the cache can put something else in its place.

mod cache;
mod challenge;
mod credentials;
mod digest;
mod error;
mod fetcher;
mod http;
mod manifest;
mod name;
mod pull;
mod token;
mod well_known;

pub use credentials::Credentials;
pub use digest::Digest;
pub use error::{Error, ErrorKind};
pub use fetcher::{Fetched, Fetcher, Origin, Reference};
pub use name::Name;
pub use well_known::Home;
