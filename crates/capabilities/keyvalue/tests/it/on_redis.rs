//! Redis: what other programs see, what a batch costs, and servers that are away, hang, or refuse.

use std::sync::Arc;

use bytes::Bytes;
use redis::Connection;
use tempfile::TempDir;
use wharf_keyvalue::{Error, Key, Store};
use wharf_kit::{BackendError, Kind, Namespace, Opened};
use wharf_testkit::services::Redis;

use crate::fixture::{LIMIT, get, key, open, recovers, set, words};
use crate::proxy::Proxy;

fn opened(settings: &str) -> Arc<dyn Opened<dyn Store>> {
    open("redis", settings, TempDir::new().unwrap()).unwrap()
}

fn store(settings: &str) -> Arc<dyn Store> {
    opened(settings).store(&Namespace::own("shop", "default")).unwrap()
}

fn at(server: &Redis) -> Arc<dyn Store> {
    store(&format!("url = \"{}\"", server.url()))
}

/// What another program would connect with.
fn other(server: &Redis) -> Connection {
    redis::Client::open(server.url()).unwrap().get_connection().unwrap()
}

fn numbered(count: usize) -> Vec<(Key, Bytes)> {
    (0..count).map(|number| (key(format!("key-{number}")), Bytes::from(vec![7; 1000]))).collect()
}

#[tokio::test]
async fn a_batch_is_one_round_trip() {
    let Some(server) = Redis::options().in_memory().start() else { return };
    let proxy = Proxy::start(server.port());
    let store = store(&format!("url = \"redis://127.0.0.1:{}\"", proxy.port()));
    let pairs = numbered(200);
    let keys: Vec<Key> = pairs.iter().map(|(key, _)| key.clone()).collect();
    // The connection is made, and the server learns the scripts.
    store.get_many(&keys, LIMIT).await.unwrap();
    let before = proxy.round_trips();
    store.set_many(pairs).await.unwrap();
    assert_eq!(proxy.round_trips() - before, 1, "set_many");
    assert!(store.get_many(&keys, LIMIT).await.unwrap().iter().all(Option::is_some));
    assert_eq!(proxy.round_trips() - before, 2, "get_many");
    store.delete_many(&keys).await.unwrap();
    assert_eq!(proxy.round_trips() - before, 3, "delete_many");
    store.increment(&key("n"), 1).await.unwrap();
    assert_eq!(proxy.round_trips() - before, 4, "increment");
}

#[tokio::test]
async fn other_programs_see_plain_names_and_values() {
    let Some(server) = Redis::options().in_memory().start() else { return };
    let (store, mut other) = (at(&server), other(&server));
    set(&*store, "user/1", "Ada").await;
    let seen: String = redis::cmd("GET").arg("shop:default:user/1").query(&mut other).unwrap();
    assert_eq!(seen, "Ada");
    store.increment(&key("n"), 41).await.unwrap();
    let sum: i64 = redis::cmd("INCR").arg("shop:default:n").query(&mut other).unwrap();
    assert_eq!((sum, get(&*store, "n").await.unwrap()), (42, "42".into()));
    // Names that no guest can have are nobody's keys.
    for name in [&b"shop:default:\xff"[..], b"shop:default:", b"shop:defaul", b"shop:default"] {
        redis::cmd("SET").arg(name).arg("x").exec(&mut other).unwrap();
    }
    let mut keys = store.keys(None).await.unwrap().keys;
    keys.sort_unstable();
    assert_eq!(keys, [key("n"), key("user/1")]);
}

#[tokio::test]
async fn a_key_of_another_kind_is_an_error_and_stays() {
    let Some(server) = Redis::options().in_memory().start() else { return };
    let (store, mut other) = (at(&server), other(&server));
    redis::cmd("LPUSH").arg("shop:default:list").arg("x").exec(&mut other).unwrap();
    let list = key("list");
    for error in [
        store.get(&list, LIMIT).await.unwrap_err(),
        store.increment(&list, 1).await.unwrap_err(),
        store.snapshot(&list, LIMIT).await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "the store failed: the key has something that is no value");
    }
    assert!(store.exists(&list).await.unwrap());
}

