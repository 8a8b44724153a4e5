//! TLS to real servers: whom we trust, who we say we are, and that nothing is said without it where it is wanted.

use wharf_kit::Kind;
use wharf_messaging::{Error, Filter, Message};
use wharf_testkit::services::{Mqtt, Nats, Redis, Tls};
use wharf_testkit::{Authority, Refused};

use crate::fixture::{Backend, ask, data, mqtt_on, nats_on, next, redis_on, send, subscribe};

fn nats(tls: Option<Tls>) -> Option<(Backend, String)> {
    let options = Nats::options();
    let server = if let Some(tls) = tls { options.tls(tls) } else { options }.start()?;
    let url = server.url();
    Some((nats_on(server)?, url))
}

fn mqtt(tls: Option<Tls>) -> Option<(Backend, String)> {
    let options = Mqtt::options();
    let server = if let Some(tls) = tls { options.tls(tls) } else { options }.start()?;
    let url = server.url();
    Some((mqtt_on(server)?, url))
}

fn redis(tls: Option<Tls>) -> Option<(Backend, String)> {
    let options = Redis::options().in_memory();
    let server = if let Some(tls) = tls { options.tls(tls) } else { options }.start()?;
    // A channel has no database.
    let url = server.url().trim_end_matches("/0").to_owned();
    Some((redis_on(server)?, url))
}

type Start = fn(Option<Tls>) -> Option<(Backend, String)>;

macro_rules! with_every_server {
    ($($fact:ident),+ $(,)?) => {
        with_every_server!(@ with_nats nats $($fact)+);
        with_every_server!(@ with_mqtt mqtt $($fact)+);
        with_every_server!(@ with_redis redis $($fact)+);
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

/// Returns a backend with other settings than those it came with.
fn set(mut backend: Backend, url: &str, settings: &str) -> Backend {
    backend.settings = format!("url = \"{url}\"\n{settings}");
    backend
}

fn trusting(authority: &Authority) -> String {
    format!("{PATIENT}authorities = \"{}\"\n", authority.file().display())
}

/// Returns what sending and listening fail with, both for good and not because nobody is there.
async fn refusal(backend: &Backend) -> String {
    let messenger = backend.messenger();
    let error = send(&messenger, "a", Message::new("x")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Backend, "{error:?}");
    let listening = messenger.subscribe(&Filter::new("a").unwrap()).await;
    assert_eq!(listening.map(drop).unwrap_err().to_string(), error.to_string());
    error.to_string()
}

async fn a_certificate_of_a_known_authority_is_accepted(start: Start) {
    let authority = Authority::new();
    let Some((backend, url)) = start(Some(Tls::new(authority.server()))) else { return };
    let by_name = url.replace("127.0.0.1", "localhost");
    let as_text = format!("{PATIENT}authorities = '''{}'''\n", authority.pem());
    let mut backend = backend;
    for (url, settings) in [(&url, trusting(&authority)), (&by_name, as_text)] {
        backend = set(backend, url, &settings);
        let messenger = backend.messenger();
        let mut subscription = subscribe(&messenger, "a").await;
        send(&messenger, "a", Message::new("x")).await.unwrap();
        assert_eq!(data(&mut subscription).await, b"x");
        if backend.has_requests {
            let mut asked = subscribe(&messenger, "ask").await;
            let (replies, ()) = tokio::join!(ask(&messenger, 1), async {
                let delivery = next(&mut asked).await;
                delivery.reply.unwrap().send(Message::new("!")).await.unwrap();
            });
            assert_eq!(replies.unwrap()[0].data, &b"!"[..]);
        }
    }
}

async fn other_certificates_are_refused_in_words(start: Start) {
    let authority = Authority::new();
    let trusting = trusting(&authority);
    for Refused { identity, trusts, why } in authority.refused() {
        let Some((backend, url)) = start(Some(Tls::new(identity))) else { return };
        let refusal = refusal(&set(backend, &url, if trusts { &trusting } else { PATIENT })).await;
        assert!(refusal.ends_with(&format!("the certificate of the server {why}")), "{refusal}");
    }
}

async fn a_server_may_want_to_know_who_we_are(start: Start) {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let Some((backend, url)) = start(Some(Tls::new(authority.server()).with_clients_of(&authority))) else { return };
    let trusting = trusting(&authority);
    let backend = set(backend, &url, &trusting);
    let refused = refusal(&backend).await;
    assert!(refused.ends_with("the server wants a certificate of the host"), "{refused}");
    let backend = set(backend, &url, &format!("{trusting}{}", stranger.client("wharf").settings()));
    let refused = refusal(&backend).await;
    assert!(refused.ends_with("the server does not accept the certificate of the host"), "{refused}");
    let backend = set(backend, &url, &format!("{trusting}{}", authority.client("wharf").settings()));
    let messenger = backend.messenger();
    let mut subscription = subscribe(&messenger, "a").await;
    send(&messenger, "a", Message::new("x")).await.unwrap();
    assert_eq!(data(&mut subscription).await, b"x");
}

async fn a_server_without_tls_gets_nothing_when_it_is_wanted(start: Start) {
    let authority = Authority::new();
    let Some((backend, url)) = start(None) else { return };
    let messenger = backend.messenger();
    let mut subscription = subscribe(&messenger, "a").await;
    let wanted = ["redis", "mqtt"]
        .iter()
        .fold(url, |url, scheme| url.replace(&format!("{scheme}://"), &format!("{scheme}s://")));
    let wanted = wanted.replace("nats://", "tls://");
    let settings = format!("connect_timeout = \"500ms\"\nauthorities = \"{}\"", authority.file().display());
    let backend = set(backend, &wanted, &settings);
    let error = send(&backend.messenger(), "a", Message::new("never")).await.unwrap_err();
    // What a server does with a greeting that it does not understand differs: it answers, closes, or waits.
    assert!(matches!(error, Error::Backend { .. } | Error::Unavailable { .. }), "{error:?}");
    send(&messenger, "a", Message::new("x")).await.unwrap();
    assert_eq!(data(&mut subscription).await, b"x", "the other message did not arrive");
}

#[test]
fn settings_of_tls_without_tls_are_refused() {
    let open = |name: &str, settings: &str| {
        let backend = wharf_messaging::backend::BACKENDS.iter().find(|known| known.name == name).unwrap();
        let embedded = wharf_kit::Embedded::new("unused".as_ref(), wharf_messaging::CAPABILITY);
        (backend.open)(settings.parse().unwrap(), &embedded).err().map(|error| error.to_string()).unwrap_or_default()
    };
    for (name, url, instead) in [("redis", "redis://a", "`rediss://`"), ("mqtt", "mqtt://a", "`mqtts://`")] {
        let error = open(name, &format!("url = \"{url}\"\nkey = \"a.key\""));
        assert!(error.ends_with(&format!("write {instead} in `url`")), "{error}");
    }
    for (name, url) in [("redis", "rediss://a"), ("mqtt", "mqtts://a"), ("nats", "nats://a")] {
        assert_eq!(open(name, &format!("url = \"{url}\"\nauthorities = \"nowhere.pem\"")), "cannot open nowhere.pem");
    }
}
