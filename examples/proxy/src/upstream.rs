//! One of the servers behind the gateway.

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, RequestOptions, Response, Scheme};
use wasip3::wit_future;

/// What tells a server that a request came through the gateway.
const MARK: (&str, &[u8]) = ("x-gateway", b"wharf");

/// Fields that are between a client and the gateway. The host refuses to send them, and a refusal would fail the request.
const OURS: [&str; 8] =
    ["connection", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "http2-settings"];

/// How long a server may take to begin its answer.
const PATIENCE_NANOS: u64 = 10_000_000_000;

pub struct Upstream {
    authority: String,
}

impl Upstream {
    /// Returns the server whose address is in an environment variable.
    pub fn named(variable: &str) -> Result<Self, ErrorCode> {
        let unknown = |_| ErrorCode::InternalError(Some(format!("{variable} is not set")));
        Ok(Self { authority: std::env::var(variable).map_err(unknown)? })
    }

    /// Passes a request on, and returns the answer. Its body and trailers stream through, as those of the answer do.
    pub async fn forward(&self, request: Request, path: &str) -> Result<Response, ErrorCode> {
        let method = request.get_method();
        let headers = end_to_end(&request.get_headers());
        let _ = headers.append(MARK.0, MARK.1);
        let (received, consumed) = wit_future::new(|| Ok(()));
        let (contents, trailers) = Request::consume_body(request, consumed);
        drop(received);
        let (onward, _sent) = Request::new(headers, Some(contents), trailers, Some(options()));
        let answer = self.send(onward, &method, path).await?;
        Ok(pass_back(answer))
    }

    /// Asks for a path.
    pub async fn get(&self, path: &str) -> Result<Response, ErrorCode> {
        let (_, trailers) = wit_future::new(|| Ok(None));
        let headers = Fields::new();
        let _ = headers.append(MARK.0, MARK.1);
        let (request, _sent) = Request::new(headers, None, trailers, Some(options()));
        self.send(request, &Method::Get, path).await
    }

    async fn send(&self, request: Request, method: &Method, path: &str) -> Result<Response, ErrorCode> {
        let wrong = |()| ErrorCode::HttpRequestUriInvalid;
        request.set_method(method).map_err(|()| ErrorCode::HttpRequestMethodInvalid)?;
        request.set_scheme(Some(&Scheme::Http)).map_err(wrong)?;
        request.set_authority(Some(&self.authority)).map_err(wrong)?;
        request.set_path_with_query(Some(path)).map_err(wrong)?;
        client::send(request).await
    }
}

/// Returns an answer as one of the gateway.
fn pass_back(answer: Response) -> Response {
    let status = answer.get_status_code();
    let headers = end_to_end(&answer.get_headers());
    let (received, consumed) = wit_future::new(|| Ok(()));
    let (contents, trailers) = Response::consume_body(answer, consumed);
    drop(received);
    let (response, _sent) = Response::new(headers, Some(contents), trailers);
    let _ = response.set_status_code(status);
    response
}

/// Returns the fields that are not only for the next hop.
fn end_to_end(fields: &Fields) -> Fields {
    let passed = Fields::new();
    for (name, value) in fields.copy_all() {
        if !OURS.contains(&name.to_ascii_lowercase().as_str()) {
            let _ = passed.append(&name, &value);
        }
    }
    passed
}

fn options() -> RequestOptions {
    let options = RequestOptions::new();
    let _ = options.set_first_byte_timeout(Some(PATIENCE_NANOS));
    options
}
