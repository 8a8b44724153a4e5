//! What every backend does.

use crate::fixture::{Fixture, MARK, Secrets, for_every_backend, get, text};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use wharf_kit::{Kind, Refused, Tally};
use wharf_secrets::{BOUNDS, Error, stored};

for_every_backend!(
    a_value_is_read_as_it_was_written,
    what_nobody_set_is_not_found,
    what_is_not_granted_is_denied_and_counted,
    a_value_over_the_limit_is_refused,
    apps_do_not_see_each_others,
    what_is_given_stands_before_what_is_stored,
    many_may_ask_at_once,
    a_call_that_is_dropped_leaves_nothing_behind,
    what_is_stored_is_known_or_not_told,
    nothing_shows_a_value_that_was_not_asked_for,
);

async fn a_value_is_read_as_it_was_written(fixture: fn(Secrets<'_>) -> Fixture) {
    let pem = format!("-----BEGIN KEY-----\n{MARK}\n-----END KEY-----\n");
    let full = MARK.repeat(BOUNDS.size_bytes / MARK.len());
    let odd = format!("{MARK} ä😀 \"'\\ \t\u{1}\u{7f}\u{2028} {{{{ x }}}} $HOME");
    for value in ["", MARK, &pem, &full, &odd] {
        let kept = fixture(&[("shop", "key", value)]);
        let allowed = kept.granted("shop", &["key"]);
        assert!(get(&allowed, "key").await.unwrap() == value, "a value of {} bytes", value.len());
        assert!(get(&allowed, "key").await.unwrap() == value, "and again");
    }
}

async fn what_nobody_set_is_not_found(fixture: fn(Secrets<'_>) -> Fixture) {
    let fixture = fixture(&[("shop", "key", MARK)]);
    let allowed = fixture.granted("shop", &["key", "other"]);
    assert_eq!(get(&allowed, "other").await, Err(Error::NotFound));
    assert_eq!(get(&allowed, "key").await.as_deref(), Ok(MARK));
}

async fn what_is_not_granted_is_denied_and_counted(fixture: fn(Secrets<'_>) -> Fixture) {
    let fixture = fixture(&[("shop", "key", MARK), ("shop", "other", MARK)]);
    let (allowed, nothing) = (fixture.granted("shop", &["key"]), fixture.granted("shop", &[]));
    let mut tally = Tally::default();
    let (long, up) = ("x".repeat(1 << 20), "../shop/default/key");
    for name in ["other", "KEY", "key ", "", "key\0", "default/key", up, long.as_str(), "*"] {
        assert_eq!(allowed.get(name, &mut tally).await.unwrap_err(), Error::Denied, "{name:.20}");
    }
    assert_eq!(nothing.get("key", &mut tally).await.unwrap_err(), Error::Denied);
    assert_eq!((tally.counts().calls, tally.counts().denied), (10, 10));
}

async fn a_value_over_the_limit_is_refused(fixture: fn(Secrets<'_>) -> Fixture) {
    let long = MARK.repeat(BOUNDS.size_bytes / MARK.len() + 1);
    let fixture = fixture(&[("shop", "key", &long)]);
    let allowed = fixture.granted("shop", &["key"]);
    let error = get(&allowed, "key").await.unwrap_err();
    let limit_bytes = BOUNDS.size_bytes;
    assert_eq!(error, Error::Refused(Refused::TooLarge { bytes: long.len(), limit_bytes }));
    assert_eq!(error.kind(), Kind::Invalid);
}

async fn apps_do_not_see_each_others(fixture: fn(Secrets<'_>) -> Fixture) {
    let fixture = fixture(&[("shop", "key", "hunter2 of shop"), ("bank", "pin", "hunter2 of bank")]);
    let (shop, bank) = (fixture.granted("shop", &["key", "pin"]), fixture.granted("bank", &["key", "pin"]));
    assert_eq!(get(&shop, "key").await.as_deref(), Ok("hunter2 of shop"));
    assert_eq!(get(&bank, "pin").await.as_deref(), Ok("hunter2 of bank"));
    assert_eq!(get(&shop, "pin").await, Err(Error::NotFound));
    assert_eq!(get(&bank, "key").await, Err(Error::NotFound));
}

async fn what_is_given_stands_before_what_is_stored(fixture: fn(Secrets<'_>) -> Fixture) {
    let fixture = fixture(&[("shop", "key", "hunter2 stored")]);
    let given = BTreeMap::from(["key", "pin", "other"].map(|name| (name.to_owned(), text("hunter2 given"))));
    let allowed = fixture.granted_with("shop", &["key", "pin"], &given);
    assert_eq!(get(&allowed, "key").await.as_deref(), Ok("hunter2 given"));
    assert_eq!(get(&allowed, "pin").await.as_deref(), Ok("hunter2 given"));
    assert_eq!(get(&allowed, "other").await, Err(Error::Denied), "what is given is not granted");
}

async fn many_may_ask_at_once(fixture: fn(Secrets<'_>) -> Fixture) {
    let fixture = fixture(&[("shop", "key", MARK)]);
    let allowed = fixture.granted("shop", &["key"]);
    let mut calls: Vec<_> = (0..200).map(|_| Box::pin(get(&allowed, "key"))).collect();
    let all = std::future::poll_fn(|cx| {
        calls.retain_mut(|call| {
            let polled = call.as_mut().poll(cx);
            if let std::task::Poll::Ready(answer) = &polled {
                assert_eq!(answer.as_deref(), Ok(MARK));
            }
            polled.is_pending()
        });
        if calls.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    all.await;
    assert_eq!(fixture.usage.of("shop", "api", "secrets", "default").counts().calls, 200);
}

async fn a_call_that_is_dropped_leaves_nothing_behind(fixture: fn(Secrets<'_>) -> Fixture) {
    let fixture = fixture(&[("shop", "key", MARK)]);
    let allowed = fixture.granted("shop", &["key"]);
    for _ in 0..200 {
        let call = pin!(get(&allowed, "key"));
        let _ = call.poll(&mut Context::from_waker(Waker::noop()));
    }
    assert_eq!(get(&allowed, "key").await.as_deref(), Ok(MARK));
}

async fn what_is_stored_is_known_or_not_told(fixture: fn(Secrets<'_>) -> Fixture) {
    let fixture = fixture(&[("shop", "key", MARK), ("shop", "pin", MARK), ("bank", "pin", MARK)]);
    if let Some(names) = stored(&fixture.bindings, "shop") {
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["key", "pin"]);
        assert_eq!(stored(&fixture.bindings, "nobody").map(|names| names.len()), Some(0));
    }
}

async fn nothing_shows_a_value_that_was_not_asked_for(fixture: fn(Secrets<'_>) -> Fixture) {
    let long = MARK.repeat(BOUNDS.size_bytes);
    let fixture = fixture(&[("shop", "key", MARK), ("shop", "long", &long)]);
    let given = BTreeMap::from([("given".to_owned(), text(MARK))]);
    let allowed = fixture.granted_with("shop", &["key", "given", "long", "missing"], &given);
    let mut shown = allowed.describe().join("\n");
    for name in ["key", "given", "long", "missing", "denied"] {
        match allowed.get(name, &mut Tally::default()).await {
            Ok(value) => shown += &format!("{value:?} {value:#?} {:?}", value.reveal()),
            Err(error) => shown += &format!("{error} {error:?}"),
        }
    }
    fixture.usage.write_metrics(&mut shown);
    assert!(shown.contains("secrets key in ") && shown.contains("secrets given given as a variable"), "{shown}");
    assert!(!shown.contains(MARK), "{shown}");
}
