//! Asks the server. Each core has connections of its own.

use super::answer::{self, Lease};
use super::health::Health;
use super::token::Token;
use crate::Error;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode, redirect};
use std::sync::Arc;
use std::time::Duration;
use wharf_kit::{BackendError, PerThread};
use wharf_servers::tls::{self, ClientConfig};
use zeroize::Zeroizing;

/// Bytes of an answer: an entry of Vault has at most 1 MiB.
const ANSWER_BYTES: usize = 2 << 20;

/// A server of the same network accepts within milliseconds.
const CONNECT: Duration = Duration::from_secs(1);

/// Unused connections that each core keeps.
const IDLE: usize = 4;

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");

/// A server and the token for it.
pub(super) struct Client {
    address: String,
    headers: HeaderMap,
    token: Arc<Token>,
    /// For an address with `https://`.
    tls: Option<ClientConfig>,
    connections: PerThread<reqwest::Client>,
    health: Health,
}

impl Client {
    /// Connects to nothing.
    pub(super) fn new(
        address: String,
        namespace: Option<String>,
        token: Token,
        tls: Option<ClientConfig>,
    ) -> Result<Self, BackendError> {
        let settings = |what: &str| BackendError::Settings(what.to_owned());
        if token.is_unusable() {
            return Err(settings("`token` cannot be sent: it is empty or has characters that no header has"));
        }
        // Refuses requests that somebody made a server send, which cannot have it.
        let mut headers = HeaderMap::from_iter([(REQUEST, HeaderValue::from_static("true"))]);
        if let Some(namespace) = namespace {
            let namespace = HeaderValue::from_str(&namespace);
            headers.insert(NAMESPACE, namespace.map_err(|_| settings("`vault-namespace` cannot be sent"))?);
        }
        let address = address.trim_end_matches('/').to_owned();
        let (token, connections, health) = (Arc::new(token), PerThread::default(), Health::default());
        let client = Self { address, headers, token, tls, connections, health };
        client.url("sys/health").map_err(|_| settings("`address` is no address of a server"))?;
        Ok(client)
    }

    /// Returns where the server is.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the answer with an entry.
    pub(super) async fn read(&self, path: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.ask(Method::GET, path).await
    }

    /// Returns what is known of the token.
    pub(super) async fn look_up(&self) -> Result<Lease, Error> {
        let body = self.ask(Method::GET, "auth/token/lookup-self").await?;
        answer::looked_up(&body).ok_or(UNCLEAR)
    }

    /// Makes the token live on.
    pub(super) async fn renew(&self) -> Result<Lease, Error> {
        let body = self.ask(Method::POST, "auth/token/renew-self").await?;
        answer::renewed(&body).ok_or(UNCLEAR)
    }

    async fn ask(&self, method: Method, path: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Some(token) = self.token.header() else { return self.ask_again(method, path, None).await };
        let first = self.ask_with(method.clone(), path, token.clone()).await;
        if first == Err(Error::Forbidden) { self.ask_again(method, path, Some(token)).await } else { first }
    }

    /// Asks once more if there is another token by now than the one that was refused.
    async fn ask_again(
        &self,
        method: Method,
        path: &str,
        refused: Option<HeaderValue>,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        if self.token.is_in_file() {
            let token = Arc::clone(&self.token);
            let _ = tokio::task::spawn_blocking(move || token.read()).await;
        }
        // Whoever read it: somebody else may have done so since.
        match self.token.header() {
            Some(token) if refused != Some(token.clone()) => self.ask_with(method, path, token).await,
            _ => Err(Error::Forbidden),
        }
    }

    async fn ask_with(&self, method: Method, path: &str, token: HeaderValue) -> Result<Zeroizing<Vec<u8>>, Error> {
        let url = self.url(path).map_err(|_| UNCLEAR)?;
        let connections = self.connections.get_or_try_make(|| self.connect()).map_err(|_| UNCLEAR)?;
        let attempt = self.health.admit().ok_or(Error::Unavailable("it did not answer a moment ago"))?;
        let request = connections.request(method, url).headers(self.headers.clone()).header(TOKEN, token);
        let answered = match request.send().await {
            Ok(response) => answer(response).await,
            Err(error) => Err(away(&error)),
        };
        if let Err(Error::Unavailable(why)) = &answered {
            if attempt.failed() {
                tracing::warn!("Vault at {} is not available: {why}", self.address);
            }
        } else if attempt.succeeded() {
            tracing::info!("Vault at {} is available again", self.address);
        }
        answered
    }

    fn url(&self, path: &str) -> Result<reqwest::Url, ()> {
        // Paths are of plain characters: nothing in them could mean something to a URL.
        reqwest::Url::parse(&format!("{}/v1/{path}", self.address)).map_err(|_| ())
    }

    fn connect(&self) -> reqwest::Result<reqwest::Client> {
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(IDLE)
            // The token must not follow to where an answer points, and the environment is not ours to read.
            .redirect(redirect::Policy::none())
            .no_proxy();
        match &self.tls {
            None => builder.build(),
            // Of the same version as the crate's own, or every test with TLS fails.
            Some(tls) => builder.https_only(true).tls_backend_preconfigured(tls.clone()).build(),
        }
    }
}

const UNCLEAR: Error = Error::Backend("its answer cannot be understood");

async fn answer(response: Response) -> Result<Zeroizing<Vec<u8>>, Error> {
    let status = response.status();
    match status {
        StatusCode::OK => body(response).await,
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Err(Error::Forbidden),
        StatusCode::NOT_FOUND => match body(response).await {
            Ok(body) if answer::has_errors(&body) => {
                Err(Error::Backend("it has no KV engine, version 2, at this mount"))
            }
            Ok(_) => Err(Error::NotFound),
            Err(error) => Err(error),
        },
        StatusCode::SERVICE_UNAVAILABLE => Err(Error::Unavailable("it is sealed or in maintenance")),
        StatusCode::TOO_MANY_REQUESTS => Err(Error::Unavailable("it has too many requests")),
        _ if status.is_server_error() => Err(Error::Unavailable("it failed")),
        _ if status.is_redirection() => Err(Error::Backend("it points to another server, which is not followed")),
        _ => Err(Error::Backend("it refuses the request")),
    }
}

async fn body(mut response: Response) -> Result<Zeroizing<Vec<u8>>, Error> {
    // A buffer that grew would leave copies behind.
    let len = response.content_length().map_or(64 << 10, |len| usize::try_from(len).unwrap_or(usize::MAX));
    let mut body = Zeroizing::new(Vec::with_capacity(len.min(ANSWER_BYTES)));
    while let Some(chunk) = response.chunk().await.map_err(|error| away(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES {
            return Err(Error::Backend("its answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn away(error: &reqwest::Error) -> Error {
    if let Some(why) = tls::explain(error) {
        return Error::Unavailable(why);
    }
    Error::Unavailable(if error.is_connect() { "it cannot be reached" } else { "the connection broke" })
}
