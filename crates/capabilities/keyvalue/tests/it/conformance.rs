//! Values, batches and namespaces.

use bytes::Bytes;
use wharf_keyvalue::{BATCH_KEYS_MAX, Error, KEY_BYTES_MAX, Key};
use wharf_kit::{Kind, Namespace, Refused};

use crate::fixture::{Fixture, LIMIT, for_every_backend, get, key, set};

for_every_backend!(
    a_value_is_read_back_and_overwritten,
    what_is_not_there_is_absent,
    any_bytes_are_a_value,
    a_value_at_the_limit_is_kept,
    an_answer_over_the_limit_is_refused,
    any_text_is_a_key,
    a_batch_is_answered_in_its_order,
    a_batch_may_name_a_key_twice,
    the_largest_batch_is_kept,
    a_batch_over_the_limit_is_refused,
    namespaces_share_nothing,
    two_stores_of_one_namespace_see_the_same,
    a_dropped_call_leaves_nothing_behind,
);

async fn a_value_is_read_back_and_overwritten(fixture: Fixture) {
    let store = &*fixture.store();
    set(store, "a", "1").await;
    assert_eq!(get(store, "a").await.unwrap(), "1");
    assert!(store.exists(&key("a")).await.unwrap());
    set(store, "a", "a longer one").await;
    assert_eq!(get(store, "a").await.unwrap(), "a longer one");
    set(store, "a", "2").await;
    assert_eq!(get(store, "a").await.unwrap(), "2");
    store.delete(&key("a")).await.unwrap();
    assert_eq!(get(store, "a").await, None);
    set(store, "a", "3").await;
    assert_eq!(get(store, "a").await.unwrap(), "3");
}

async fn what_is_not_there_is_absent(fixture: Fixture) {
    let store = &*fixture.store();
    assert_eq!(get(store, "a").await, None);
    assert!(!store.exists(&key("a")).await.unwrap());
    store.delete(&key("a")).await.unwrap();
    store.delete_many(&[key("a"), key("b")]).await.unwrap();
    assert_eq!(store.get_many(&[key("a"), key("b")], LIMIT).await.unwrap(), [None, None]);
    assert_eq!(store.get_many(&[], LIMIT).await.unwrap(), [None; 0]);
    let page = store.keys(None).await.unwrap();
    assert!(page.keys.is_empty() && page.next.is_none());
}

async fn any_bytes_are_a_value(fixture: Fixture) {
    let store = &*fixture.store();
    let every_byte: Bytes = (0..=u8::MAX).collect();
    for value in [Bytes::new(), every_byte, Bytes::from_static(b"\r\n$-1\r\n"), Bytes::from_static(b"\xff\xfe\0")] {
        store.set(&key("a"), value.clone()).await.unwrap();
        assert_eq!(get(store, "a").await, Some(value.clone()));
        assert!(store.exists(&key("a")).await.unwrap());
        store.set_many(vec![(key("b"), value.clone())]).await.unwrap();
        assert_eq!(store.get_many(&[key("b")], LIMIT).await.unwrap(), [Some(value)]);
    }
}

async fn a_value_at_the_limit_is_kept(fixture: Fixture) {
    let store = &*fixture.store();
    let value = Bytes::from(vec![7; LIMIT]);
    store.set(&key("a"), value.clone()).await.unwrap();
    assert_eq!(get(store, "a").await, Some(value));
}

async fn an_answer_over_the_limit_is_refused(fixture: Fixture) {
    let store = &*fixture.store();
    store.set(&key("a"), vec![7; 11].into()).await.unwrap();
    let refused = |error| matches!(error, Err(Error::Refused(Refused::TooLarge { bytes: 11, limit_bytes: 10 })));
    assert!(refused(store.get(&key("a"), 10).await));
    assert!(refused(store.snapshot(&key("a"), 10).await.map(|snapshot| snapshot.value)));
    assert!(store.get(&key("a"), 11).await.is_ok());
}

async fn any_text_is_a_key(fixture: Fixture) {
    let store = &*fixture.store();
    let long = "k".repeat(KEY_BYTES_MAX);
    let wide = "ä".repeat(KEY_BYTES_MAX / 2);
    let mut texts = vec![
        " ",
        "\0",
        "a\0b",
        "\n",
        "\r\n",
        "日本語",
        "🦀",
        "\u{202e}x",
        "*",
        "?",
        "[a-z]",
        "\\",
        ">",
        "a.b.c",
        ".",
        "..",
        "../../etc/passwd",
        "/",
        "a/",
        "//",
        "=41",
        "%2e%2e",
        ":",
        "default:a",
        "shop:other:a",
        "$KV",
        "KEYS",
        "-1",
        "0",
        "e\u{301}",
        "\u{e9}",
        "A",
        "a",
        &long,
        &wide,
    ];
    for text in &texts {
        store.set(&key(*text), Bytes::copy_from_slice(text.as_bytes())).await.unwrap();
    }
    for text in &texts {
        assert_eq!(get(store, text).await.as_deref(), Some(text.as_bytes()), "{text:?}");
    }
    let mut listed: Vec<String> = store.keys(None).await.unwrap().keys.into_iter().map(Key::into_string).collect();
    listed.sort_unstable();
    texts.sort_unstable();
    assert_eq!(listed, texts);
    for text in &texts {
        store.delete(&key(*text)).await.unwrap();
        assert!(!store.exists(&key(*text)).await.unwrap(), "{text:?}");
    }
}

