//! Chooses the route that answers a request.
//!
//! In: host, path and method from `connection`. Out: [`Match`]. Next: `trigger::http`.
//!
//! The table is made once and never changes; a new release swaps the whole table. Which route wins is written down in
//! one place, [`wharf_app::route`], and this file does that and nothing else. Looking up costs a hash of the host for
//! each of its dots and one walk down a tree of path segments; each node of the tree is visited at most once, whatever
//! the path. It allocates nothing, unless the host has capitals or is an IPv6 address, or the method is refused.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::net::Ipv6Addr;
use std::sync::Arc;

use http::Method;
use wharf_app::{Conflicts, Methods, PathPattern, Route, RouteHost, Segment};

/// Bytes of the longest authority that can fit a route: a name of 253, a dot, a colon and a port. Each dot of a longer
/// one would cost a look-up for nothing.
const AUTHORITY_LEN_MAX: usize = 253 + ".:65535".len();

/// Every route of every app of a node, each with what it leads to.
#[derive(Debug)]
pub struct Router<T> {
    entries: Vec<Entry<T>>,
    /// Tables by name, for `RouteHost::Exact`.
    exact: HashMap<String, HostTable>,
    /// Tables by suffix, for `RouteHost::Suffix`.
    suffix: HashMap<String, HostTable>,
    any: HostTable,
}

#[derive(Debug)]
struct Entry<T> {
    app: usize,
    route: Route,
    target: T,
}

/// Trees of the routes that can answer for one host, those of the most specific host first.
///
/// The first tree has the routes of exactly this host. The others have routes of less specific hosts, as far as they
/// are of the same apps: so one look-up finds the table, and no other app can be reached from it. Hosts of the same apps
/// share them: an app of a thousand hosts and a thousand other routes does not take their product.
type HostTable = Vec<Arc<Node>>;

/// What was found for a request. Lives as long as the router and the request's path.
#[derive(Debug)]
pub enum Match<'r, 'p, T> {
    /// A route answers.
    Found(Found<'r, 'p, T>),
    /// Routes fit host and path, and none of them the method.
    MethodNotAllowed {
        /// The methods that they have, sorted.
        allow: Vec<&'r str>,
    },
    /// No route fits host and path.
    NotFound,
}

/// The route that answers, and what the request put in the place of its params.
#[derive(Debug)]
pub struct Found<'r, 'p, T> {
    /// What the route leads to.
    pub target: &'r T,
    /// The route.
    pub route: &'r Route,
    path: &'p str,
}

/// Two routes that answer the same requests, neither more specific than the other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two routes answer the same requests: `{first}` and `{second}`")]
pub struct RouteConflict {
    /// The app of the first, by its place in the list.
    pub first_app: usize,
    /// The route that is first in the list, as routes are shown.
    pub first: String,
    /// The app of the second, by its place in the list.
    pub second_app: usize,
    /// The route that comes later, as routes are shown.
    pub second: String,
}

// === impl Router ===

impl<T> Default for Router<T> {
    /// A table without routes.
    fn default() -> Self {
        Self { entries: Vec::new(), exact: HashMap::new(), suffix: HashMap::new(), any: Vec::new() }
    }
}

impl<T> Router<T> {
    /// Makes the table for a list of apps, each a list of its routes.
    ///
    /// # Errors
    ///
    /// The first two routes, of one app or of two, that answer the same requests.
    pub fn new<A>(apps: impl IntoIterator<Item = A>) -> Result<Self, RouteConflict>
    where
        A: IntoIterator<Item = (Route, T)>,
    {
        let entries: Vec<Entry<T>> = apps
            .into_iter()
            .enumerate()
            .flat_map(|(app, routes)| routes.into_iter().map(move |(route, target)| Entry { app, route, target }))
            .collect();
        check_conflicts(&entries)?;
        let mut trees = Trees { entries: &entries, hosts: HashMap::new(), made: HashMap::new() };
        for (id, entry) in entries.iter().enumerate() {
            trees.hosts.entry(&entry.route.host).or_default().push(id);
        }
        let mut router = Self::default();
        let hosts: Vec<&RouteHost> = trees.hosts.keys().copied().collect();
        for host in hosts {
            let table = trees.table(host);
            match host {
                RouteHost::Any => router.any = table,
                RouteHost::Suffix(suffix) => {
                    router.suffix.insert(suffix.clone(), table);
                }
                RouteHost::Exact(name) => {
                    router.exact.insert(name.clone(), table);
                }
            }
        }
        router.entries = entries;
        Ok(router)
    }

