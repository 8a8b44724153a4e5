//! The tables of `node.toml`.

use super::*;
use crate::Target;

fn network(text: &str) -> Result<Network, String> {
    Network::configured(text.parse().unwrap()).map_err(|error| error.to_string())
}

fn target(url: &str) -> Target {
    Target::of(&url.parse().unwrap()).unwrap()
}

#[test]
fn an_empty_table_is_the_default() {
    assert_eq!(network("").unwrap().settings, Settings::default());
}

#[test]
fn what_is_set_is_used() {
    let network = network(
        "connect-timeout = \"2s\"\nfirst-byte-timeout = \"3s\"\nbetween-bytes-timeout = \"4s\"\nconnections = 7\nrequests = 8\n\
         idle = 0\nidle-time = \"9s\"",
    );
    let Settings { timeouts, limits, .. } = network.unwrap().settings;
    let seconds = Duration::from_secs;
    assert_eq!((timeouts.connect, timeouts.first_byte, timeouts.between_bytes), (seconds(2), seconds(3), seconds(4)));
    assert_eq!((limits.connections, limits.requests, limits.idle, limits.idle_time), (7, 8, 0, seconds(9)));
}

#[test]
fn of_several_entries_the_most_precise_one_decides() {
    let network = network(
        "first-byte-timeout = \"1s\"\n\
         server.\"*\".first-byte-timeout = \"2s\"\n\
         server.\"*://*.example:*\".first-byte-timeout = \"3s\"\n\
         server.\"*://*.a.example:*\".first-byte-timeout = \"4s\"\n\
         server.\"https://b.a.example\".first-byte-timeout = \"5s\"\n\
         server.\"https://b.a.example:440-450\".first-byte-timeout = \"6s\"\n\
         server.\"https://10.0.0.0/8\".first-byte-timeout = \"7s\"\n\
         server.\"https://10.1.0.0/16\".connect-timeout = \"1s\"",
    )
    .unwrap();
    for (url, seconds) in [
        ("http://other/", 2),
        ("http://x.example/", 3),
        ("http://x.a.example/", 4),
        ("https://b.a.example/", 5),
        ("https://b.a.example:444/", 6),
        ("http://b.a.example/", 4),
        ("https://10.2.0.1/", 7),
        // The entry that fits best says nothing about this time: it is the one of `[http]`.
        ("https://10.1.0.1/", 1),
    ] {
        assert_eq!(network.settings.timeouts_for(&target(url)).first_byte, Duration::from_secs(seconds), "{url}");
    }
}

#[test]
fn mistakes_are_named_and_no_value_is_shown() {
    for (text, expected) in [
        ("conections = 1", "unknown field `conections`"),
        ("connections = 0", "expected a nonzero u32"),
        ("connect-timeout = \"0s\"", "expected a duration above zero"),
        ("server.\"example.com\".key = \"x\"", "`http.server.\"example.com\"` names no servers"),
        ("server.\"*\".key = \"x\"", "`http.server.\"*://*:*\"` has only one of `certificate` and `key`"),
        ("server.\"*\".authorities = \"missing.pem\"", "cannot read certificates from missing.pem"),
        (
            "server.\"*\".authorities = \"-----BEGIN CERTIFICATE-----\\nsecret\"",
            "cannot read certificates from the text that is given",
        ),
        ("server.\"*\".certificate = 5", "invalid type: integer `5`, expected a string"),
    ] {
        let found = network(text).map(|network| network.settings).unwrap_err();
        assert!(found.contains(expected) && !found.contains("secret"), "{text}: {found}");
    }
}

#[test]
fn an_app_may_have_a_number_of_connections_of_its_own() {
    let network = network("connections = 7").unwrap();
    let places = |text: &str| network.quota(text.parse().unwrap()).map(|quota| quota.places()).ok();
    assert_eq!((places(""), places("connections = 3"), places("requests = 3")), (Some(7), Some(3), None));
}