#[tokio::test]
async fn labels_share_the_connection_of_their_core() {
    let Some(server) = Redis::options().in_memory().start() else { return };
    let opened = opened(&format!("url = \"{}\"", server.url()));
    let mut other = other(&server);
    for label in ["one", "two", "three"] {
        let store = opened.store(&Namespace::own("shop", label)).unwrap();
        let call = async |number: u32| store.increment(&key("n"), i64::from(number)).await.unwrap();
        futures_util::future::join_all((0..32).map(call)).await;
    }
    let list: String = redis::cmd("CLIENT").arg("LIST").arg("TYPE").arg("NORMAL").query(&mut other).unwrap();
    assert_eq!(list.lines().count(), 2, "ours and the one that asks:\n{list}");
}

#[tokio::test]
async fn wrong_credentials_are_an_error_without_the_password() {
    let Some(server) = Redis::options().in_memory().password("right").start() else { return };
    let url = format!("url = \"redis://127.0.0.1:{}\"", server.port());
    for settings in [url.clone(), format!("{url}\npassword = \"hunter2\"")] {
        let store = store(&settings);
        for _ in 0..2 {
            let error = store.get(&key("a"), LIMIT).await.unwrap_err();
            assert_eq!(error.to_string(), "the store failed: the server does not let the host in");
            assert_eq!(error.kind(), Kind::Backend);
            assert!(!words(&error).contains("hunter2"), "{}", words(&error));
        }
    }
    let store = store(&format!("{url}\npassword = \"right\""));
    set(&*store, "a", "1").await;
    assert_eq!(get(&*store, "a").await.unwrap(), "1");
}

#[tokio::test]
async fn a_user_may_be_kept_from_what_is_not_its_own() {
    let user = "user app on >secret ~other:* +@all";
    let Some(server) = Redis::options().in_memory().setting(user).start() else { return };
    let settings = "username = \"app\"\npassword = \"secret\"";
    let store = store(&format!("url = \"redis://127.0.0.1:{}\"\n{settings}", server.port()));
    let error = store.set(&key("a"), "1".into()).await.unwrap_err();
    assert_eq!(error.to_string(), "the store failed: the server does not let the host in");
}

#[tokio::test]
async fn a_server_that_is_down_at_the_start_is_awaited() {
    let Some(server) = Redis::start() else { return };
    server.kill();
    let store = at(&server);
    for _ in 0..3 {
        let error = store.set(&key("a"), "1".into()).await.unwrap_err();
        assert!(error.kind().is_retryable(), "{error}");
        assert_eq!(error.to_string(), "the store is not available: the server is not there");
    }
    server.restart();
    recovers(async || store.set(&key("a"), "2".into()).await).await;
    assert_eq!(get(&*store, "a").await.unwrap(), "2");
}

#[tokio::test]
async fn a_server_that_dies_in_a_call_fails_it_and_keeps_what_it_acknowledged() {
    let Some(server) = Redis::start() else { return };
    let server = Arc::new(server);
    let store = at(&server);
    for round in 0..5_i64 {
        recovers(async || store.increment(&key("n"), 0).await).await;
        set(&*store, "a", "acknowledged").await;
        assert_eq!(store.increment(&key("n"), 1).await.unwrap(), round + 1);
        server.pause();
        let killer = Arc::clone(&server);
        let b = key("b");
        let death = tokio::task::spawn_blocking(move || killer.kill());
        let (change, _) = tokio::join!(store.set(&b, "never".into()), death);
        let error = change.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        server.restart();
    }
    let n = recovers(async || store.get(&key("n"), LIMIT).await).await;
    assert_eq!(n.unwrap(), "5");
    assert_eq!(get(&*store, "a").await.unwrap(), "acknowledged");
    assert_eq!(get(&*store, "b").await, None);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_used_again() {
    let Some(server) = Redis::options().in_memory().start() else { return };
    let times = "connect_timeout = \"250ms\"\nresponse_timeout = \"250ms\"";
    let store = store(&format!("url = \"{}\"\n{times}", server.url()));
    recovers(async || store.set(&key("a"), "1".into()).await).await;
    server.pause();
    for _ in 0..3 {
        let error = store.get(&key("a"), LIMIT).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    }
    server.resume();
    let value = recovers(async || store.get(&key("a"), LIMIT).await).await;
    assert_eq!(value.unwrap(), "1");
}

#[tokio::test]
async fn a_connection_that_the_server_closes_costs_no_read() {
    let Some(server) = Redis::options().in_memory().start() else { return };
    for protocol in ["resp2", "resp3"] {
        let store = store(&format!("url = \"{}?protocol={protocol}\"", server.url()));
        let mut other = other(&server);
        set(&*store, "a", "1").await;
        for _ in 0..10 {
            redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("NORMAL").exec(&mut other).unwrap();
            assert_eq!(get(&*store, "a").await.unwrap(), "1", "{protocol}");
        }
    }
}

#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_told_again() {
    let Some(server) = Redis::options().in_memory().start() else { return };
    let (store, mut other) = (at(&server), other(&server));
    set(&*store, "a", "1").await;
    for _ in 0..2 {
        let version = store.snapshot(&key("a"), LIMIT).await.unwrap().version;
        redis::cmd("SCRIPT").arg("FLUSH").exec(&mut other).unwrap();
        assert!(store.swap(&key("a"), version, "1".into()).await.unwrap());
        assert_eq!(store.get_many(&[key("a")], LIMIT).await.unwrap(), [Some("1".into())]);
    }
}

