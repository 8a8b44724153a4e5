//! Which sockets a guest may open, and which names it may look up: what is granted, deny by default.
//!
//! In: addresses and names of `wasi:sockets`, 0.2 and 0.3. Out: yes, or no and a line in the log. Next: [`lookup`] for names, the engine's
//! own sockets for addresses.
//!
//! Invariant: a grant by name reaches what the name led to when *this* store looked it up, on the granted ports, and of that only the
//! public internet. Whoever owns the name decides what it leads to, and that must not be the inside of the operator's network.

mod lookup;

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wasmtime_wasi::sockets::SocketAddrUse;
use wharf_app::{HostPattern, INTERNAL_SUFFIX, NetPattern, Ports, is_public};
use wharf_http::Resolver;
use wharf_kit::{Counts, Usage, Who};

pub(crate) use lookup::{
    View, add_p2_to_linker, add_p2_to_linker_instance, add_p3_to_linker, add_p3_to_linker_instance,
};

/// Addresses of names that a store keeps; the oldest are forgotten. A guest chooses how many it looks up.
const LEARNED: usize = 1024;

/// Addresses of one name that a guest gets. A name can have thousands.
const ADDRESSES: usize = 64;

/// How long a look-up may take; most resolvers give up earlier.
const LOOK_UP: Duration = Duration::from_secs(10);

/// Refusals that were logged; further ones are silent, because a guest chooses them.
const REMEMBERED: usize = 64;

/// The one name that leads to the machine itself, by its standard (RFC 6761).
const LOCALHOST: &str = "localhost";

/// Which sockets one component may open, shared by all its instances.
pub struct Sockets {
    who: Who,
    granted: Vec<NetPattern>,
    listening: Vec<NetPattern>,
    resolver: Arc<dyn Resolver>,
    usage: Arc<Usage>,
    refused: Mutex<BTreeSet<String>>,
}

/// A name that was not looked up, or led nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookupError {
    /// No grant fits the name, or it leads only to addresses that are not granted.
    Denied,
    /// It is no name.
    Invalid,
    /// It leads nowhere.
    NotFound,
    /// Nobody answered in time.
    Late,
}

impl Sockets {
    /// The capability's name, which is the key of its grants.
    pub const CAPABILITY: &str = "net";

    /// Returns the sockets of a component that may reach what is in `granted`, and may not listen. `usage` counts what it does.
    pub fn new(who: Who, granted: Vec<NetPattern>, resolver: Arc<dyn Resolver>, usage: Arc<Usage>) -> Self {
        Self { who, granted, listening: Vec::new(), resolver, usage, refused: Mutex::default() }
    }

    /// Returns the sockets of a component that may open none.
    pub fn none(who: Who) -> Self {
        Self::new(who, Vec::new(), Arc::new(wharf_http::System::default()), Arc::default())
    }

    /// Lets it listen on these addresses, and be reached there by anybody. For programs that a person starts.
    #[must_use]
    pub fn listening(self, listening: Vec<NetPattern>) -> Self {
        Self { listening, ..self }
    }

    /// Tells whether there is any socket that may be opened.
    pub(crate) fn has_any(&self) -> bool {
        !self.granted.is_empty() || !self.listening.is_empty()
    }

