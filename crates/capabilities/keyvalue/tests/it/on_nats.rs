//! NATS: what a batch costs, what other programs do to a bucket, and servers that are away, hang, or refuse.

use std::sync::Arc;

use async_nats::jetstream;
use async_nats::jetstream::kv;
use bytes::Bytes;
use futures_util::future::{join, join_all};
use tempfile::TempDir;
use wharf_keyvalue::{Error, Key, Store};
use wharf_kit::{BackendError, Kind, Namespace, Opened, Refused};
use wharf_testkit::services::Nats;

use crate::fixture::{LIMIT, get, key, open, recovers, set, words};
use crate::proxy::Proxy;

const BUCKET: &str = "wharf-shop-LABEL-default";

fn opened(settings: &str) -> Arc<dyn Opened<dyn Store>> {
    open("nats", settings, TempDir::new().unwrap()).unwrap()
}

fn store(settings: &str) -> Arc<dyn Store> {
    opened(settings).store(&Namespace::own("shop", "default")).unwrap()
}

fn at(server: &Nats) -> Arc<dyn Store> {
    store(&format!("url = \"{}\"", server.url()))
}

/// What another program would connect with.
async fn other(server: &Nats) -> jetstream::Context {
    jetstream::new(async_nats::connect(server.url()).await.unwrap())
}

async fn bucket(server: &Nats) -> kv::Store {
    other(server).await.get_key_value(BUCKET).await.unwrap()
}

#[tokio::test]
async fn a_batch_that_reads_is_one_round_trip_and_one_that_writes_does_not_wait_between() {
    let Some(server) = Nats::start() else { return };
    let proxy = Proxy::start(server.port());
    let store = store(&format!("url = \"nats://127.0.0.1:{}\"", proxy.port()));
    let pairs: Vec<(Key, Bytes)> = (0..200).map(|n| (key(format!("key-{n}")), Bytes::from(vec![7; 100]))).collect();
    let keys: Vec<Key> = pairs.iter().map(|(key, _)| key.clone()).collect();
    // The connection and the bucket are made.
    store.get_many(&keys, LIMIT).await.unwrap();
    let before = proxy.round_trips();
    store.set_many(pairs).await.unwrap();
    let writing = proxy.round_trips() - before;
    assert!(writing < 100, "{writing} round trips to write 200 keys");
    let before = proxy.round_trips();
    assert!(store.get_many(&keys, LIMIT).await.unwrap().iter().all(Option::is_some));
    assert_eq!(proxy.round_trips() - before, 1, "get_many");
}

#[tokio::test]
async fn what_other_programs_delete_is_not_there() {
    let Some(server) = Nats::start() else { return };
    let store = at(&server);
    store.set_many(["a", "b", "c"].map(|name| (key(name), "1".into())).to_vec()).await.unwrap();
    let bucket = bucket(&server).await;
    assert_eq!(bucket.get("a").await.unwrap().unwrap(), "1");
    bucket.delete("a").await.unwrap();
    bucket.purge("b").await.unwrap();
    for name in ["a", "b"] {
        assert_eq!(get(&*store, name).await, None);
        assert!(!store.exists(&key(name)).await.unwrap());
        assert_eq!(store.get_many(&[key(name), key("c")], LIMIT).await.unwrap(), [None, Some("1".into())]);
    }
    assert_eq!(store.keys(None).await.unwrap().keys, [key("c")]);
    assert_eq!(store.increment(&key("a"), 5).await.unwrap(), 5);
    let absent = store.snapshot(&key("b"), LIMIT).await.unwrap();
    assert_eq!(absent.value, None);
    assert!(store.swap(&key("b"), absent.version, "2".into()).await.unwrap());
    assert!(!store.swap(&key("b"), absent.version, "3".into()).await.unwrap());
    assert_eq!(get(&*store, "b").await.unwrap(), "2");
}

#[tokio::test]
async fn names_that_no_guest_can_have_are_nobodys_keys() {
    let Some(server) = Nats::start() else { return };
    let store = at(&server);
    set(&*store, "a.b", "1").await;
    let bucket = bucket(&server).await;
    assert_eq!(bucket.get("a=2Eb").await.unwrap().unwrap(), "1");
    for name in ["x.y", "=41", "=FF", "=", "=2e"] {
        bucket.put(name, "x".into()).await.unwrap();
    }
    assert_eq!(store.keys(None).await.unwrap().keys, [key("a.b")]);
}

#[tokio::test]
async fn a_bucket_that_another_program_removes_is_made_again() {
    let Some(server) = Nats::start() else { return };
    let store = at(&server);
    for _ in 0..3 {
        recovers(async || store.set(&key("a"), "1".into()).await).await;
        other(&server).await.delete_key_value(BUCKET).await.unwrap();
        // The server may answer from what it is about to remove.
        recovers(async || match store.get(&key("a"), LIMIT).await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }
}

#[tokio::test]
async fn increments_of_two_nodes_all_count() {
    let Some(server) = Nats::start() else { return };
    let (one, two) = (at(&server), at(&server));
    let add = async |store: &Arc<dyn Store>| {
        let caller = async |_| {
            for _ in 0..5 {
                store.increment(&key("n"), 1).await.unwrap();
            }
        };
        join_all((0..8).map(caller)).await;
    };
    join(add(&one), add(&two)).await;
    assert_eq!(get(&*one, "n").await.unwrap(), "80");
}

#[tokio::test]
async fn a_value_over_the_servers_limit_is_refused() {
    let Some(server) = Nats::options().setting("max_payload: 64KB").start() else { return };
    let store = at(&server);
    let error = store.set(&key("a"), vec![7; 100_000].into()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Refused::TooLarge { bytes: 100_000, limit_bytes: 65_536 })), "{error}");
    assert_eq!(get(&*store, "a").await, None);
    set(&*store, "a", "1").await;
}

