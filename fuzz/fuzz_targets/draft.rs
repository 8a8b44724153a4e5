//! Routes and requests made of few words, so that they meet often, and now and then of any text.

use std::borrow::Cow;

use arbitrary::Arbitrary;
use http::Method;
use wharf_app::{Methods, PathPattern, Route, RouteHost};

/// Apps that the routes belong to.
pub(crate) const APPS: usize = 3;

/// Routes and requests of one run; comparing each with each is what a run costs.
const ROUTES_MAX: usize = 24;
const REQUESTS_MAX: usize = 24;

const NAMES: [&str; 8] = ["a", "b", "com", "a.b", "b.com", "x-y_z", "1", "A"];
const PARTS: [&str; 12] = [":x", ":y", ":z", "a", "b", "c", "", "A", "%41", "...", "a.b", "x:"];
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "GE", "get"];

/// What the fuzzer's bytes stand for.
#[derive(Arbitrary, Debug)]
pub(crate) struct Input<'a> {
    routes: Vec<RouteDraft<'a>>,
    requests: Vec<RequestDraft<'a>>,
}

#[derive(Arbitrary, Debug)]
struct RouteDraft<'a> {
    app: u8,
    host: HostDraft<'a>,
    path: PathDraft<'a>,
    methods: Option<Vec<Word<'a>>>,
}

#[derive(Arbitrary, Debug)]
struct RequestDraft<'a> {
    host: HostDraft<'a>,
    port: Option<Word<'a>>,
    path: PathDraft<'a>,
    method: Word<'a>,
}

#[derive(Arbitrary, Debug)]
enum HostDraft<'a> {
    Any,
    Names { wildcard: bool, names: Vec<Word<'a>>, dot: bool },
    Address([u16; 8]),
    Text(&'a str),
}

#[derive(Arbitrary, Debug)]
enum PathDraft<'a> {
    Parts(Vec<Word<'a>>),
    Text(&'a str),
}

/// A word of a table, or any text.
#[derive(Arbitrary, Debug)]
enum Word<'a> {
    Known(u8),
    Text(&'a str),
}

/// A request as the router gets it.
pub(crate) struct Request<'a> {
    pub(crate) host: Option<Cow<'a, str>>,
    pub(crate) path: Cow<'a, str>,
    pub(crate) method: Method,
}

impl<'a> Input<'a> {
    /// Returns those routes that can be written in a manifest, each with its app.
    pub(crate) fn routes(&self) -> Vec<(usize, Route)> {
        self.routes
            .iter()
            .take(ROUTES_MAX)
            .filter_map(|draft| Some((usize::from(draft.app) % APPS, draft.route()?)))
            .collect()
    }

    pub(crate) fn requests(&self) -> impl Iterator<Item = Request<'a>> {
        self.requests.iter().take(REQUESTS_MAX).filter_map(RequestDraft::request)
    }
}

impl RouteDraft<'_> {
    fn route(&self) -> Option<Route> {
        let host = match self.host.text() {
            None => RouteHost::Any,
            Some(text) => RouteHost::parse(&text).ok()?,
        };
        let path = PathPattern::parse(&self.path.text()).ok()?;
        let methods = match &self.methods {
            None => Methods::Any,
            Some(names) => Methods::only(names.iter().map(|name| name.of(&METHODS).to_ascii_uppercase())),
        };
        Some(Route { host, path, methods })
    }
}

impl<'a> RequestDraft<'a> {
    fn request(&self) -> Option<Request<'a>> {
        let method = Method::from_bytes(self.method.of(&METHODS).as_bytes()).ok()?;
        let host = match (self.host.text(), &self.port) {
            (Some(host), Some(port)) => Some(format!("{host}:{}", port.of(&["80", "", "x", "65535"])).into()),
            (host, _) => host,
        };
        Some(Request { host, path: self.path.text(), method })
    }
}

impl<'a> HostDraft<'a> {
    fn text(&self) -> Option<Cow<'a, str>> {
        Some(match self {
            HostDraft::Any => return None,
            HostDraft::Names { wildcard, names, dot } => {
                let names: Vec<&str> = names.iter().map(|name| name.of(&NAMES)).collect();
                let (star, dot) = (if *wildcard { "*." } else { "" }, if *dot { "." } else { "" });
                format!("{star}{}{dot}", names.join(".")).into()
            }
            // Written out at full length: reading it must find the short form.
            HostDraft::Address(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| format!("{part:04X}")).collect();
                format!("[{}]", parts.join(":")).into()
            }
            HostDraft::Text(text) => Cow::Borrowed(text),
        })
    }
}

impl<'a> PathDraft<'a> {
    fn text(&self) -> Cow<'a, str> {
        match self {
            PathDraft::Parts(parts) => parts.iter().map(|part| format!("/{}", part.of(&PARTS))).collect(),
            PathDraft::Text(text) => Cow::Borrowed(text),
        }
    }
}

impl<'a> Word<'a> {
    fn of(&self, known: &[&'a str]) -> &'a str {
        match self {
            Word::Known(at) => known[usize::from(*at) % known.len()],
            Word::Text(text) => text,
        }
    }
}