    fn fitting<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a NetPattern> + 'a {
        self.granted.iter().filter(|pattern| pattern.host.matches_name(name))
    }

    /// Returns the ports on which a grant of the name reaches what it leads to: an address of the public internet, or the machine itself
    /// if it is the name `localhost` that is granted, and not just fits.
    fn by_name(&self, name: &str, address: IpAddr) -> Vec<Ports> {
        let is_public = is_public(address);
        let is_local = name == LOCALHOST && address.is_loopback();
        let reaches = |pattern: &&NetPattern| is_public || (is_local && matches!(pattern.host, HostPattern::Name(_)));
        self.fitting(name).filter(reaches).map(|pattern| pattern.ports).collect()
    }

    /// Tells whether a grant names the address, or a network around it; `port` is absent if any port will do.
    fn grants_address(&self, address: IpAddr, port: Option<u16>) -> bool {
        self.granted.iter().any(|pattern| {
            let host = match &pattern.host {
                // `*` is the public internet: what is inside is granted by its address or not at all.
                HostPattern::Any => is_public(address),
                host => host.matches_address(address),
            };
            host && port.is_none_or(|port| pattern.ports.contains(port))
        })
    }

    fn may_listen(&self, address: SocketAddr) -> bool {
        let fits = |pattern: &NetPattern| {
            let host = matches!(pattern.host, HostPattern::Any) || pattern.host.matches_address(address.ip());
            host && pattern.ports.contains(address.port())
        };
        self.listening.iter().any(fits)
    }

    /// Says once what was refused, why, and which line would grant it.
    fn refuse(&self, code: &str, what: &str, why: &str, line: &str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= REMEMBERED || !refused.insert(format!("{code} {what}")) {
            return;
        }
        drop(refused);
        let Who { app, component } = &self.who;
        let lines: Vec<_> = self.granted.iter().map(ToString::to_string).chain([line.to_owned()]).collect();
        let lines: Vec<_> = lines.iter().map(|line| format!("\"{line}\"")).collect();
        tracing::warn!(
            %app, %component,
            "{code}: {what} was refused: {why}. To allow it, write in the manifest, or start a component without one with \
             `--allow-net {line}`:\n\n  [component.{component}.grants]\n  net = [{}]\n",
            lines.join(", ")
        );
    }
}

/// What one store may reach: the grants, and what granted names led to since it began.
pub(crate) struct Reach {
    sockets: Arc<Sockets>,
    learned: Mutex<VecDeque<(IpAddr, Ports)>>,
    usage: Usage,
}

impl Reach {
    pub(crate) fn new(sockets: Arc<Sockets>) -> Arc<Self> {
        Arc::new(Self { sockets, learned: Mutex::default(), usage: Usage::default() })
    }

    /// Returns what the store did so far: connections that it began, datagrams that it sent, names that it looked up.
    pub(crate) fn counts(&self) -> Counts {
        self.usage.counts()
    }

    /// Decides whether a socket may use an address.
    pub(crate) fn allows(&self, address: SocketAddr, purpose: SocketAddrUse) -> bool {
        match purpose {
            SocketAddrUse::TcpConnect | SocketAddrUse::UdpSend => self.may_send(address),
            // Who sends it is not the guest's doing, so that a refusal is nobody's news.
            SocketAddrUse::UdpReceive => self.is_granted(address) || !self.sockets.listening.is_empty(),
            // Beside the local end of a connection, which is whatever port the system picks, this is a listener's.
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => {
                let is_own_end = address.ip().is_unspecified() && address.port() == 0;
                is_own_end || self.sockets.may_listen(address)
            }
            SocketAddrUse::TcpListen => self.sockets.may_listen(address),
            SocketAddrUse::TcpAccept => !self.sockets.listening.is_empty(),
        }
    }

    fn may_send(&self, address: SocketAddr) -> bool {
        let is_granted = self.is_granted(address);
        self.count(u64::from(!is_granted));
        if !is_granted {
            let what = format!("a socket to {address}");
            self.sockets.refuse("WHARF-0025", &what, "it is not granted", &address.to_string());
        }
        is_granted
    }

    fn is_granted(&self, address: SocketAddr) -> bool {
        let (ip, port) = (address.ip().to_canonical(), address.port());
        self.sockets.grants_address(ip, Some(port))
            || self.learned().iter().any(|(learned, ports)| *learned == ip && ports.contains(port))
    }