    /// Finds what answers a request.
    ///
    /// `host` is the request's authority, with or without port; `path` is its path without the query, as it arrived.
    pub fn find<'p>(&self, host: Option<&str>, path: &'p str, method: &Method) -> Match<'_, 'p, T> {
        let path = if path.is_empty() { "/" } else { path };
        // What is no path, as in `OPTIONS *`, no route can fit.
        let Some(rest) = path.strip_prefix('/') else { return Match::NotFound };
        let table = self.table(host);
        let mut fitting = |ids: &[usize]| self.choose(ids, method);
        match table.iter().find_map(|tree| tree.walk(Some(rest), &mut fitting)) {
            Some(id) => {
                let Entry { route, target, .. } = &self.entries[id];
                Match::Found(Found { target, route, path })
            }
            None => self.refuse(table, rest),
        }
    }

    fn table(&self, host: Option<&str>) -> &[Arc<Node>] {
        let Some(name) = host.filter(|host| host.len() <= AUTHORITY_LEN_MAX).map(host_name) else { return &self.any };
        if let Some(table) = self.exact.get(name.as_ref()) {
            return table;
        }
        let mut suffixes = name.match_indices('.').map(|(dot, _)| &name[dot + 1..]);
        suffixes.find_map(|suffix| self.suffix.get(suffix)).unwrap_or(&self.any)
    }

    /// Returns which of the routes of one host and path answers the method. They have no method in common.
    fn choose(&self, ids: &[usize], method: &Method) -> Option<usize> {
        let with =
            |method: &Method| ids.iter().copied().find(|id| self.entries[*id].route.methods.contains(method.as_str()));
        with(method).or_else(|| if method == Method::HEAD { with(&Method::GET) } else { None })
    }

    /// Says why no route answers. Walks again, so that requests that are answered do not pay for the list.
    fn refuse(&self, table: &[Arc<Node>], rest: &str) -> Match<'_, 'static, T> {
        let mut passed_over = false;
        let mut allow: Vec<&str> = Vec::new();
        for tree in table {
            tree.walk(Some(rest), &mut |ids: &[usize]| {
                passed_over |= !ids.is_empty();
                for id in ids {
                    if let Methods::Only(names) = &self.entries[*id].route.methods {
                        allow.extend(names.iter().map(String::as_str));
                    }
                }
                None
            });
        }
        if !passed_over {
            return Match::NotFound;
        }
        if allow.contains(&"GET") {
            allow.push("HEAD");
        }
        allow.sort_unstable();
        allow.dedup();
        Match::MethodNotAllowed { allow }
    }
}

/// Reports the first route that answers the same requests as one before it.
fn check_conflicts<T>(entries: &[Entry<T>]) -> Result<(), RouteConflict> {
    let mut conflicts = Conflicts::default();
    for second in entries {
        let Some(first) = conflicts.add(&second.route) else { continue };
        let first = &entries[first];
        return Err(RouteConflict {
            first_app: first.app,
            first: first.route.to_string(),
            second_app: second.app,
            second: second.route.to_string(),
        });
    }
    Ok(())
}

/// Makes the trees of a router, each once.
struct Trees<'e, T> {
    entries: &'e [Entry<T>],
    /// The routes of each host, by their places in `entries`.
    hosts: HashMap<&'e RouteHost, Vec<usize>>,
    /// The trees so far, by host and apps; none for a tree without routes.
    made: HashMap<(RouteHost, BTreeSet<usize>), Option<Arc<Node>>>,
}

impl<T> Trees<'_, T> {
    /// Returns the table of one host: its own routes, then those that its apps have for less specific hosts.
    fn table(&mut self, host: &RouteHost) -> HostTable {
        let apps: BTreeSet<usize> = self.hosts[host].iter().map(|id| self.entries[*id].app).collect();
        let hosts = std::iter::once(host.clone()).chain(wider_hosts(host));
        hosts.filter_map(|host| self.tree(host, &apps)).collect()
    }

    /// Returns the tree of the routes that these apps have for a host.
    fn tree(&mut self, host: RouteHost, apps: &BTreeSet<usize>) -> Option<Arc<Node>> {
        let ids = self.hosts.get(&host)?;
        let made = self.made.entry((host, apps.clone())).or_insert_with(|| {
            let mut tree = Node::default();
            for id in ids.iter().filter(|id| apps.contains(&self.entries[**id].app)) {
                tree.leaf(&self.entries[*id].route.path).push(*id);
            }
            (!tree.is_empty()).then(|| Arc::new(tree))
        });
        made.clone()
    }
}

