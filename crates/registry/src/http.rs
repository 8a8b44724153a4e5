//! Requests with bounds: on time, on redirects, on the bytes of an answer.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url, redirect};

use crate::Error;
use crate::name::is_loopback;

/// A server that does not take a connection for longer is away.
const CONNECT: Duration = Duration::from_secs(10);

/// A server may look for something in its store, and a line may stall; not for longer.
const SILENCE: Duration = Duration::from_secs(30);

/// The largest component at one MB/s.
const WHOLE: Duration = Duration::from_secs(600);

/// Registries send to one store, that one to a mirror.
const REDIRECTS: usize = 5;

/// Requests for one thing when the server is busy.
const ATTEMPTS: u32 = 3;

/// The wait before the second attempt; the third waits twice as long.
const WAIT: Duration = Duration::from_millis(300);

/// Sends requests. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
}

/// An answer that has come completely.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What to ask for.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    /// For errors: what is asked for, in the user's words.
    pub(crate) place: &'a str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Bytes of the answer.
    pub(crate) limit_bytes: usize,
}

impl<'a> Ask<'a> {
    pub(crate) fn get(url: &'a str, place: &'a str, limit_bytes: usize) -> Self {
        Self { method: Method::GET, url, place, headers: HeaderMap::new(), body: Vec::new(), limit_bytes }
    }
}

impl Http {
    pub(crate) fn new() -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .timeout(WHOLE)
            .user_agent(concat!("wharf/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::custom(follow))
            .build();
        let client = client.map_err(|error| Error::Tls { host: "any server".to_owned(), reason: causes(&error) })?;
        Ok(Self { client })
    }

    /// Asks, again when the server is away or busy for a moment.
    pub(crate) async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        let mut attempt = 1;
        loop {
            let answered = self.ask_once(ask).await;
            let again = match &answered {
                Ok(answer) => answer.status == StatusCode::TOO_MANY_REQUESTS || answer.status.is_server_error(),
                Err(error) => error.is_retryable(),
            };
            if !again || attempt == ATTEMPTS {
                return answered;
            }
            tokio::time::sleep(WAIT * attempt).await;
            attempt += 1;
        }
    }

    async fn ask_once(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        let reason = "it is no address of a server";
        let url = Url::parse(ask.url).map_err(|_| Error::Reference { text: ask.url.to_owned(), reason })?;
        let host = host(&url);
        let request = self.client.request(ask.method.clone(), url).headers(ask.headers.clone()).body(ask.body.clone());
        let response = request.send().await.map_err(|error| failed(&error, &host, ask.place))?;
        self.read(response, &host, ask).await
    }

    async fn read(&self, mut response: Response, host: &str, ask: &Ask<'_>) -> Result<Answer, Error> {
        let too_large = || Error::TooLarge { place: ask.place.to_owned(), limit_bytes: ask.limit_bytes };
        let (status, headers) = (response.status(), response.headers().clone());
        // What an error says in its body is of no use beyond a page.
        let limit = if status.is_success() { ask.limit_bytes } else { ask.limit_bytes.min(64 << 10) };
        if status.is_success() && response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error, host, ask.place))? {
            if body.len() + chunk.len() > limit {
                if status.is_success() {
                    return Err(too_large());
                }
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(HeaderValue::to_str)?.ok()
    }
}

/// Follows few redirects, and none from a secured server to an open one. Credentials do not go to another host: the client drops them.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let was_secure = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if attempt.previous().len() > REDIRECTS {
        attempt.error("it redirects too often")
    } else if was_secure && attempt.url().scheme() != "https" {
        attempt.error("it redirects to an address without TLS")
    } else {
        attempt.follow()
    }
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn failed(error: &reqwest::Error, host: &str, place: &str) -> Error {
    let (host, reason) = (host.to_owned(), causes(error));
    if error.is_redirect() {
        return Error::Answer { host, place: place.to_owned(), reason };
    }
    if error.is_timeout() {
        return Error::Unreachable { host, reason: "it did not answer in time".to_owned() };
    }
    let is_tls = ["certificate", "handshake", "TLS", "InvalidContentType", "invalid peer"];
    if is_tls.iter().any(|word| reason.contains(word)) {
        return Error::Tls { host, reason };
    }
    Error::Unreachable { host, reason }
}

/// Returns the innermost cause: those around it repeat the address.
fn causes(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    if let Some(source) = error.source() {
        cause = source;
    }
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Says whether credentials may be sent there: only by TLS, or to this machine.
pub(crate) fn is_safe_for_credentials(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&host(&url))))
}
