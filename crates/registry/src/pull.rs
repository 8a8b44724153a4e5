//! The reading half of the distribution protocol: manifests, blobs, tags.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use serde::Deserialize;

use crate::challenge::Challenge;
use crate::http::{Answer, Ask, Http};
use crate::{Credentials, Error, Name, manifest, token};

/// A manifest has a few KiB; registries refuse those above 4 MiB.
const MANIFEST_LEN_MAX: usize = 4 << 20;

/// A page of tags.
const TAGS_LEN_MAX: usize = 4 << 20;

/// Pages of tags that are read; a page has a hundred or more.
const TAG_PAGES: usize = 50;

/// Asks registries, with what they let in.
#[derive(Debug)]
pub(crate) struct Puller {
    http: Http,
    credentials: Credentials,
    /// What a repository was opened with last.
    keys: Mutex<BTreeMap<(String, String), HeaderValue>>,
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Puller {
    pub(crate) fn new(http: Http, credentials: Credentials) -> Self {
        Self { http, credentials, keys: Mutex::default() }
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// Returns the bytes of a manifest by tag or digest. Its digest is not checked here.
    pub(crate) async fn manifest(&self, name: &Name, asked: &str) -> Result<Vec<u8>, Error> {
        let (url, place) = (format!("{}/manifests/{asked}", name.base()), name.to_string());
        let mut ask = Ask::get(&url, &place, MANIFEST_LEN_MAX);
        ask.headers.insert(ACCEPT, HeaderValue::from_static(manifest::ACCEPT));
        Ok(self.ask(name, ask).await?.body)
    }

    /// Returns the bytes of a blob. Its digest is not checked here.
    pub(crate) async fn blob(&self, name: &Name, digest: &str, limit_bytes: usize) -> Result<Vec<u8>, Error> {
        let (url, place) = (format!("{}/blobs/{digest}", name.base()), name.to_string());
        Ok(self.ask(name, Ask::get(&url, &place, limit_bytes)).await?.body)
    }

    /// Returns the tags of a repository.
    pub(crate) async fn tags(&self, name: &Name) -> Result<Vec<String>, Error> {
        let place = format!("{}/{}", name.host, name.repository);
        let mut found = Vec::new();
        let mut last = String::new();
        for _ in 0..TAG_PAGES {
            let after = if last.is_empty() { String::new() } else { format!("&last={last}") };
            let url = format!("{}/tags/list?n=1000{after}", name.base());
            let answer = self.ask(name, Ask::get(&url, &place, TAGS_LEN_MAX)).await?;
            let page: Tags = serde_json::from_slice(&answer.body).map_err(|error| Error::Answer {
                host: name.host.clone(),
                place: place.clone(),
                reason: format!("its list of versions cannot be read: {error}"),
            })?;
            let page = page.tags.unwrap_or_default();
            let has_more = answer.header("link").is_some_and(|link| link.contains("rel=\"next\""));
            let next = page.last().cloned().unwrap_or_default();
            found.extend(page);
            // A registry that sends the same page for ever is left, and one whose tags are none is not asked with them.
            if !has_more
                || next.is_empty()
                || next == last
                || !next.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
            {
                break;
            }
            last = next;
        }
        Ok(found)
    }

    /// Asks, logs in when that is wanted, and asks again.
    async fn ask(&self, name: &Name, mut ask: Ask<'_>) -> Result<Answer, Error> {
        let place = (name.host.clone(), name.repository.clone());
        let known = self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
        ask.headers.extend(known.map(|value| (AUTHORIZATION, value)));
        let first = self.http.ask(&ask).await?;
        if first.status != StatusCode::UNAUTHORIZED {
            return accepted(name, ask.place, first, "it is not for you");
        }
        let challenge = first.header("www-authenticate").and_then(Challenge::parse).ok_or_else(|| Error::Denied {
            host: name.host.clone(),
            place: ask.place.to_owned(),
            why: "it wants a login of a kind that Wharf does not know",
        })?;
        let login = self.credentials.login(&name.host).await?;
        let why = match login {
            Some(_) => "it does not take the credentials that this machine has",
            None => "it wants a login, and this machine has none for it",
        };
        let denied = || Error::Denied { host: name.host.clone(), place: ask.place.to_owned(), why };
        let key = token::authorization(&self.http, name, &challenge, login.as_ref()).await?.ok_or_else(denied)?;
        ask.headers.insert(AUTHORIZATION, key.clone());
        let second = self.http.ask(&ask).await?;
        if second.status == StatusCode::UNAUTHORIZED {
            return Err(denied());
        }
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(place, key);
        accepted(name, ask.place, second, why)
    }
}

fn accepted(name: &Name, place: &str, answer: Answer, why: &'static str) -> Result<Answer, Error> {
    let (host, place) = (name.host.clone(), place.to_owned());
    match answer.status {
        status if status.is_success() => Ok(answer),
        StatusCode::NOT_FOUND => Err(Error::NotFound { place }),
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Err(Error::Denied { host, place, why }),
        status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
            Err(Error::Unreachable { host, reason: format!("it answered {status}") })
        }
        status => Err(Error::Answer { host, place, reason: format!("status {status}") }),
    }
}
