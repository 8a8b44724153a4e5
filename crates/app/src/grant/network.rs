//! Where sockets may go: hosts, networks and ports.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::pattern::{PatternError, check_host_name};

/// Hosts by name or by address.
///
/// A name and an address are different things to grant: [`HostPattern::Name`] allows to look a name up and to reach what
/// it resolves to, while [`HostPattern::Network`] allows addresses however they were found. Those who open connections
/// decide what a *name* may resolve to; only a network names private addresses outright.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// Every host.
    Any,
    /// Every name that ends with a dot and this suffix, in lower case, kept without its leading `*.`.
    Suffix(String),
    /// This name, in lower case.
    Name(String),
    /// Every address of this network; one address is a network of full length.
    Network(IpNet),
}

impl HostPattern {
    /// Reads `*`, `*.example.com`, `example.com`, `10.1.2.3`, `10.0.0.0/8`, `::1`, `[::1]`, `fd00::/8` or `[fd00::/8]`.
    ///
    /// # Errors
    ///
    /// Why the text is no such pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let bare = match text.strip_prefix('[') {
            Some(rest) => rest.replacen(']', "", 1),
            None => text.to_owned(),
        };
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Network(IpNet::from(address)));
        }
        if let Some((address, length)) = bare.split_once('/') {
            return parse_network(text, address, length);
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let (suffix, name) = match name.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        let offset = if suffix { 2 } else { 0 };
        check_host_name(name).map_err(|error| error.offset_by(offset))?;
        if !suffix && name.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(PatternError::new(0..text.len(), "is neither an IP address nor a host name"));
        }
        let name = name.to_ascii_lowercase();
        Ok(if suffix { Self::Suffix(name) } else { Self::Name(name) })
    }

    /// Returns whether `host` fits: a name in any letter case, or an address, with or without brackets.
    pub fn matches(&self, host: &str) -> bool {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(address) => self.matches_address(address),
            Err(_) => self.matches_name(host),
        }
    }

    /// Returns whether the host name fits. A network never fits a name.
    pub fn matches_name(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        match self {
            Self::Any => true,
            Self::Name(expected) => name.eq_ignore_ascii_case(expected),
            Self::Suffix(suffix) => {
                let (name, suffix) = (name.as_bytes(), suffix.as_bytes());
                name.len() > suffix.len() + 1
                    && name[name.len() - suffix.len() - 1] == b'.'
                    && name[name.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
            }
            Self::Network(_) => false,
        }
    }

    /// Returns whether the address fits. A name never fits an address. An IPv4 address in IPv6 form counts as IPv4.
    pub fn matches_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Network(network) => network.contains(&address.to_canonical()) || network.contains(&address),
            Self::Name(_) | Self::Suffix(_) => false,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Suffix(suffix) => write!(f, "*.{suffix}"),
            Self::Name(name) => f.write_str(name),
            Self::Network(network) => {
                let (open, close) = if network.addr().is_ipv6() { ("[", "]") } else { ("", "") };
                if network.prefix_len() == network.max_prefix_len() {
                    write!(f, "{open}{}{close}", network.addr())
                } else {
                    write!(f, "{open}{network}{close}")
                }
            }
        }
    }
}

/// Ports from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The lowest port.
    pub first: u16,
    /// The highest port; not below `first`.
    pub last: u16,
}

impl Ports {
    /// Every port.
    pub const ALL: Self = Self { first: 0, last: u16::MAX };

    /// Reads `443`, `8000-8100` or `*`.
    ///
    /// # Errors
    ///
    /// Why the text is no such range.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text == "*" {
            return Ok(Self::ALL);
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let number = |part: &str| match part.parse::<u16>() {
            Ok(port) if port > 0 && part.bytes().all(|b| b.is_ascii_digit()) => Ok(port),
            _ => {
                let error = PatternError::new(0..text.len(), "a port is a number from 1 to 65535");
                Err(error.with_help("write `443`, `8000-8100` or `*`"))
            }
        };
        let ports = Self { first: number(first)?, last: number(last)? };
        if ports.first > ports.last {
            return Err(PatternError::new(0..text.len(), "the first port is above the last"));
        }
        Ok(ports)
    }

    /// Returns whether the port is one of them.
    pub fn contains(&self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => f.write_str("*"),
            Self { first, last } if first == last => write!(f, "{first}"),
            Self { first, last } => write!(f, "{first}-{last}"),
        }
    }
}