#[tokio::test]
async fn a_bucket_that_is_full_still_reads_and_deletes() {
    let Some(server) = Nats::start() else { return };
    let config = kv::Config { bucket: BUCKET.to_owned(), max_bytes: 100_000, ..kv::Config::default() };
    other(&server).await.create_key_value(config).await.unwrap();
    let store = at(&server);
    store.set(&key("a"), vec![7; 60_000].into()).await.unwrap();
    let error = store.set(&key("b"), vec![7; 60_000].into()).await.unwrap_err();
    assert_eq!(error.to_string(), "the store failed: the server is full");
    assert!(store.get(&key("a"), LIMIT).await.unwrap().is_some());
    store.delete(&key("a")).await.unwrap();
    store.set(&key("b"), vec![7; 60_000].into()).await.unwrap();
}

#[tokio::test]
async fn wrong_credentials_are_an_error_without_the_password() {
    let Some(server) = Nats::options().login("app", "right").start() else { return };
    let url = format!("url = \"nats://127.0.0.1:{}\"", server.port());
    let wrong = "username = \"app\"\npassword = \"hunter2\"";
    for settings in [url.clone(), format!("{url}\n{wrong}"), format!("{url}\ntoken = \"hunter2\"")] {
        let store = store(&settings);
        for _ in 0..2 {
            let error = store.get(&key("a"), LIMIT).await.unwrap_err();
            assert_eq!(error.to_string(), "the store failed: the server does not let the host in");
            assert!(!words(&error).contains("hunter2"), "{}", words(&error));
        }
    }
    let store = store(&format!("{url}\nusername = \"app\"\npassword = \"right\""));
    set(&*store, "a", "1").await;
}

#[tokio::test]
async fn a_server_that_is_down_at_the_start_is_awaited() {
    let Some(server) = Nats::start() else { return };
    server.kill();
    let store = at(&server);
    for _ in 0..3 {
        let error = store.set(&key("a"), "1".into()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{}", words(&error));
    }
    server.restart();
    recovers(async || store.set(&key("a"), "2".into()).await).await;
    assert_eq!(get(&*store, "a").await.unwrap(), "2");
}

#[tokio::test]
async fn a_server_that_dies_in_a_call_fails_it_and_keeps_what_it_acknowledged() {
    let Some(server) = Nats::start() else { return };
    let server = Arc::new(server);
    let store = at(&server);
    for round in 0..3_i64 {
        recovers(async || store.get(&key("n"), LIMIT).await).await;
        assert_eq!(store.increment(&key("n"), 1).await.unwrap(), round + 1);
        server.pause();
        let killer = Arc::clone(&server);
        let b = key("b");
        let death = tokio::task::spawn_blocking(move || killer.kill());
        let (change, _) = tokio::join!(store.set(&b, "never".into()), death);
        let error = change.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{}", words(&error));
        server.restart();
    }
    let n = recovers(async || store.get(&key("n"), LIMIT).await).await;
    assert_eq!(n.unwrap(), "3");
    assert_eq!(get(&*store, "b").await, None);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_used_again() {
    let Some(server) = Nats::start() else { return };
    let times = "connect_timeout = \"250ms\"\nresponse_timeout = \"250ms\"";
    let store = store(&format!("url = \"{}\"\n{times}", server.url()));
    recovers(async || store.set(&key("a"), "1".into()).await).await;
    server.pause();
    for _ in 0..3 {
        let error = store.get(&key("a"), LIMIT).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{}", words(&error));
    }
    server.resume();
    let value = recovers(async || store.get(&key("a"), LIMIT).await).await;
    assert_eq!(value.unwrap(), "1");
}

#[test]
fn settings_that_are_wrong_are_told_without_the_password() {
    for (settings, expected) in [
        ("", "missing field `url`"),
        ("url = \"nats://127.0.0.1\"\nport = 1", "unknown field `port`"),
        ("url = \"nats://me:hunter2@[::\"", "`url` is not the URL of a NATS server"),
        ("url = \"nats://127.0.0.1\"\nreplicas = \"three\"", "invalid type"),
    ] {
        let Err(error) = open("nats", settings, TempDir::new().unwrap()) else { panic!("{settings} is accepted") };
        assert!(matches!(error, BackendError::Settings(_)));
        let text = words(&error);
        assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
    }
    let missing = "url = \"nats://127.0.0.1\"\ncredentials = \"/nowhere/app.creds\"";
    let Err(error) = open("nats", missing, TempDir::new().unwrap()) else { panic!("accepted") };
    assert!(matches!(error, BackendError::Open { .. }));
}

#[test]
fn a_place_shows_no_password() {
    let opened = opened("url = \"nats://me:hunter2@127.0.0.1:7,127.0.0.1:8\"");
    let place = opened.place(&Namespace::own("shop", "carts"));
    assert_eq!(place, "nats://127.0.0.1:7,nats://127.0.0.1:8 wharf-shop-LABEL-carts");
}