    /// Looks a granted name up, and lets the store reach what it leads to. An address is its own answer. The future waits for at most ten
    /// seconds and may be dropped at any time.
    ///
    /// # Errors
    /// At once when nothing grants the name; nothing was asked then.
    pub(crate) fn look_up(
        self: &Arc<Self>,
        name: &str,
    ) -> Result<impl Future<Output = Result<Vec<IpAddr>, LookupError>> + Send + use<>, LookupError> {
        let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name).parse::<IpAddr>();
        let name = if address.is_ok() { String::new() } else { self.granted_name(name)? };
        let reach = Arc::clone(self);
        Ok(async move {
            if let Ok(address) = address {
                return Ok(vec![address.to_canonical()]);
            }
            let looking = tokio::time::timeout(LOOK_UP, reach.sockets.resolver.look_up(&name)).await;
            let found = looking.map_err(|_| LookupError::Late)?.map_err(|_| LookupError::NotFound)?;
            reach.learn(&name, found)
        })
    }

    /// Returns the name in lower case and without the dot at its end, if it may be looked up.
    fn granted_name(&self, name: &str) -> Result<String, LookupError> {
        let wanted = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let is_name = HostPattern::parse(&wanted).is_ok_and(|pattern| matches!(pattern, HostPattern::Name(_)));
        if !is_name {
            return Err(LookupError::Invalid);
        }
        let is_internal = wanted.ends_with(INTERNAL_SUFFIX);
        let is_granted = !is_internal && self.sockets.fitting(&wanted).next().is_some();
        self.count(u64::from(!is_granted));
        if is_granted {
            return Ok(wanted);
        }
        // Components of the app have names that only HTTP knows; no grant of sockets is for them.
        if !is_internal {
            let what = format!("a look-up of {wanted}");
            self.sockets.refuse("WHARF-0025", &what, "no grant names it", &format!("{wanted}:443"));
        }
        Err(LookupError::Denied)
    }

    /// Keeps the addresses that the name's grants reach, and returns them with those that a grant of their own reaches.
    fn learn(&self, name: &str, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, LookupError> {
        let found: BTreeSet<_> = found.into_iter().map(|address| address.to_canonical()).collect();
        let mut reached = Vec::new();
        let mut learned = self.learned();
        for address in found.iter().copied() {
            let by_name = self.sockets.by_name(name, address);
            if !by_name.is_empty() || self.sockets.grants_address(address, None) {
                reached.push(address);
                by_name.into_iter().for_each(|ports| keep(&mut learned, (address, ports)));
            }
            if reached.len() == ADDRESSES {
                break;
            }
        }
        drop(learned);
        match found.first() {
            None => Err(LookupError::NotFound),
            Some(inside) if reached.is_empty() => {
                self.refuse_inside(name, *inside);
                Err(LookupError::Denied)
            }
            Some(_) => Ok(reached),
        }
    }

    fn refuse_inside(&self, name: &str, inside: IpAddr) {
        let denied = Counts { denied: 1, ..Counts::default() };
        self.usage.add(&denied);
        self.sockets.usage.add(&denied);
        let ports = self.sockets.fitting(name).next().map_or(Ports::ALL, |pattern| pattern.ports);
        let host = HostPattern::parse(&inside.to_string()).unwrap_or(HostPattern::Any);
        let why = format!(
            "{name} is {inside}, which is not an address of the public internet, and a grant by name does not reach those"
        );
        let line = NetPattern { host, ports }.to_string();
        self.sockets.refuse("WHARF-0022", &format!("a socket to {name}"), &why, &line);
    }

    fn count(&self, denied: u64) {
        let call = Counts { calls: 1, denied, ..Counts::default() };
        self.usage.add(&call);
        self.sockets.usage.add(&call);
    }

    fn learned(&self) -> MutexGuard<'_, VecDeque<(IpAddr, Ports)>> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(learned: &mut VecDeque<(IpAddr, Ports)>, one: (IpAddr, Ports)) {
    if learned.contains(&one) {
        return;
    }
    if learned.len() == LEARNED {
        learned.pop_front();
    }
    learned.push_back(one);
}

#[cfg(test)]
mod tests;