#[tokio::test]
async fn a_full_server_still_reads_and_deletes() {
    let full = Redis::options().in_memory().setting("maxmemory 4mb").setting("maxmemory-policy noeviction");
    let Some(server) = full.start() else { return };
    let store = at(&server);
    let mut number = 0;
    let error = loop {
        match store.set(&key(format!("key-{number}")), Bytes::from(vec![7; 100_000])).await {
            Ok(()) => number += 1,
            Err(error) => break error,
        }
        assert!(number < 100, "it is never full");
    };
    assert_eq!(error.to_string(), "the store failed: the server is full");
    assert_eq!(error.kind(), Kind::Backend);
    assert!(store.get(&key("key-0"), LIMIT).await.unwrap().is_some());
    let page = store.keys(None).await.unwrap();
    store.delete_many(&page.keys).await.unwrap();
    recovers(async || store.set(&key("a"), "1".into()).await).await;
}

#[tokio::test]
async fn a_replica_reads_and_refuses_changes_for_now() {
    let Some(server) = Redis::options().in_memory().setting("replicaof 127.0.0.1 1").start() else { return };
    let store = at(&server);
    assert_eq!(get(&*store, "a").await, None);
    let error = store.set(&key("a"), "1".into()).await.unwrap_err();
    assert_eq!(error.to_string(), "the store is not available: the server is not ready");
}

#[test]
fn settings_that_are_wrong_are_told_without_the_password() {
    for (settings, expected) in [
        ("", "missing field `url`"),
        ("url = \"redis://127.0.0.1\"\nurls = 1", "unknown field `urls`"),
        ("url = \"http://:hunter2@127.0.0.1\"", "`url` is not the URL of a Redis server"),
        ("url = \"redis://:hunter2@[::\"", "`url` is not the URL of a Redis server"),
        ("url = \"redis://127.0.0.1\"\nconnect_timeout = \"0s\"", "a duration above zero"),
    ] {
        let Err(error) = open("redis", settings, TempDir::new().unwrap()) else { panic!("{settings} is accepted") };
        assert!(matches!(error, BackendError::Settings(_)));
        let text = words(&error);
        assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_place_shows_no_password() {
    let opened = opened("url = \"redis://me:hunter2@127.0.0.1:7/3\"");
    let place = opened.place(&Namespace::own("shop", "carts"));
    assert_eq!(place, "redis://127.0.0.1:7/3 shop:carts:");
}

#[tokio::test]
async fn an_error_says_no_more_than_a_guest_may_know() {
    let store = store("url = \"redis://me:hunter2@127.0.0.1:1\"");
    let error = store.get(&key("a"), LIMIT).await.unwrap_err();
    assert!(matches!(&error, Error::Unavailable { .. }), "{error}");
    assert!(!words(&error).contains("hunter2"));
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}