async fn a_batch_is_answered_in_its_order(fixture: Fixture) {
    let store = &*fixture.store();
    let pairs = [("b", "2"), ("a", "1"), ("d", "4")].map(|(name, value)| (key(name), Bytes::from(value)));
    store.set_many(pairs.to_vec()).await.unwrap();
    let keys = ["a", "c", "d", "b"].map(key);
    let value = |text: &'static str| Some(Bytes::from(text));
    assert_eq!(store.get_many(&keys, LIMIT).await.unwrap(), [value("1"), None, value("4"), value("2")]);
    store.delete_many(&["a", "c", "b"].map(key)).await.unwrap();
    assert_eq!(store.get_many(&keys, LIMIT).await.unwrap(), [None, None, value("4"), None]);
}

async fn a_batch_may_name_a_key_twice(fixture: Fixture) {
    let store = &*fixture.store();
    store.set_many(vec![(key("a"), "1".into()), (key("b"), "x".into()), (key("a"), "2".into())]).await.unwrap();
    let twice = [key("a"), key("a")];
    assert_eq!(store.get_many(&twice, LIMIT).await.unwrap(), [Some("2".into()), Some("2".into())]);
    store.delete_many(&twice).await.unwrap();
    assert_eq!(get(store, "a").await, None);
    assert_eq!(get(store, "b").await.unwrap(), "x");
}

async fn the_largest_batch_is_kept(fixture: Fixture) {
    let store = &*fixture.store();
    let keys: Vec<Key> = (0..BATCH_KEYS_MAX).map(|number| key(format!("key-{number}"))).collect();
    let value = |number: usize| Bytes::from(format!("{number:0100}"));
    let pairs = keys.iter().enumerate().map(|(number, key)| (key.clone(), value(number)));
    store.set_many(pairs.collect()).await.unwrap();
    let values = store.get_many(&keys, LIMIT).await.unwrap();
    assert!(values.into_iter().enumerate().all(|(number, found)| found == Some(value(number))));
    store.delete_many(&keys).await.unwrap();
    assert!(store.keys(None).await.unwrap().keys.is_empty());
}

async fn a_batch_over_the_limit_is_refused(fixture: Fixture) {
    let store = &*fixture.store();
    store.set_many(vec![(key("a"), "12345".into()), (key("b"), "67890".into())]).await.unwrap();
    let both = [key("a"), key("b")];
    let error = store.get_many(&both, 9).await.unwrap_err();
    assert!(matches!(error, Error::Refused(Refused::TooLarge { limit_bytes: 9, .. })), "{error}");
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(store.get_many(&both, 10).await.unwrap(), [Some("12345".into()), Some("67890".into())]);
}

async fn namespaces_share_nothing(fixture: Fixture) {
    let namespaces = [
        Namespace::own("a", "b"),
        Namespace::own("a", "b-c"),
        Namespace::own("a-b", "c"),
        Namespace::own("ab", "b"),
        Namespace::shared("b"),
        Namespace::shared("a"),
        Namespace::own("b", "a"),
    ];
    // Keys that would reach into another namespace if they were only joined.
    let names = ["x", ":x", "b:x", "a:b:x", "-c:x", "../b/x", "*", "b"];
    let stores: Vec<_> = namespaces.iter().map(|namespace| fixture.of(namespace)).collect();
    for (number, store) in stores.iter().enumerate() {
        for name in names {
            store.set(&key(name), number.to_string().into()).await.unwrap();
        }
    }
    for (number, store) in stores.iter().enumerate() {
        for name in names {
            assert_eq!(get(&**store, name).await.unwrap(), number.to_string(), "{name} in {}", namespaces[number]);
        }
        let page = store.keys(None).await.unwrap();
        assert_eq!((page.keys.len(), page.next), (names.len(), None), "in {}", namespaces[number]);
    }
    stores[0].delete_many(&names.map(key)).await.unwrap();
    assert!(stores[0].keys(None).await.unwrap().keys.is_empty());
    for store in &stores[1..] {
        assert_eq!(store.keys(None).await.unwrap().keys.len(), names.len());
    }
}

async fn two_stores_of_one_namespace_see_the_same(fixture: Fixture) {
    let namespace = Namespace::shared("both");
    let one = fixture.of(&namespace);
    set(&*one, "a", "1").await;
    // An embedded namespace is opened once at a time, which is what the bindings see to.
    drop(one);
    let is_kept = get(&*fixture.of(&namespace), "a").await.is_some();
    let is_memory = fixture.opened.place(&namespace).starts_with("until");
    assert_ne!(is_kept, is_memory);
}

async fn a_dropped_call_leaves_nothing_behind(fixture: Fixture) {
    let store = &*fixture.store();
    set(store, "a", "1").await;
    let (a, both) = (key("a"), ["a", "b"].map(key));
    for _ in 0..100 {
        tokio::select! {
            biased;
            result = store.set(&a, "2".into()) => result.unwrap(),
            () = std::future::ready(()) => {}
        }
        tokio::select! {
            biased;
            result = store.get_many(&both, LIMIT) => drop(result.unwrap()),
            () = tokio::task::yield_now() => {}
        }
    }
    set(store, "a", "3").await;
    assert_eq!(get(store, "a").await.unwrap(), "3");
}
