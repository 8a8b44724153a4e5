//! Which servers a component may send requests to: its URLs, and the addresses that their names lead to.
//!
//! Invariant: a grant by name reaches addresses of the public internet only. Whoever owns the name decides what it leads to, and that
//! must not be the inside of the operator's network.

use crate::Target;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use wharf_app::{HostPattern, HttpGrant, HttpPattern, is_public};
use wharf_kit::Who;

/// Servers that a component was refused and that were logged; further ones are refused in silence, because a guest chooses them.
const REMEMBERED: usize = 64;

/// The one name that leads to the machine itself, by its standard (RFC 6761).
const LOCALHOST: &str = "localhost";

/// The grants of one component, and what it was refused.
pub(crate) struct Grants {
    who: Who,
    all: Vec<HttpGrant>,
    refused: Mutex<BTreeSet<String>>,
}

impl Grants {
    pub(crate) fn new(who: Who, all: Vec<HttpGrant>) -> Self {
        Self { who, all, refused: Mutex::default() }
    }

    /// Tells whether a grant may lead to a server with TLS.
    pub(crate) fn has_https(&self) -> bool {
        self.servers().any(|pattern| pattern.scheme != wharf_app::Scheme::Http)
    }

    /// Tells whether the URL fits a grant. Says once a server which line would grant it.
    pub(crate) fn check_url(&self, target: &Target) -> bool {
        let fits = self.servers().any(|pattern| fits_url(pattern, target));
        if !fits {
            self.refuse("WHARF-0021", target, "it is not granted", &target.to_string());
        }
        fits
    }

    /// Tells whether a connection for this URL, which fits a grant, may go to this address.
    pub(crate) fn allows_address(&self, target: &Target, address: IpAddr) -> bool {
        allows_address(self.servers(), target, address)
    }

    /// Says once a server that its name leads inside, and which line would grant that.
    pub(crate) fn refuse_address(&self, target: &Target, address: IpAddr) {
        let inside = Target { host: address.to_string(), ..target.clone() };
        let why = format!(
            "{} is {address}, which is not an address of the public internet, and a grant by name does not reach those",
            target.host
        );
        self.refuse("WHARF-0022", target, &why, &inside.to_string());
    }

    fn servers(&self) -> impl Iterator<Item = &HttpPattern> {
        self.all.iter().filter_map(|grant| match grant {
            HttpGrant::External(pattern) => Some(pattern),
            HttpGrant::Internal { .. } => None,
        })
    }

    fn refuse(&self, code: &str, target: &Target, why: &str, line: &str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= REMEMBERED || !refused.insert(format!("{code} {target}")) {
            return;
        }
        drop(refused);
        let Who { app, component } = &self.who;
        let lines: Vec<_> = self.all.iter().map(ToString::to_string).chain([line.to_owned()]).collect();
        let lines: Vec<_> = lines.iter().map(|line| format!("\"{line}\"")).collect();
        tracing::warn!(
            %app, %component,
            "{code}: a request to {target} was refused: {why}. To allow it, write in the manifest:\n\
             \n  [component.{component}.grants]\n  http = [{}]\n",
            lines.join(", ")
        );
    }
}

fn fits_url(pattern: &HttpPattern, target: &Target) -> bool {
    pattern.matches(target.https, &target.host, Some(target.port))
}

/// An address of the public internet needs no more than the URL's grant. Every other one needs a grant that names it, or a network around
/// it, for this scheme and port. What the name `localhost` leads to on this machine is granted by that very name.
fn allows_address<'a>(mut patterns: impl Iterator<Item = &'a HttpPattern>, target: &Target, address: IpAddr) -> bool {
    if is_public(address) {
        return true;
    }
    let by_address = Target { host: address.to_canonical().to_string(), ..target.clone() };
    let is_local = target.host == LOCALHOST && address.to_canonical().is_loopback();
    patterns.any(|pattern| match &pattern.host {
        HostPattern::Network(_) => fits_url(pattern, &by_address),
        HostPattern::Name(name) => is_local && name == LOCALHOST && fits_url(pattern, target),
        HostPattern::Any | HostPattern::Suffix(_) => false,
    })
}

#[cfg(test)]
mod tests;
