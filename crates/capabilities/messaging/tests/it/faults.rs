//! Servers that are away, die, hang, refuse, or take less than is sent. The node goes on, and the capability recovers by itself.

use crate::fixture::{
    Backend, LONG, ask, bind, data, mqtt, mqtt_on, nats, nats_on, next, redis, redis_on, send, subscribe, until,
};
use tokio::time::timeout;
use wharf_kit::{Kind, Refused};
use wharf_messaging::{Error, Message};
use wharf_testkit::services::{Mqtt, Nats, Redis};

macro_rules! servers {
    ($($fact:ident,)*) => {
        servers!(@ with_nats, nats, $($fact)*);
        servers!(@ with_mqtt, mqtt, $($fact)*);
        servers!(@ with_redis, redis, $($fact)*);
    };
    (@ $module:ident, $backend:ident, $($fact:ident)*) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $fact() {
                    let Some(backend) = super::$backend() else { return };
                    super::$fact(backend).await;
                }
            )*
        }
    };
}

servers! {
    a_server_that_is_away_at_the_start_is_found_when_it_comes,
    a_server_that_dies_ends_the_calls_and_is_found_again,
    a_server_that_hangs_ends_calls_in_time,
}

fn is_away(result: &Result<(), Error>) -> bool {
    matches!(result, Err(error) if error.kind() == Kind::Unavailable && error.kind().is_retryable())
}

async fn a_server_that_is_away_at_the_start_is_found_when_it_comes(backend: Backend) {
    backend.server().kill();
    let messenger = backend.messenger();
    for _ in 0..100 {
        // A hundred time-outs would take minutes.
        let sent = send(&messenger, "a", Message::new("x")).await;
        assert!(is_away(&sent), "{sent:?}");
    }
    backend.server().restart();
    until("sending", async || send(&messenger, "a", Message::new("x")).await.is_ok()).await;
}

async fn a_server_that_dies_ends_the_calls_and_is_found_again(backend: Backend) {
    let messenger = backend.messenger();
    send(&messenger, "a", Message::new("x")).await.unwrap();
    if backend.has_requests {
        let mut subscription = subscribe(&messenger, ">").await;
        let (asked, _silent) = tokio::join!(ask(&messenger, 1), async {
            let delivery = next(&mut subscription).await;
            backend.server().kill();
            delivery
        });
        let asked = asked.map(drop);
        assert!(is_away(&asked), "{asked:?}");
    } else {
        backend.server().kill();
    }
    until("the loss is noticed", async || is_away(&send(&messenger, "a", Message::new("x")).await)).await;
    backend.server().restart();
    until("sending", async || send(&messenger, "a", Message::new("x")).await.is_ok()).await;
    let mut subscription = subscribe(&messenger, "b").await;
    send(&messenger, "b", Message::new("new")).await.unwrap();
    assert_eq!(data(&mut subscription).await, b"new");
}

async fn a_server_that_hangs_ends_calls_in_time(backend: Backend) {
    let backend = backend.with("connect_timeout = \"300ms\"\nresponse_timeout = \"300ms\"");
    let messenger = backend.messenger();
    send(&messenger, "a", Message::new("x")).await.unwrap();
    backend.server().pause();
    for _ in 0..10 {
        let sent = send(&messenger, "a", Message::new("x")).await;
        assert!(is_away(&sent), "{sent:?}");
    }
    backend.server().resume();
    until("sending", async || send(&messenger, "a", Message::new("x")).await.is_ok()).await;
}

/// Tells that wrong credentials are told apart from a server that is away, and shown to nobody.
async fn is_refused(backend: Backend, right: &str, wrong: &str) {
    let backend = backend.with(wrong);
    let bindings = backend.bindings();
    let messenger = bind(&bindings, "shop", "orders");
    let error = send(&messenger, "a", Message::new("x")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Backend, "{error:?}");
    assert!(error.to_string().contains("let the host in"), "{error}");
    let place = bindings.bind("shop", "orders", wharf_kit::BoundsOverride::default()).unwrap().place;
    assert!(!format!("{error} {error:?} {place}").contains("secret"), "{error:?} {place}");
    let backend = Backend { settings: backend.settings.replace(wrong, right), ..backend };
    send(&backend.messenger(), "a", Message::new("x")).await.unwrap();
}