/// Returns the hosts that fit whatever `host` fits, the most specific first.
fn wider_hosts(host: &RouteHost) -> Vec<RouteHost> {
    let (RouteHost::Exact(name) | RouteHost::Suffix(name)) = host else { return Vec::new() };
    let suffixes = name.match_indices('.').map(|(dot, _)| RouteHost::Suffix(name[dot + 1..].to_owned()));
    suffixes.chain([RouteHost::Any]).collect()
}

/// Returns the name in an authority: without port and trailing dot, in lower case.
fn host_name(authority: &str) -> Cow<'_, str> {
    if let Some((address, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return match address.parse::<Ipv6Addr>() {
            Ok(address) => Cow::Owned(format!("[{address}]")),
            Err(_) => Cow::Borrowed(authority),
        };
    }
    let name = authority.split_once(':').map_or(authority, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

// === impl Found ===

impl<'r, 'p, T> Found<'r, 'p, T> {
    /// Returns the params of the route with what the path has in their place, percent-encoded as it arrived.
    pub fn params(&self) -> impl Iterator<Item = (&'r str, &'p str)> + use<'r, 'p, T> {
        let segments = self.route.path.segments().iter();
        segments.zip(self.path[1..].split('/')).filter_map(|(segment, part)| match segment {
            Segment::Param(name) => Some((name.as_str(), part)),
            Segment::Literal(_) => None,
        })
    }

    /// Returns the part of the path that the trailing `...` stands for: empty, or with its leading slash. `None` when
    /// the route has no `...`.
    pub fn rest(&self) -> Option<&'p str> {
        let pattern = &self.route.path;
        let fixed: usize = self.path[1..].split('/').take(pattern.segments().len()).map(|part| part.len() + 1).sum();
        pattern.is_open_ended().then(|| &self.path[fixed..])
    }
}

// === impl Node ===

/// The routes below one prefix. Its depth is bounded by the longest pattern, so walking it may recurse.
#[derive(Debug, Default)]
struct Node {
    /// Sorted by segment.
    literals: Vec<(Box<str>, Node)>,
    param: Option<Box<Node>>,
    /// Routes that end here.
    ends: Vec<usize>,
    /// Routes that have `...` here.
    open: Vec<usize>,
}

impl Node {
    fn is_empty(&self) -> bool {
        self.literals.is_empty() && self.param.is_none() && self.ends.is_empty() && self.open.is_empty()
    }

    /// Returns the routes of one shape of path, making the way there.
    fn leaf(&mut self, pattern: &PathPattern) -> &mut Vec<usize> {
        let mut node = self;
        for segment in pattern.segments() {
            node = match segment {
                Segment::Param(_) => node.param.get_or_insert_default(),
                Segment::Literal(text) => {
                    let at =
                        node.literals.binary_search_by(|(known, _)| known.as_ref().cmp(text)).unwrap_or_else(|at| {
                            node.literals.insert(at, (text.as_str().into(), Node::default()));
                            at
                        });
                    &mut node.literals[at].1
                }
            };
        }
        if pattern.is_open_ended() { &mut node.open } else { &mut node.ends }
    }

    /// Offers the routes that fit a path to `accept`, the most specific first, until it takes one.
    ///
    /// `rest` is the path after the slash that leads here; `None` when the path ends here.
    fn walk(&self, rest: Option<&str>, accept: &mut impl FnMut(&[usize]) -> Option<usize>) -> Option<usize> {
        let Some(rest) = rest else {
            return accept(&self.ends).or_else(|| accept(&self.open));
        };
        let (segment, rest) = rest.split_once('/').map_or((rest, None), |(segment, rest)| (segment, Some(rest)));
        let literal = self.literals.binary_search_by(|(known, _)| known.as_ref().cmp(segment)).ok();
        let literal = literal.map(|at| &self.literals[at].1);
        let param = self.param.as_deref().filter(|_| !segment.is_empty());
        let below = literal.into_iter().chain(param).find_map(|node| node.walk(rest, accept));
        below.or_else(|| accept(&self.open))
    }
}

#[cfg(test)]
mod tests;
