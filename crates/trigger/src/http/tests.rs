//! What a guest gets to see of a request.

use super::*;
use http_body_util::Empty;

fn origin() -> Origin {
    let forwarding = Forwarding::new("192.0.2.7:9".parse().unwrap(), false, false);
    Origin { secure: false, forwarding, page: ErrorPage::default() }
}

fn prepared(
    request: http::request::Builder,
    matched: &Matched<'_>,
) -> Result<Request<wasmtime_wasi_http::WasiBody>, Problem> {
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    prepare(matched, request, &origin(), &RequestId::accept("r-1").unwrap(), 10).map(|(request, _)| request)
}

#[test]
fn the_target_is_made_absolute_from_the_host_header() {
    let request = Request::get("/a?b=c").header(HOST, "shop.example:8080");
    let uri = prepared(request, &Matched::default()).unwrap().uri().to_string();
    assert_eq!(uri, "http://shop.example:8080/a?b=c");
}

#[test]
fn the_absolute_form_wins_over_the_host_header() {
    let request = Request::get("http://a.example/x").header(HOST, "b.example");
    assert_eq!(prepared(request, &Matched::default()).unwrap().uri(), "http://a.example/x");
}

#[test]
fn a_request_without_a_usable_host_is_refused() {
    for request in [Request::get("/"), Request::get("/").header(HOST, "a b"), Request::get("/").header(HOST, "")] {
        let status = prepared(request, &Matched::default()).unwrap_err().status;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
}

#[test]
fn the_route_is_described_and_cannot_be_made_up() {
    let matched = Matched { route: "/u/:id/...", params: &[("id", "42")], rest: Some("/x/y") };
    let request = Request::get("/u/42/x/y").header(HOST, "h").header("wharf-param-admin", "yes");
    let headers = prepared(request, &matched).unwrap().headers().clone();
    assert_eq!(headers["wharf-route"], "/u/:id/...");
    assert_eq!(headers["wharf-path-info"], "/x/y");
    assert_eq!(headers["wharf-param-id"], "42");
    assert!(!headers.contains_key("wharf-param-admin"));
    assert_eq!(headers["x-request-id"], "r-1");
}

#[test]
fn a_request_keeps_a_printable_id_and_gets_one_otherwise() {
    let mut headers = HeaderMap::new();
    headers.insert(X_REQUEST_ID, HeaderValue::from_static("trace-1"));
    assert_eq!(origin().request_id(&headers).as_str(), "trace-1");
    headers.insert(X_REQUEST_ID, HeaderValue::from_static("a b\"c"));
    assert_ne!(origin().request_id(&headers).as_str(), "a b\"c");
}
