//! Requests of clients, and the parts that other messages share with them.

use super::Reader;
use crate::file::{self, Texts};
use crate::suite::Request;
use http::header::{CONTENT_TYPE, HOST};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderName, HeaderValue, Method};
use std::collections::BTreeMap;
use toml::Spanned;

/// The host that is asked for where the test says none.
const HOST_NAME: &str = "localhost";

impl Reader {
    pub(super) fn request(&mut self, request: file::Request) -> Request {
        let is_json = request.body_json.is_some();
        let span = request.path.as_ref().map_or(0..0, Spanned::span);
        let mut headers = self.headers(request.headers);
        if is_json && !headers.iter().any(|(name, _)| name == CONTENT_TYPE.as_str()) {
            headers.push((CONTENT_TYPE.as_str().to_owned(), "application/json".to_owned()));
        }
        let host_header = headers.iter().position(|(name, _)| name == HOST.as_str());
        let host_header = host_header.map(|at| headers.remove(at).1);
        Request {
            method: self.method(request.method),
            path: request.path.map_or_else(|| "/".to_owned(), |path| self.path(&path)),
            host: request.host.map(|host| self.host(&host)).or(host_header).unwrap_or_else(|| HOST_NAME.to_owned()),
            headers,
            body: self.body(span, "a request", (request.body, request.body_json, request.body_file)),
        }
    }

    pub(super) fn method(&mut self, method: Option<Spanned<String>>) -> String {
        let Some(method) = method else { return "GET".to_owned() };
        if Method::from_bytes(method.get_ref().as_bytes()).is_err() {
            self.error(method.span(), "this is no HTTP method");
        } else if method.get_ref().chars().any(|c| c.is_ascii_lowercase()) {
            let upper = method.get_ref().to_ascii_uppercase();
            self.help(method.span(), "methods are written in upper case", format!("write \"{upper}\""));
        }
        method.into_inner()
    }

    fn path(&mut self, path: &Spanned<String>) -> String {
        let text = path.get_ref();
        if !text.starts_with('/') && text != "*" {
            self.error(path.span(), "a path starts with `/`");
        } else if text.parse::<PathAndQuery>().is_err() {
            let help = "percent-encode spaces and other characters, as clients do";
            self.help(path.span(), "this is no path of a URL", help);
        }
        text.clone()
    }

    fn host(&mut self, host: &Spanned<String>) -> String {
        if host.get_ref().parse::<Authority>().is_err() {
            self.error(host.span(), "this is no host");
        }
        host.get_ref().clone()
    }

    pub(super) fn headers(&mut self, headers: BTreeMap<Spanned<String>, Texts>) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (name, values) in headers {
            let Ok(checked) = HeaderName::try_from(name.get_ref().as_str()) else {
                self.error(name.span(), "this is no name of a header");
                continue;
            };
            for value in Vec::from(values) {
                if HeaderValue::try_from(value.as_str()).is_err() {
                    self.error(name.span(), "the value of this header has characters that no header has");
                }
                pairs.push((checked.as_str().to_owned(), value));
            }
        }
        pairs
    }

    pub(super) fn status(&mut self, status: &Spanned<u16>) -> u16 {
        if !(100..=999).contains(status.get_ref()) {
            self.error(status.span(), "this is no status of HTTP");
            return 200;
        }
        *status.get_ref()
    }
}
