//! What a client sees when Wharf answers instead of a guest: short, with the request's id, and nothing internal.
//!
//! With `dev` the cause is shown: HTML to whoever asks for HTML (a browser), JSON to everybody else.

use crate::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use std::fmt::Write;
use wharf_runtime::{Cause, Failure};
use wharf_telemetry::RequestId;

/// Seconds after which a client that found the queue full should try again.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Something that Wharf answers itself.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// The code of the page that explains it.
    pub code: &'static str,
    /// One sentence for developers.
    pub message: String,
    /// The rest for developers: a backtrace, a hint.
    pub detail: Option<String>,
}

/// Marks a response that Wharf made itself, for the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub &'static str);

/// How error pages look.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorPage {
    /// Whether the cause is shown to clients.
    pub dev: bool,
}

impl Problem {
    /// Describes a failed invocation.
    pub fn of(failure: &Failure) -> Self {
        Self {
            status: StatusCode::from_u16(failure.cause.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: failure.cause.code(),
            message: failure.cause.to_string(),
            detail: failure.detail.clone(),
        }
    }

    /// The answer where no route matches.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "WHARF-0050", "no route matches this host and path")
    }

    /// The answer where a route matches the path and not the method.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "WHARF-0051", "the route does not take this method")
    }

    /// The answer to a request that HTTP allows and Wharf cannot serve.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "WHARF-0053", message)
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: None }
    }
}

impl ErrorPage {
    /// Renders `problem` for a client that sent `accept`.
    pub fn render(self, problem: &Problem, request: &RequestId, asked: &Asked) -> Response<Body> {
        let (content_type, text) = match (self.dev, asked.html) {
            (false, _) => ("text/plain; charset=utf-8", plain(problem, request)),
            (true, true) => ("text/html; charset=utf-8", html(problem, request)),
            (true, false) => ("application/json", json(problem, request)),
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = problem.status;
        response.extensions_mut().insert(ErrorCode(problem.code));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if problem.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, RETRY_SECONDS);
        }
        response
    }

    /// Renders a failed invocation.
    pub fn failure(self, failure: &Failure, request: &RequestId, asked: &Asked) -> Response<Body> {
        debug_assert!(failure.cause != Cause::Overloaded || failure.cause.status() == 503);
        self.render(&Problem::of(failure), request, asked)
    }
}

/// What a client would like an error to look like. Read before the request goes to the guest, which takes its headers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    html: bool,
}

impl Asked {
    /// Reads it from the request's headers.
    pub fn by(headers: &HeaderMap) -> Self {
        let accept = headers.get(http::header::ACCEPT).and_then(|value| value.to_str().ok());
        Self { html: accept.is_some_and(|accept| accept.contains("text/html")) }
    }
}

fn plain(problem: &Problem, request: &RequestId) -> String {
    let reason = problem.status.canonical_reason().unwrap_or("error");
    format!("{} {reason}\nrequest {request}\n", problem.status.as_u16())
}

fn json(problem: &Problem, request: &RequestId) -> String {
    let value = serde_json::json!({
        "status": problem.status.as_u16(),
        "code": problem.code,
        "message": problem.message,
        "detail": problem.detail,
        "request": request.as_str(),
        "explain": format!("wharf explain {}", problem.code),
    });
    format!("{value:#}\n")
}

fn html(problem: &Problem, request: &RequestId) -> String {
    let reason = problem.status.canonical_reason().unwrap_or("error");
    let status = problem.status.as_u16();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{status} {reason}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <style>:root{{color-scheme:light dark}}\
         body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem}}\
         h1{{font-size:1.4rem;border-left:4px solid #e5484d;padding-left:.75rem;overflow-wrap:anywhere}}\
         pre{{background:rgba(128,138,150,.14);padding:1rem;overflow:auto;border-radius:6px;font:13px/1.5 ui-monospace,monospace}}\
         .id{{font-size:14px;opacity:.65}}</style></head>\n<body><h1>{status} {reason}: "
    );
    escape(&problem.message, &mut page);
    page.push_str("</h1>\n");
    if let Some(detail) = &problem.detail {
        page.push_str("<pre>");
        escape(detail, &mut page);
        page.push_str("</pre>\n");
    }
    let _ = writeln!(
        page,
        "<p class=\"id\">{} · request {request} · <code>wharf explain {}</code></p></body></html>",
        problem.code, problem.code
    );
    page
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn page(dev: bool, accept: &'static str) -> (String, String) {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT, HeaderValue::from_static(accept));
        let failure = Failure { cause: Cause::Trap, detail: Some("wasm trap: <secret> at src/lib.rs:7".to_owned()) };
        let request = RequestId::accept("r-1").unwrap();
        let response = ErrorPage { dev }.failure(&failure, &request, &Asked::by(&headers));
        let kind = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_client_sees_the_request_and_nothing_internal() {
        for accept in ["text/html,*/*", "application/json"] {
            let (kind, body) = page(false, accept).await;
            assert_eq!(kind, "text/plain; charset=utf-8");
            assert_eq!(body, "500 Internal Server Error\nrequest r-1\n");
        }
    }

    #[tokio::test]
    async fn a_developer_sees_the_cause_as_html_in_a_browser_and_as_json_elsewhere() {
        let (kind, body) = page(true, "text/html,*/*").await;
        assert_eq!(kind, "text/html; charset=utf-8");
        assert!(body.contains("&lt;secret&gt; at src/lib.rs:7") && body.contains("WHARF-0030"), "{body}");
        let (kind, body) = page(true, "*/*").await;
        assert_eq!(kind, "application/json");
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(value["code"], "WHARF-0030");
        assert_eq!(value["detail"], "wasm trap: <secret> at src/lib.rs:7");
    }

    #[test]
    fn a_client_that_finds_the_queue_full_is_told_when_to_come_back() {
        let request = RequestId::new();
        let response = ErrorPage::default().failure(&Cause::Overloaded.into(), &request, &Asked::default());
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
    }
}
