//! Where requests go, whatever names and servers say.

use crate::support::*;
use http::Response;
use http_body_util::{BodyExt, Empty};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use wharf_http::Error;
use wharf_kit::Usage;

#[tokio::test]
async fn a_redirect_is_an_answer_and_its_target_needs_a_grant() {
    let server = Server::http(None, |_| async {
        let mut answer = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
        *answer.status_mut() = http::StatusCode::FOUND;
        let inside = http::HeaderValue::from_static("http://169.254.169.254/latest/meta-data/");
        answer.headers_mut().insert("location", inside);
        answer
    })
    .await;
    for grants in [vec![server.url("")], vec![server.url(""), "*".to_owned()]] {
        let client = Setup { grants: grants.clone(), ..Setup::default() }.client();
        let response = send(&client, get(&server.url("/"))).await.unwrap();
        assert_eq!(response.status(), 302);
        let next = response.headers()["location"].to_str().unwrap().to_owned();
        let error = refused(send(&client, get(&next)).await);
        match grants.len() {
            1 => assert!(matches!(error, Error::Denied { .. }), "{error:?}"),
            _ => assert!(matches!(error, Error::PrivateAddress { .. }), "{error:?}"),
        }
    }
    assert_eq!(server.accepted(), 2);
}

/// The first answer is granted, by its address; the second is not. It does not matter that the name is the same.
#[tokio::test]
async fn a_name_that_changes_its_mind_gets_no_further() {
    let server = Server::http(None, |_| async {
        let mut answer = answer("x");
        answer.headers_mut().insert("connection", http::HeaderValue::from_static("close"));
        answer
    })
    .await;
    let names = Names::default().with("app.test", &[&["127.0.0.1"], &["127.0.0.2"]]);
    let asked = Arc::clone(&names.asked);
    let grants = vec![format!("http://app.test:{}", server.port), server.url("")];
    let client = Setup { grants, names, ..Setup::default() }.client();
    let url = format!("http://app.test:{}/", server.port);
    assert_eq!(text(&client, get(&url)).await.unwrap(), "x");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "what was looked up for the check is what is connected to");
    let error = refused(send(&client, get(&url)).await);
    let inside: IpAddr = [127, 0, 0, 2].into();
    assert!(matches!(error, Error::PrivateAddress { address, .. } if address == inside), "{error:?}");
    assert_eq!((asked.load(Ordering::SeqCst), server.accepted()), (2, 1));
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused() {
    let server = Server::http(None, |_| async { answer("x") }).await;
    let names = Names::default().with("app.test", &[&["127.0.0.1", "::1", "10.0.0.1"]]);
    for grants in [vec![format!("http://app.test:{}", server.port)], vec!["*".to_owned()]] {
        let client = Setup { grants, names: names.clone(), ..Setup::default() }.client();
        let error = refused(send(&client, get(&format!("http://app.test:{}/", server.port))).await);
        assert!(matches!(error, Error::PrivateAddress { .. }), "{error:?}");
    }
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn of_several_addresses_only_the_granted_are_tried() {
    let server = Server::http(None, |_| async { answer("x") }).await;
    let names = Names::default().with("app.test", &[&["127.0.0.3", "::1", "127.0.0.1"]]);
    let grants = vec!["http://app.test:*".to_owned(), server.url("")];
    let client = Setup { grants, names, ..Setup::default() }.client();
    assert_eq!(text(&client, get(&format!("http://app.test:{}/", server.port))).await.unwrap(), "x");
}

#[tokio::test]
async fn an_address_that_refuses_is_followed_by_the_next() {
    let server = Server::http(None, |_| async { answer("x") }).await;
    let names = Names::default().with("app.test", &[&["127.0.0.2", "::1", "127.0.0.1"]]);
    let grants = ["http://app.test:*", "http://127.0.0.0/8:*", "http://[::1]:*"].map(str::to_owned).to_vec();
    let client = Setup { grants, names, ..Setup::default() }.client();
    assert_eq!(text(&client, get(&format!("http://app.test:{}/", server.port))).await.unwrap(), "x");
}

/// The pool of one component is no way around the grants of another.
#[tokio::test]
async fn components_do_not_share_connections() {
    let server = Server::http(None, |_| async { answer("x") }).await;
    let names = Names::default().with("app.test", &[&["127.0.0.1"]]);
    let url = format!("http://app.test:{}/", server.port);
    let both = vec!["http://app.test:*".to_owned(), "http://127.0.0.1:*".to_owned()];
    let trusted = Setup { grants: both, names: names.clone(), ..Setup::default() }.client();
    assert_eq!(text(&trusted, get(&url)).await.unwrap(), "x");
    let by_name = vec!["http://app.test:*".to_owned()];
    let other = Setup { grants: by_name, names, ..Setup::default() }.client();
    assert!(matches!(refused(send(&other, get(&url)).await), Error::PrivateAddress { .. }));
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn names_and_ports_that_nobody_answers_are_told_apart() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let client = Setup { grants: vec!["*".into(), "http://127.0.0.1:*".into()], ..Setup::default() }.client();
    let error = refused(send(&client, get(&format!("http://127.0.0.1:{free}/"))).await);
    assert!(matches!(&error, Error::Connect { source, .. } if source.kind() == std::io::ErrorKind::ConnectionRefused));
    let error = refused(send(&client, get("http://nobody.test/")).await);
    assert!(matches!(error, Error::Lookup { .. }), "{error:?}");
}

/// What the system's resolver makes of a spelling does not matter: the address that comes of it is checked.
#[tokio::test]
async fn every_spelling_of_an_address_inside_is_refused() {
    let server = Server::http(None, |_| async { answer("x") }).await;
    let network = wharf_http::Network::default();
    let who = wharf_kit::Who { app: "shop".into(), component: "front".into() };
    let grants = vec![wharf_app::HttpGrant::parse("*").unwrap()];
    let quota = Arc::new(wharf_http::Quota::new(4));
    let client = wharf_http::Client::new(Arc::new(network), who, grants, quota, Arc::default());
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0",
        "0.0.0.0",
        "127.0.0.1.",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "2852039166",
        "localhost",
        "LOCALHOST",
        "localhost.",
    ] {
        let error = refused(send(&client, get(&format!("http://{host}:{}/", server.port))).await);
        // Some systems do not take every spelling for an address.
        let is_refused = matches!(error, Error::PrivateAddress { .. } | Error::Lookup { .. } | Error::InvalidUrl(_));
        assert!(is_refused, "{host}: {error:?}");
    }
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn a_user_name_in_a_url_hides_no_host() {
    let server = Server::http(None, |_| async { answer("x") }).await;
    let grants = vec!["http://granted.test:*".to_owned()];
    let client = Setup { grants, ..Setup::default() }.client();
    for url in [
        "http://granted.test@127.0.0.1:PORT/",
        "http://granted.test:80@127.0.0.1:PORT/",
        "http://127.0.0.1:PORT/@granted.test",
    ] {
        let error = refused(send(&client, get(&url.replace("PORT", &server.port.to_string()))).await);
        assert!(matches!(error, Error::InvalidUrl(_) | Error::Denied { .. }), "{url}: {error:?}");
    }
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn an_invocation_has_numbers_of_its_own() {
    let server = Server::http(None, |_| async { answer("hello") }).await;
    let (usage, invocation) = (Arc::new(Usage::default()), Arc::new(Usage::default()));
    let client = Setup { usage: Arc::clone(&usage), ..Setup::default() }.client();
    text(&client.counting(Arc::clone(&invocation)), get(&server.url("/"))).await.unwrap();
    text(&client, get(&server.url("/"))).await.unwrap();
    let counts = |usage: &Usage| (usage.counts().calls, usage.counts().received_bytes);
    assert_eq!((counts(&usage), counts(&invocation)), ((2, 10), (1, 5)));
}

#[tokio::test]
async fn the_system_looks_names_up() {
    let server = Server::http(None, |_| async { answer("x") }).await;
    let network = wharf_http::Network {
        settings: wharf_http::Settings::default(),
        trust: wharf_http::Trust::default(),
        resolver: Arc::new(wharf_http::System::default()),
    };
    let who = wharf_kit::Who { app: "shop".into(), component: "front".into() };
    let grants = vec![wharf_app::HttpGrant::parse("http://localhost:*").unwrap()];
    let quota = Arc::new(wharf_http::Quota::new(4));
    let client = wharf_http::Client::new(Arc::new(network), who, grants, quota, Arc::default());
    assert_eq!(text(&client, get(&format!("http://localhost:{}/", server.port))).await.unwrap(), "x");
}

#[tokio::test]
async fn every_request_is_counted_once() {
    let server = Server::http(None, |request| async move {
        request.into_body().collect().await.unwrap();
        answer("12345")
    })
    .await;
    let usage = Arc::new(Usage::default());
    let client = Setup { usage: Arc::clone(&usage), ..Setup::default() }.client();
    let body = http_body_util::Full::from("123").map_err(|never| match never {});
    text(&client, post(&server.url("/"), body)).await.unwrap();
    refused(send(&client, get("http://example.com/")).await);
    drop(server);
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    refused(send(&client, get(&format!("http://127.0.0.1:{free}/"))).await);
    let counts = usage.counts();
    assert_eq!((counts.calls, counts.denied, counts.errors), (3, 1, 1));
    assert_eq!((counts.sent_bytes, counts.received_bytes), (3, 5));
    assert!(counts.nanos > 0);
}
