//! What answers in the place of servers: what a test file has, or, to record it, the servers.
//!
//! In: requests that the app's grants allow. Out: answers. Next: none, or the server.

use crate::bench::Mode;
use crate::faults::{Effect, Faults};
use http::header::HOST;
use http::{HeaderMap, Request, Response};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wharf_node::{Reply, ReplyFuture, Servers};
use wharf_testing::{Answer, Error, Exchange, HttpAnswer};

/// How long a guest that names no time waits for a server, as with real ones.
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests that are remembered.
const SENT_MAX: usize = 10_000;

type Bytes = bytes::Bytes;

/// The servers of one test.
pub(crate) struct Answers {
    given: Vec<(HttpAnswer, Bytes)>,
    faults: Arc<Faults>,
    mode: Mode,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How often each of the given ones was used.
    used: Vec<u64>,
    sent: Vec<Exchange>,
    unmatched: Vec<(String, String)>,
    recorded: Vec<(String, String, Answer)>,
}

impl Answers {
    pub(crate) fn new(given: Vec<(HttpAnswer, Bytes)>, faults: Arc<Faults>, mode: Mode) -> Self {
        let state = State { used: vec![0; given.len()], ..State::default() };
        Self { given, faults, mode, state: Mutex::new(state) }
    }

    /// Takes the requests that were sent.
    pub(crate) fn take_sent(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.state().sent)
    }

    /// Takes those that nobody had an answer for: method and URL.
    pub(crate) fn take_unmatched(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.state().unmatched)
    }

    /// Takes what servers answered: method, URL, answer.
    pub(crate) fn take_recorded(&self) -> Vec<(String, String, Answer)> {
        std::mem::take(&mut self.state().recorded)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses an answer: of those that fit, one after the other, and then the last one again and again.
    fn choose(&self, request: &Request<Bytes>, url: &str) -> Option<Response<Bytes>> {
        let body = String::from_utf8_lossy(request.body());
        let fits = |answer: &HttpAnswer| {
            answer.method == request.method().as_str()
                && wharf_testing::url_matches(&answer.url, url)
                && answer.body_contains.iter().all(|text| body.contains(text.as_str()))
        };
        let fitting: Vec<usize> =
            self.given.iter().enumerate().filter(|(_, (answer, _))| fits(answer)).map(|(number, _)| number).collect();
        let mut state = self.state();
        let unused = fitting.iter().find(|number| state.used.get(**number) == Some(&0));
        let number = *unused.or(fitting.last())?;
        if let Some(used) = state.used.get_mut(number) {
            *used += 1;
        }
        let (answer, body) = self.given.get(number)?;
        let mut response = Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            response = response.header(name, value);
        }
        // The reader of the file has checked status and headers.
        response.body(body.clone()).ok()
    }

    fn reply(&self, request: &Request<Bytes>) -> Reply {
        let url = request.uri().to_string();
        if let Some(response) = self.choose(request, &url) {
            return Reply::Answer(response);
        }
        if self.mode.record {
            return Reply::Ask(self.faults.world().busy());
        }
        self.state().unmatched.push((request.method().to_string(), url));
        Reply::Unreachable
    }
}

impl Servers for Answers {
    fn answer(&self, request: Request<Bytes>, patience: Option<Duration>) -> ReplyFuture {
        let url = request.uri().to_string();
        self.faults.world().touch();
        let mut state = self.state();
        if state.sent.len() < SENT_MAX {
            state.sent.push(Exchange {
                kind: request.method().to_string(),
                to: url.clone(),
                headers: pairs(request.headers()),
                body: request.body().to_vec(),
            });
        }
        drop(state);
        let Effect { error, delay } = self.faults.of_request(&url);
        let reply = match error {
            None => self.reply(&request),
            Some(Error::Unavailable | Error::Busy) => Reply::Unreachable,
            Some(Error::Failed) => Reply::BrokenOff,
            Some(Error::Timeout) => Reply::Late,
        };
        let patience = patience.unwrap_or(PATIENCE);
        let wait = if matches!(reply, Reply::Late) { patience } else { delay.unwrap_or_default() };
        let world = Arc::clone(self.faults.world());
        Box::pin(async move {
            if !wait.is_zero() {
                world.sleep(wait.min(patience)).await;
            }
            if wait >= patience { Reply::Late } else { reply }
        })
    }

    fn note(&self, request: &Request<Bytes>, response: &Response<Bytes>) {
        let answer = Answer {
            status: response.status().as_u16(),
            headers: pairs(response.headers()),
            body: response.body().to_vec(),
            broken: None,
        };
        self.state().recorded.push((request.method().to_string(), request.uri().to_string(), answer));
    }
}

/// Returns headers as texts, without the host, which the URL has.
pub(crate) fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().filter(|(name, _)| *name != HOST).map(|(name, value)| (name.to_string(), text(value))).collect()
}
