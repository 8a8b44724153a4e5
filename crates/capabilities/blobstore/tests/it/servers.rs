//! A server that is not as it should be.

use std::sync::Arc;
use std::time::Duration;

use wharf_blobstore::api::{ByteRange, Error, Store};
use wharf_kit::{Bounds, Gate, Kind, Namespace, Refused, Tally};
use wharf_testkit::services::S3;

use crate::fixture::{BUCKET, Fixture, PIECE, becomes, container, content, get, id, open, put, server, settings};
use crate::fixture::{try_get, try_put};

pub(crate) fn store(settings: &str) -> Arc<dyn Store> {
    let folder = tempfile::tempdir().unwrap();
    open("s3", settings, folder.path()).unwrap().store(&Namespace::own("shop", "images")).unwrap()
}

/// Makes every call once, and returns how each failed.
pub(crate) async fn failures(store: &dyn Store) -> Vec<Error> {
    let (a, b) = (id("", "a"), id("b", "b"));
    let listed = match store.list(&container("")).await {
        Ok(mut listing) => listing.names().await.map(drop),
        Err(error) => Err(error),
    };
    let results = [
        store.create(&container("b")).await,
        store.container(&container("b")).await.map(drop),
        store.remove(&container("b")).await,
        store.clear(&container("")).await,
        listed,
        store.info(&a).await.map(drop),
        try_get(store, &a).await.map(drop),
        store.read(&a, ByteRange::new(1, 2).unwrap()).await.map(drop),
        try_put(store, &a, &content(0, 10)).await,
        try_put(store, &a, &content(0, 6 << 20)).await,
        try_put(store, &b, &content(0, 10)).await,
        store.copy(&a, &a).await,
        store.copy(&a, &id("", "c")).await,
        store.rename(&a, &id("", "c")).await,
        store.delete(&container(""), std::slice::from_ref(&a.name)).await,
    ];
    results.into_iter().enumerate().map(|(at, result)| result.expect_err(&format!("call {at}"))).collect()
}

/// Nobody listens at this port of this machine.
fn nowhere() -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!(
        "endpoint = \"http://127.0.0.1:{port}\"\nallow_http = true\nbucket = \"{BUCKET}\"\naccess_key = \"id\"\nsecret_key = \"hush\""
    )
}

#[tokio::test]
async fn a_server_that_is_not_there_fails_calls_and_not_the_start() {
    for error in failures(&*store(&nowhere())).await {
        assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
        assert_eq!(error.to_string(), "the backend cannot be reached now");
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_and_never_shown() {
    let Some(server) = server() else { return };
    let good = settings(&server, "");
    for bad in [good.replace(S3::SECRET_KEY, "hush-hush"), good.replace("\"wharf\"", "\"nobody\"")] {
        for error in failures(&*store(&bad)).await {
            assert!(matches!(error, Error::Credentials(_)), "{error:?}");
            assert_eq!(error.to_string(), "the backend does not accept the node's credentials");
            assert!(!format!("{error:?}").contains("hush-hush"), "{error:?}");
        }
    }
    // Who has the right ones is not disturbed.
    put(&*store(&good), &id("", "a"), "x").await;
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_an_error_of_the_backend() {
    let Some(server) = server() else { return };
    let store = store(&settings(&server, "").replace(&format!("\"{BUCKET}\""), "\"no-such-bucket\""));
    // To write would make it: this server does that where AWS does not.
    let error = store.list(&container("")).await.unwrap().names().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Backend, "{error:?}");
    assert_eq!(error.to_string(), "the backend cannot list objects");
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let Some(server) = server() else { return };
    let store = store(&settings(&server, ""));
    put(&*store, &id("", "a"), "x").await;
    for _ in 0..2 {
        server.kill();
        for error in failures(&*store).await {
            assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
        }
        server.restart();
        becomes("an object that can be read", async || try_get(&*store, &id("", "a")).await.is_ok()).await;
        let written = async || try_put(&*store, &id("", "b"), &content(0, 6 << 20)).await.is_ok();
        becomes("an object that can be written", written).await;
        assert!(get(&*store, &id("", "b")).await == content(0, 6 << 20));
    }
}

#[tokio::test]
async fn a_server_that_dies_breaks_off_what_is_under_way() {
    let Some(server) = server() else { return };
    let store = store(&settings(&server, "retries = 1"));
    put(&*store, &id("", "large"), content(0, 48 << 20)).await;
    put(&*store, &id("", "old"), "old").await;
    let mut download = store.read(&id("", "large"), ByteRange::ALL).await.unwrap();
    let mut received = download.read().await.unwrap().unwrap().len();
    let mut uploads = Vec::new();
    for (name, len) in [("new", 10), ("old", 10), ("new", 6 << 20), ("old", 6 << 20)] {
        let mut upload = store.write(&id("", name)).await.unwrap();
        for at in 0..len / PIECE {
            upload.write(content(at, PIECE)).await.unwrap();
        }
        uploads.push(upload);
    }
    server.kill();
    let error = loop {
        match download.read().await {
            Ok(Some(piece)) => received += piece.len(),
            Ok(None) => panic!("it ended after {received} bytes as if it were whole"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
    assert!(received < 48 << 20);
    for upload in uploads {
        let error = upload.finish().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
    }
    server.restart();
    let is_back = async || store.info(&id("", "old")).await.is_ok();
    becomes("the server", is_back).await;
    assert_eq!(get(&*store, &id("", "old")).await, b"old");
    assert!(matches!(try_get(&*store, &id("", "new")).await, Err(Error::NoObject(_))));
}

#[tokio::test]
async fn a_server_that_never_answers_costs_no_more_than_the_time_of_a_call() {
    let Some(server) = server() else { return };
    let fixture = Fixture::s3(&server, "paused");
    let store = fixture.store();
    put(&*store, &id("", "a"), "x").await;
    let timeout = Duration::from_millis(100);
    let gate = Gate::new(Bounds { timeout, ..wharf_blobstore::BOUNDS }, Arc::default());
    let mut tally = Tally::default();
    server.pause();
    for _ in 0..3 {
        let info = gate.call(&mut tally, "test", 0, Error::kind, store.info(&id("", "a"))).await;
        assert!(matches!(info, Err(Error::Refused(Refused::Deadline(_)))), "{info:?}");
        let written = async {
            let mut upload = store.write(&id("", "b")).await?;
            upload.write(content(0, PIECE)).await?;
            upload.finish().await
        };
        let written = gate.call(&mut tally, "test", 0, Error::kind, written).await;
        assert!(matches!(written, Err(Error::Refused(Refused::Deadline(_)))), "{written:?}");
    }
    server.resume();
    assert_eq!(get(&*store, &id("", "a")).await, b"x");
    put(&*store, &id("", "b"), "y").await;
}

#[tokio::test]
async fn a_name_that_is_too_long_with_what_stands_in_front_of_it_is_refused() {
    let Some(server) = server() else { return };
    let fixture = Fixture::s3(&server, "names");
    let store = &*fixture.store();
    let long = vec!["x".repeat(250); 4].join("/");
    let error = try_put(store, &id("", &long), &content(0, 1)).await.unwrap_err();
    assert!(matches!(error, Error::Name { .. }), "{error:?}");
    assert_eq!(error.to_string(), "the name of the object is too long for the backend");
    store.delete(&container(""), &[id("", &long).name]).await.unwrap();
}
