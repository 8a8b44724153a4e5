use super::*;
use http_body_util::BodyExt;

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn page(kind: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from("<h1>x</h1>"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("10"));
    response
}

#[tokio::test]
async fn pages_get_the_script_and_nothing_else_does() {
    let with = with_script(page("text/html; charset=utf-8"), 7);
    assert!(!with.headers().contains_key(CONTENT_LENGTH));
    assert_eq!(http_body::Body::size_hint(with.body()).exact(), Some(10 + 64));
    assert_eq!(text(with).await, "<h1>x</h1>\n<script src=\"/.wharf/dev/client.js\" data-version=\"7\"></script>\n");
    let without = |change: &dyn Fn(&mut Response<Body>)| {
        let mut response = page("text/html");
        change(&mut response);
        with_script(response, 7)
    };
    let gzip = HeaderValue::from_static("gzip");
    for response in [
        with_script(page("text/plain"), 7),
        with_script(page("application/xhtml+xml"), 7),
        without(&|response| _ = response.headers_mut().insert(CONTENT_ENCODING, gzip.clone())),
        without(&|response| *response.status_mut() = StatusCode::PARTIAL_CONTENT),
    ] {
        assert_eq!(text(response).await, "<h1>x</h1>");
    }
}

#[tokio::test]
async fn the_script_is_one_that_the_policy_of_the_page_knows() {
    for (policy, script) in [
        ("default-src 'self'", "client.js\" data-version=\"7\"></script>"),
        (
            "script-src 'nonce-a+b/c=' 'strict-dynamic'; connect-src 'self'",
            "client.js\" data-version=\"7\" nonce=\"a+b/c=\"></script>",
        ),
        ("script-src 'nonce-x\"><script>'", "client.js\" data-version=\"7\"></script>"),
    ] {
        let mut response = page("text/html");
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        let text = text(with_script(response, 7)).await;
        assert!(text.trim_end().ends_with(script), "{policy}: {text}");
    }
}

#[test]
fn what_a_browser_shows_is_added_to_and_what_scripts_fetch_is_not() {
    let takes = |method: Method, destination: Option<&'static str>| {
        let mut headers = HeaderMap::new();
        destination.map(|destination| headers.insert("sec-fetch-dest", HeaderValue::from_static(destination)));
        takes_script(&method, &headers)
    };
    assert!(takes(Method::GET, None) && takes(Method::GET, Some("document")) && takes(Method::GET, Some("iframe")));
    assert!(!takes(Method::GET, Some("empty")) && !takes(Method::GET, Some("script")));
    assert!(!takes(Method::HEAD, None) && !takes(Method::POST, Some("document")));
}

#[tokio::test]
async fn a_page_hears_what_is_and_what_follows() {
    let dev = Dev::new();
    dev.ready(7);
    let request = Request::get(EVENTS).body(()).unwrap();
    let mut events = dev.own(&request).unwrap().into_body();
    let mut heard = async || match events.frame().await {
        Some(frame) => String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap(),
        None => "end".to_owned(),
    };
    assert!(heard().await.contains(r#""phase":"ready","version":7"#));
    dev.failed("line 3\n<oh>");
    assert!(heard().await.contains(r#""phase":"failed","version":7,"why":"line 3\n<oh>""#));
    dev.ready(8);
    assert!(heard().await.contains(r#""version":8"#));
    dev.end();
    assert_eq!(heard().await, "end");
}

#[tokio::test]
async fn more_pages_than_are_allowed_hear_nothing() {
    let (sender, receiver) = watch::channel(State { version: 0, phase: Phase::Building });
    let pages = Arc::default();
    let first = body::Events::start(receiver.clone(), &pages, 1);
    assert!(first.is_some() && body::Events::start(receiver.clone(), &pages, 1).is_none());
    drop(first);
    assert!(body::Events::start(receiver, &pages, 1).is_some());
    drop(sender);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_the_first_version_and_no_longer_than_a_minute() {
    let dev = Dev::new();
    let problem = dev.first_version().await.unwrap_err();
    assert_eq!((problem.status, problem.code), (StatusCode::SERVICE_UNAVAILABLE, "WHARF-0067"));
    let (waited, ()) = tokio::join!(dev.first_version(), async { dev.ready(1) });
    assert!(matches!(waited, Ok(1)));
    dev.failed("later mistakes do not matter: there is a version");
    assert!(dev.first_version().await.is_ok());
    let broken = Dev::new();
    broken.failed("line 3");
    assert_eq!(broken.first_version().await.unwrap_err().detail.as_deref(), Some("line 3"));
}