/// Hosts and ports that sockets may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetPattern {
    /// The hosts.
    pub host: HostPattern,
    /// The ports.
    pub ports: Ports,
}

impl NetPattern {
    /// Reads `HOST:PORTS`, as in `db.internal:5432`, `10.0.0.0/8:8000-8100`, `[::1]:*`; or `*` for everything.
    ///
    /// # Errors
    ///
    /// Why the text is no such pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text == "*" {
            return Ok(Self { host: HostPattern::Any, ports: Ports::ALL });
        }
        if let Some(at) = text.find("://") {
            let error = PatternError::new(0..at + 3, "a network grant has no scheme");
            return Err(error.with_help("write `HOST:PORT`; grants for HTTP requests go into `http`"));
        }
        let (host, ports) = split_port(text);
        let Some(ports) = ports else {
            let error = PatternError::new(0..text.len(), "a network grant needs a port");
            return Err(error.with_help(format!("write `{text}:443`, or `{text}:*` for every port")));
        };
        let ports_start = text.len() - ports.len();
        Ok(Self {
            host: HostPattern::parse(host)?,
            ports: Ports::parse(ports).map_err(|error| error.offset_by(ports_start))?,
        })
    }
}

impl fmt::Display for NetPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.ports)
    }
}

/// Splits what follows the last colon off, unless the colon is a part of an IPv6 address.
pub(super) fn split_port(text: &str) -> (&str, Option<&str>) {
    let after_address = text.rfind(']').map_or(0, |at| at + 1);
    let bare_v6 = after_address == 0 && text.matches(':').count() > 1;
    match text[after_address..].rfind(':') {
        Some(at) if !bare_v6 => (&text[..after_address + at], Some(&text[after_address + at + 1..])),
        _ => (text, None),
    }
}

fn parse_network(text: &str, address: &str, length: &str) -> Result<HostPattern, PatternError> {
    let whole = 0..text.len();
    let not_a_network =
        || PatternError::new(whole.clone(), "is no network").with_help("write an address and a length: `10.0.0.0/8`");
    let address: IpAddr = address.parse().map_err(|_| not_a_network())?;
    let length: u8 = length.parse().map_err(|_| not_a_network())?;
    let network = IpNet::new(address, length).map_err(|_| {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        PatternError::new(whole.clone(), format!("the length of this network is at most {longest}"))
    })?;
    if network.addr() != network.network() {
        let error = PatternError::new(whole, "the address has bits after the length of the network");
        return Err(error.with_help(format!("write `{}`", network.trunc())));
    }
    Ok(HostPattern::Network(network))
}

/// Tells whether an address belongs to the public internet (the special-purpose registries of RFC 6890 and its successors).
///
/// An IPv4 address in IPv6 form counts as IPv4. What leads to IPv4 by another form (6to4, Teredo, NAT64) is not public: nobody can
/// say what is behind it.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let protocol = a == 192 && b == 0 && c == 0;
            let relay = a == 192 && b == 88 && c == 99;
            let benchmark = a == 198 && (18..20).contains(&b);
            // Belongs to a public network and is answered by the machine below, with its secrets: Azure's metadata.
            let metadata = [a, b, c, d] == [168, 63, 129, 16];
            let special = address.is_private() || address.is_loopback() || address.is_link_local();
            !(special
                || address.is_documentation()
                || address.is_multicast()
                || a == 0
                || a >= 240
                || shared
                || protocol
                || relay
                || benchmark
                || metadata)
        }
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            let global = (0x2000..0x4000).contains(&first);
            // 6to4 carries an IPv4 address; so does Teredo, which is a part of the block for protocols.
            let carries = first == 0x2002;
            let protocol = first == 0x2001 && second < 0x0200;
            let documentation = (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second < 0x1000);
            global && !carries && !protocol && !documentation
        }
    }
}
