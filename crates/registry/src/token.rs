//! Logs in: name and password, or a token for one repository that somebody gives for them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;

use crate::challenge::Challenge;
use crate::credentials::Login;
use crate::http::{Ask, Http, is_safe_for_credentials};
use crate::{Error, Name};

/// A token has a few KiB.
const TOKEN_LEN_MAX: usize = 256 << 10;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Given {
    token: String,
    access_token: String,
}

/// Returns the value of the header `authorization` that a registry asked for. None when there is nothing to answer with.
pub(crate) async fn authorization(
    http: &Http,
    name: &Name,
    challenge: &Challenge,
    login: Option<&Login>,
) -> Result<Option<HeaderValue>, Error> {
    match (challenge, login) {
        (Challenge::Basic, Some(Login::Password { user, password })) => {
            if !is_safe_for_credentials(&name.base()) {
                return Err(unsafe_realm(name, &name.base()));
            }
            Ok(secret(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))))
        }
        (Challenge::Basic, _) => Ok(None),
        (Challenge::Bearer { realm, service, scope }, login) => {
            let scope = scope.clone().unwrap_or_else(|| format!("repository:{}:pull", name.repository));
            let token = token(http, name, realm, service.as_deref(), &scope, login).await?;
            Ok(token.and_then(|token| secret(&format!("Bearer {token}"))))
        }
    }
}

async fn token(
    http: &Http,
    name: &Name,
    realm: &str,
    service: Option<&str>,
    scope: &str,
    login: Option<&Login>,
) -> Result<Option<String>, Error> {
    if !is_safe_for_credentials(realm) {
        return Err(unsafe_realm(name, realm));
    }
    let mut query = format!("scope={}", escape(scope));
    if let Some(service) = service {
        query.push_str(&format!("&service={}", escape(service)));
    }
    let place = format!("the token for {name}");
    let separator = if realm.contains('?') { '&' } else { '?' };
    let url = format!("{realm}{separator}{query}");
    let mut ask = Ask::get(&url, &place, TOKEN_LEN_MAX);
    match login {
        None => {}
        Some(Login::Password { user, password }) => {
            let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            ask.headers.extend(secret(&basic).map(|value| (reqwest::header::AUTHORIZATION, value)));
        }
        Some(Login::Identity { token }) => {
            ask = Ask { method: Method::POST, url: realm, ..ask };
            ask.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            let token = escape(token);
            ask.body = format!("grant_type=refresh_token&client_id=wharf&refresh_token={token}&{query}").into_bytes();
        }
    }
    let answer = http.ask(&ask).await?;
    if !answer.status.is_success() {
        return Ok(None);
    }
    let given: Given = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok([given.token, given.access_token].into_iter().find(|token| !token.is_empty()))
}

fn unsafe_realm(name: &Name, realm: &str) -> Error {
    let reason = format!("it wants credentials sent to {realm}, without TLS");
    Error::Answer { host: name.host.clone(), place: name.to_string(), reason }
}

/// Makes a header that is not shown where requests are shown.
fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Writes a text as part of a query.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
