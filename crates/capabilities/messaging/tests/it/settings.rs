//! What operators write, well and not.

use std::path::Path;
use wharf_kit::{BackendError, Embedded, Namespace};
use wharf_messaging::CAPABILITY;
use wharf_messaging::backend::BACKENDS;

/// Opens a backend with settings and returns where it is.
fn open(name: &str, settings: &str) -> Result<String, BackendError> {
    let backend = BACKENDS.iter().find(|backend| backend.name == name).unwrap();
    let mut settings: toml::Table = settings.parse().unwrap();
    // The key that all bindings have.
    settings.remove("backend");
    let opened = (backend.open)(settings, &Embedded::new(Path::new("unused"), CAPABILITY))?;
    let namespace = Namespace::own("shop", "orders");
    opened.store(&namespace)?;
    Ok(opened.place(&namespace))
}

#[test]
fn the_example_of_every_backend_is_read() {
    assert_eq!(BACKENDS[0].name, "broker", "what a label gets without an operator's word");
    for backend in BACKENDS {
        let place = open(backend.name, backend.example).unwrap();
        assert!(place.contains("shop") && place.contains("orders"), "{place}");
        assert!(backend.example.contains(&format!("backend = \"{}\"", backend.name)));
    }
}

#[test]
fn a_place_is_shown_without_a_password() {
    let places = [
        (
            "nats",
            "url = \"nats://me:hunter2@a:1,tls://b\"\nstream = \"S\"",
            "nats://a:1,tls://b:4222 shop.orders.> in the stream S",
        ),
        ("mqtt", "url = \"mqtt://a:1\"\npassword = \"hunter2\"\nprefix = \"x.y\"", "mqtt://a:1 x/y/#"),
        ("redis", "url = \"redis://me:hunter2@a:1/3\"\nprefix = \"\"", "redis://a:1 >"),
    ];
    for (name, settings, place) in places {
        assert_eq!(open(name, settings).unwrap(), place);
    }
}

#[test]
fn settings_that_cannot_be_are_told_without_a_password() {
    let cases = [
        ("nats", ""),
        ("nats", "url = \"http://me:hunter2@a\""),
        ("nats", "url = \"nats://me:hunter2@a:b\""),
        ("nats", "url = \"nats://a\"\npassword = 7"),
        ("nats", "url = \"nats://a\"\npasword = \"hunter2\""),
        ("nats", "url = \"nats://a\"\nprefix = \"a.>\""),
        ("nats", "url = \"nats://a\"\ninbox_prefix = \"_I.*\""),
        ("nats", "url = \"nats://a\"\ncredentials = \"/nowhere/at/all\""),
        ("nats", "url = \"nats://a\"\nconnect_timeout = \"0s\""),
        ("mqtt", "url = \"mqtt://me:hunter2@a\""),
        ("mqtt", "url = \"mqtts://a\"\nca = \"/nowhere/at/all\""),
        ("mqtt", "url = \"mqtt://a\"\nstream = \"S\""),
        ("redis", "url = \"http://me:hunter2@a\""),
        ("redis", "url = \"redis://a\"\nprefix = \"$SYS\""),
        ("broker", "url = \"nats://me:hunter2@a\""),
    ];
    for (name, settings) in cases {
        let error = open(name, settings).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{settings}: {error:?}");
    }
}
