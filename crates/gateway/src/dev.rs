//! What `wharf dev` adds to answers: requests wait for the first version, pages reload themselves, and a failed build is seen in them.
//!
//! In: what the builder says of the app ([`Dev`]). Out: events for pages at [`EVENTS`], the script that listens to them, and pages with
//! that script. Next: [`crate::service`].
//!
//! Only there when the program asked for it: a served app has none of this.

mod body;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use http::{Method, Request, Response, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use wharf_trigger::{Body, Problem};

/// Where pages listen for changes.
pub const EVENTS: &str = "/.wharf/dev/events";

/// Where the script for pages is.
pub const SCRIPT: &str = "/.wharf/dev/client.js";

/// How long a request waits for the first version of the app: a first build may take minutes, a browser has patience for one.
const FIRST: Duration = Duration::from_secs(60);

/// Pages that listen at a time. One more gets no events, and works.
const PAGES: usize = 256;

const CLIENT: &str = include_str!("dev/client.js");

/// What becomes of the app, told by the builder and heard by pages.
pub struct Dev {
    state: watch::Sender<State>,
    pages: Arc<AtomicUsize>,
}

/// What is known of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Which version is in place: larger with each. Zero while there is none.
    version: u64,
    phase: Phase,
}

/// What is being done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// A new version is being made.
    Building,
    /// What is in place is what the sources say.
    Ready,
    /// The sources could not be made a version.
    Failed(Arc<str>),
    /// The process ends.
    Ended,
}

impl Dev {
    /// Starts with no version.
    pub fn new() -> Arc<Self> {
        let (state, _) = watch::channel(State { version: 0, phase: Phase::Building });
        Arc::new(Self { state, pages: Arc::default() })
    }

    /// Says that a new version is being made.
    pub fn building(&self) {
        self.state.send_modify(|state| state.phase = Phase::Building);
    }

    /// Says that a version was put in place, and its number: larger than all before it, those of earlier processes too, so that pages
    /// which outlive a process reload.
    pub fn ready(&self, version: u64) {
        self.state.send_replace(State { version, phase: Phase::Ready });
    }

    /// Says that nothing changed after all.
    pub fn unchanged(&self) {
        self.state.send_modify(|state| state.phase = Phase::Ready);
    }

    /// Says why there is no new version. What is in place goes on.
    pub fn failed(&self, why: &str) {
        self.state.send_modify(|state| state.phase = Phase::Failed(why.into()));
    }

    /// Lets the pages that listen go.
    pub fn end(&self) {
        self.state.send_modify(|state| state.phase = Phase::Ended);
    }

    /// Waits until there is a version to ask, or a reason why there is none. Returns the version.
    pub(crate) async fn first_version(&self) -> Result<u64, Problem> {
        let mut states = self.state.subscribe();
        let known = states.wait_for(|state| state.version > 0 || !matches!(state.phase, Phase::Building));
        let state = match tokio::time::timeout(FIRST, known).await {
            Ok(Ok(state)) => state.clone(),
            _ => State { version: 0, phase: Phase::Building },
        };
        match state.phase {
            _ if state.version > 0 => Ok(state.version),
            Phase::Failed(why) => Err(unavailable("the app could not be built", Some(why.to_string()))),
            Phase::Ended => Err(unavailable("wharf dev is ending", None)),
            Phase::Building | Phase::Ready => Err(unavailable("the app is still being built", None)),
        }
    }

    /// Answers what is for the developer's tools and not for the app.
    pub(crate) fn own<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        let (kind, body) = match request.uri().path() {
            SCRIPT => ("text/javascript; charset=utf-8", Body::from(CLIENT)),
            EVENTS => match body::Events::start(self.state.subscribe(), &self.pages, PAGES) {
                Some(events) => ("text/event-stream", Body::Made(Box::pin(events))),
                None => {
                    let mut full = Response::new(Body::from("too many pages listen already\n"));
                    *full.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                    return Some(full);
                }
            },
            _ => return None,
        };
        let mut response = Response::new(body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(response)
    }
}

/// Tells whether a request is for what a browser shows as a page. What scripts of the app fetch is not: a part of a page with our script in
/// it would be another one than the app meant. A client that does not say what it wants it for may be a browser.
pub(crate) fn takes_script(method: &Method, headers: &HeaderMap) -> bool {
    const PAGES: [&str; 4] = ["document", "iframe", "frame", "embed"];
    let destination = headers.get("sec-fetch-dest").and_then(|value| value.to_str().ok());
    *method == Method::GET && destination.is_none_or(|destination| PAGES.contains(&destination))
}

/// Adds the script to an answer that is a page. `version` is the version that answered, zero if there is none: so that a page reloads which
/// was still on its way when the next one was put in place.
pub(crate) fn with_script(response: Response<Body>, version: u64) -> Response<Body> {
    if !is_page(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The length is another one now; where it is known the connection writes it.
    parts.headers.remove(CONTENT_LENGTH);
    let nonce = nonce(&parts.headers).map_or_else(String::new, |nonce| format!(" nonce=\"{nonce}\""));
    let script = format!("\n<script src=\"{SCRIPT}\" data-version=\"{version}\"{nonce}></script>\n");
    Response::from_parts(parts, Body::Made(Box::pin(body::Appended::new(body, Bytes::from(script)))))
}

/// Returns the word by which the page's policy knows the scripts that the app means, if it has one: ours is to be one of them.
fn nonce(headers: &HeaderMap) -> Option<&str> {
    let policies = headers.get_all(CONTENT_SECURITY_POLICY).iter().filter_map(|policy| policy.to_str().ok());
    let mut words = policies.flat_map(str::split_ascii_whitespace);
    let nonce = words.find_map(|word| word.strip_prefix("'nonce-")?.split('\'').next())?;
    let is_nonce = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
    nonce.bytes().all(is_nonce).then_some(nonce)
}

/// Tells whether an answer is a whole page that a browser shows and that can be added to: not a part of one, nothing compressed.
fn is_page(response: &Response<Body>) -> bool {
    let status = response.status();
    let has_body = !matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::PARTIAL_CONTENT
    );
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_html = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html"));
    let is_plain = response.headers().get(CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
    has_body && is_html && is_plain
}

fn unavailable(message: &str, detail: Option<String>) -> Problem {
    Problem { status: StatusCode::SERVICE_UNAVAILABLE, code: "WHARF-0067", message: message.to_owned(), detail }
}

/// One page's place among those that listen.
#[derive(Debug)]
struct Page(Arc<AtomicUsize>);

impl Page {
    fn enter(pages: &Arc<AtomicUsize>, limit: usize) -> Option<Self> {
        let entered = pages.fetch_add(1, Ordering::Relaxed);
        let page = Self(Arc::clone(pages));
        (entered < limit).then_some(page)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
