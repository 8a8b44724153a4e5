//! TLS to real servers: whom we trust, who we say we are, and that nothing is said without it where it is wanted.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;
use wharf_keyvalue::Store;
use wharf_kit::{Kind, Namespace};
use wharf_testkit::services::{Nats, Redis, Tls};
use wharf_testkit::{Authority, Refused};

use crate::fixture::{LIMIT, get, key, open, set, words};

/// A running server.
struct Server {
    backend: &'static str,
    /// As the server's URL has it.
    url: String,
    _process: Box<dyn Any>,
}

fn redis(tls: Option<Tls>) -> Option<Server> {
    let options = Redis::options().in_memory();
    let server = if let Some(tls) = tls { options.tls(tls) } else { options }.start()?;
    Some(Server { backend: "redis", url: server.url(), _process: Box::new(server) })
}

fn nats(tls: Option<Tls>) -> Option<Server> {
    let options = Nats::options();
    let server = if let Some(tls) = tls { options.tls(tls) } else { options }.start()?;
    Some(Server { backend: "nats", url: server.url(), _process: Box::new(server) })
}

macro_rules! with_every_server {
    ($($fact:ident),+ $(,)?) => {
        with_every_server!(@ with_redis redis $($fact)+);
        with_every_server!(@ with_nats nats $($fact)+);
    };
    (@ $module:ident $start:ident $($fact:ident)+) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $fact() {
                    super::$fact(super::$start).await;
                }
            )+
        }
    };
}

with_every_server![
    a_certificate_of_a_known_authority_is_accepted,
    other_certificates_are_refused_in_words,
    a_server_may_want_to_know_who_we_are,
    a_server_without_tls_gets_nothing_when_it_is_wanted,
];

/// How long a handshake may take on a machine that does other things too.
const PATIENT: &str = "connect_timeout = \"10s\"\nresponse_timeout = \"10s\"\n";

fn store(server: &Server, url: &str, settings: &str) -> Arc<dyn Store> {
    store_of(server.backend, &format!("url = \"{url}\"\n{PATIENT}{settings}"))
}

fn store_of(backend: &str, settings: &str) -> Arc<dyn Store> {
    let opened = open(backend, settings, TempDir::new().unwrap()).unwrap();
    opened.store(&Namespace::own("shop", "default")).unwrap()
}

fn trusting(authority: &Authority) -> String {
    format!("authorities = \"{}\"\n", authority.file().display())
}

/// Tells what a call says, which fails for good and not because nobody is there.
async fn refusal(server: &Server, settings: &str) -> String {
    let error = store(server, &server.url, settings).set(&key("a"), "1".into()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Backend, "{}", words(&error));
    error.to_string()
}

async fn a_certificate_of_a_known_authority_is_accepted(start: fn(Option<Tls>) -> Option<Server>) {
    let authority = Authority::new();
    let Some(server) = start(Some(Tls::new(authority.server()))) else { return };
    let by_name = server.url.replace("127.0.0.1", "localhost");
    let as_text = format!("authorities = '''{}'''\n", authority.pem());
    for (url, settings) in [(&server.url, trusting(&authority)), (&by_name, as_text)] {
        let store = store(&server, url, &settings);
        set(&*store, "a", "1").await;
        assert_eq!(get(&*store, "a").await.unwrap(), "1");
        // More than fits into one record of TLS.
        let large = Bytes::from(vec![7; 500_000]);
        store.set(&key("large"), large.clone()).await.unwrap();
        assert!(store.get(&key("large"), LIMIT).await.unwrap() == Some(large), "{url}");
    }
}

async fn other_certificates_are_refused_in_words(start: fn(Option<Tls>) -> Option<Server>) {
    let authority = Authority::new();
    let trusting = trusting(&authority);
    for Refused { identity, trusts, why } in authority.refused() {
        let Some(server) = start(Some(Tls::new(identity))) else { return };
        let refusal = refusal(&server, if trusts { &trusting } else { "" }).await;
        assert_eq!(refusal, format!("the store failed: the certificate of the server {why}"));
    }
}

async fn a_server_may_want_to_know_who_we_are(start: fn(Option<Tls>) -> Option<Server>) {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let Some(server) = start(Some(Tls::new(authority.server()).with_clients_of(&authority))) else { return };
    let trusting = trusting(&authority);
    let known = store(&server, &server.url, &format!("{trusting}{}", authority.client("wharf").settings()));
    set(&*known, "a", "1").await;
    assert_eq!(get(&*known, "a").await.unwrap(), "1");
    let wanted = "the store failed: the server wants a certificate of the host";
    assert_eq!(refusal(&server, &trusting).await, wanted);
    let unknown = format!("{trusting}{}", stranger.client("wharf").settings());
    let refused = "the store failed: the server does not accept the certificate of the host";
    assert_eq!(refusal(&server, &unknown).await, refused);
    assert_eq!(get(&*known, "a").await.unwrap(), "1");
}

async fn a_server_without_tls_gets_nothing_when_it_is_wanted(start: fn(Option<Tls>) -> Option<Server>) {
    let authority = Authority::new();
    let Some(server) = start(None) else { return };
    let plain = store(&server, &server.url, "");
    set(&*plain, "a", "1").await;
    let wanted = server.url.replace("redis://", "rediss://").replace("nats://", "tls://");
    // A server may also wait for more, and is given up then.
    let settings = format!("url = \"{wanted}\"\nconnect_timeout = \"500ms\"\n{}", trusting(&authority));
    let error = store_of(server.backend, &settings).set(&key("a"), "2".into()).await.unwrap_err();
    let expected = match server.backend {
        "redis" => "the store is not available: the server does not answer in time",
        _ => "the store failed: the server does not speak TLS",
    };
    assert_eq!(error.to_string(), expected, "{}", words(&error));
    assert_eq!(get(&*plain, "a").await.unwrap(), "1");
}

#[test]
fn settings_of_tls_without_tls_are_refused() {
    let folder = TempDir::new().unwrap();
    let error = open("redis", "url = \"redis://localhost\"\nauthorities = \"ca.pem\"", &folder).err().unwrap();
    assert!(error.to_string().ends_with("write `rediss://` in `url`"), "{error}");
    for url in ["rediss://localhost", "nats://localhost"] {
        let backend = if url.starts_with("nats") { "nats" } else { "redis" };
        let error = open(backend, &format!("url = \"{url}\"\nauthorities = \"nowhere.pem\""), &folder).err().unwrap();
        assert_eq!(error.to_string(), "cannot open nowhere.pem");
    }
}
