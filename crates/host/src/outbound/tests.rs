//! Which names reach which component.

use super::*;

fn outbound() -> Outbound {
    struct Nobody;
    impl Peers for Nobody {
        fn call(&self, _: &str, _: http::Request<WasiBody>, _: Caller) -> CallFuture {
            Box::pin(async { Err(Error::DestinationNotFound) })
        }
    }
    Outbound::new("shop".into(), "front".into(), BTreeSet::from(["backend".to_owned()]), Arc::new(Nobody))
}

fn routed(uri: &str) -> Result<String, String> {
    outbound().route(&uri.parse().unwrap()).map_err(|error| format!("{error:?}"))
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