const RIGHT: &str = "username = \"wharf\"\npassword = \"secret-right\"";
const WRONG: &str = "username = \"wharf\"\npassword = \"secret-wrong\"";

#[tokio::test]
async fn nats_refuses_a_wrong_password() {
    let Some(server) = Nats::options().login("wharf", "secret-right").start() else { return };
    is_refused(nats_on(server).unwrap(), RIGHT, WRONG).await;
}

#[tokio::test]
async fn mqtt_refuses_a_wrong_password() {
    let Some(server) = Mqtt::options().login("wharf", "secret-right").start() else { return };
    is_refused(mqtt_on(server).unwrap(), RIGHT, WRONG).await;
}

#[tokio::test]
async fn redis_refuses_a_wrong_password() {
    let Some(server) = Redis::options().password("secret-right").start() else { return };
    let (right, wrong) = ("password = \"secret-right\"", "password = \"secret-wrong\"");
    is_refused(redis_on(server).unwrap(), right, wrong).await;
}

/// Tells that a message over the server's own limit is refused without harm to others who share the connection.
async fn is_too_large(backend: Backend) {
    let messenger = backend.messenger();
    let mut subscription = subscribe(&messenger, ">").await;
    send(&messenger, "a", Message::new("before")).await.unwrap();
    let (large, small) = tokio::join!(
        send(&messenger, "a", Message::new(vec![0; 5000])),
        send(&messenger, "a", Message::new("at the same time")),
    );
    assert!(matches!(large, Err(Error::Refused(Refused::TooLarge { limit_bytes: 4096, .. }))), "{large:?}");
    small.unwrap();
    for text in ["before", "at the same time"] {
        assert_eq!(data(&mut subscription).await, text.as_bytes());
    }
}

#[tokio::test]
async fn nats_takes_no_more_than_its_limit() {
    let Some(server) = Nats::options().setting("max_payload: 4096").start() else { return };
    is_too_large(nats_on(server).unwrap()).await;
}

#[tokio::test]
async fn mqtt_takes_no_more_than_its_limit() {
    let Some(server) = Mqtt::options().setting("max_packet_size 4096").start() else { return };
    is_too_large(mqtt_on(server).unwrap()).await;
}

#[tokio::test]
async fn what_nats_does_not_let_the_host_send_is_an_error() {
    let permissions = "authorization { users = [ { user: w, password: p, permissions: { publish: { deny: \"shop.orders.no\" } } } ] }";
    let Some(server) = Nats::options().login("w", "p").setting(&format!("#\n{permissions}")).start() else { return };
    let backend = nats_on(server).unwrap().with("username = \"w\"\npassword = \"p\"");
    let messenger = backend.messenger();
    let denied = send(&messenger, "no", Message::new("x")).await;
    assert!(matches!(&denied, Err(error) if error.kind() == Kind::Backend), "{denied:?}");
    send(&messenger, "yes", Message::new("x")).await.unwrap();
}

#[tokio::test]
async fn an_unread_subscription_is_dropped_without_a_trace() {
    let Some(backend) = mqtt() else { return };
    let messenger = backend.messenger();
    let unread = subscribe(&messenger, ">").await;
    let mut read = subscribe(&messenger, ">").await;
    for number in 0..200 {
        send(&messenger, "a", Message::new(number.to_string())).await.unwrap();
        assert_eq!(data(&mut read).await, number.to_string().as_bytes());
    }
    drop((unread, read));
    let nobody = async || matches!(timeout(LONG, ask(&messenger, 1)).await, Ok(Err(Error::NoResponder(_))));
    until("the server forgets them", nobody).await;
}
