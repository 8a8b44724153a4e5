//! Which names reach which component.

use super::*;
use wharf_http::{Network, Quota};
use wharf_kit::Who;

fn outbound() -> Outbound {
    struct Nobody;
    impl Peers for Nobody {
        fn call(&self, _: &str, _: http::Request<WasiBody>, _: Caller) -> CallFuture {
            Box::pin(async { Err(Error::DestinationNotFound) })
        }
    }
    Outbound::new("shop".into(), "front".into(), BTreeSet::from(["backend".to_owned()]), Arc::new(Nobody))
}

/// Shows which way a request goes.
fn way(outbound: &Outbound, uri: &str) -> Result<String, String> {
    match outbound.route(&uri.parse().unwrap()) {
        Ok(Way::Peer(peer)) => Ok(peer),
        Ok(Way::Server(_)) => Ok("a server".to_owned()),
        Err(error) => Err(format!("{error:?}")),
    }
}

fn routed(uri: &str) -> Result<String, String> {
    way(&outbound(), uri)
}

#[test]
fn a_granted_component_is_reached_by_its_name_in_any_case() {
    assert_eq!(routed("http://backend.wharf.internal/x"), Ok("backend".to_owned()));
    assert_eq!(routed("http://BACKEND.Wharf.Internal:80/x"), Ok("backend".to_owned()));
}

#[test]
fn what_was_not_granted_is_denied() {
    for uri in [
        "http://other.wharf.internal/",
        "http://a.backend.wharf.internal/",
        "http://backend.wharf.internal.evil.example/",
        "http://wharf.internal/",
        "http://.wharf.internal/",
        "http://169.254.169.254/latest",
        "https://example.com/",
    ] {
        assert_eq!(routed(uri), Err("HttpRequestDenied".to_owned()), "{uri}");
    }
}

#[test]
fn what_is_no_component_goes_to_the_servers() {
    let (network, who) = (Network::default(), Who { app: "shop".into(), component: "front".into() });
    let servers = Client::new(Arc::new(network), who, Vec::new(), Arc::new(Quota::new(1)), Arc::default());
    let outbound = outbound().with_servers(servers);
    for (uri, expected) in [
        ("https://example.com/", Ok("a server")),
        ("http://169.254.169.254/", Ok("a server")),
        ("http://backend.wharf.internal/", Ok("backend")),
        ("http://other.wharf.internal/", Err("HttpRequestDenied")),
    ] {
        assert_eq!(way(&outbound, uri), expected.map(str::to_owned).map_err(str::to_owned), "{uri}");
    }
}

#[test]
fn a_component_is_not_reached_by_tls() {
    assert_eq!(routed("https://backend.wharf.internal/"), Err("HttpRequestUriInvalid".to_owned()));
}

#[test]
fn the_memory_of_refusals_is_bounded() {
    let outbound = outbound();
    for i in 0..10 * REMEMBERED {
        let _ = outbound.route(&format!("http://h{i}.example/").parse().unwrap());
    }
    assert_eq!(outbound.refused.lock().unwrap().len(), REMEMBERED);
}

#[tokio::test]
async fn a_store_has_numbers_of_what_it_sent_to_servers() {
    let (network, who) = (Network::default(), Who { app: "shop".into(), component: "front".into() });
    let total = Arc::<Usage>::default();
    let servers = Client::new(Arc::new(network), who, Vec::new(), Arc::new(Quota::new(1)), Arc::clone(&total));
    let mut hooks = Hooks::new(Arc::new(outbound().with_servers(servers)), Caller::default());
    assert_eq!(hooks.counts(), Counts::default());
    for uri in ["http://example.com/", "http://backend.wharf.internal/"] {
        let request = http::Request::get(uri).body(WasiBody::default()).unwrap();
        let answer = Box::into_pin(hooks.send_request(request, None, Box::new(async { Ok(()) }))).await;
        assert!(answer.is_err(), "{uri}");
    }
    let (counts, total) = (hooks.counts(), total.counts());
    assert_eq!((counts.calls, counts.denied, total.calls), (1, 1, 1));
}
