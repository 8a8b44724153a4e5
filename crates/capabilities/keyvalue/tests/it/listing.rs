//! Pages of keys, also while keys come and go.

use std::collections::BTreeSet;

use bytes::Bytes;
use wharf_keyvalue::{Cursor, Key, PAGE_KEYS, Store};

use crate::fixture::{Fixture, for_every_backend, key};

for_every_backend!(
    every_key_is_listed_once,
    keys_that_stay_are_listed_once_whatever_happens_to_others,
    a_cursor_is_good_for_any_store_of_the_namespace,
    any_number_is_a_cursor,
);

async fn fill(store: &dyn Store, prefix: &str, count: usize) {
    for numbers in (0..count).collect::<Vec<_>>().chunks(PAGE_KEYS) {
        let pairs = numbers.iter().map(|number| (key(format!("{prefix}-{number}")), Bytes::from("value")));
        store.set_many(pairs.collect()).await.unwrap();
    }
}

async fn every_key_is_listed_once(fixture: Fixture) {
    let store = &*fixture.store();
    let count = PAGE_KEYS * 2 + PAGE_KEYS / 2;
    fill(store, "key", count).await;
    let mut seen = BTreeSet::new();
    let mut after = None;
    let mut pages = 0;
    loop {
        let page = store.keys(after).await.unwrap();
        assert!(page.keys.len() <= PAGE_KEYS + PAGE_KEYS / 10, "{}", page.keys.len());
        pages += 1;
        for key in page.keys {
            assert!(seen.insert(key.clone()), "{key} is listed twice");
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), count);
    assert!((3..=10).contains(&pages), "{pages}");
}

async fn keys_that_stay_are_listed_once_whatever_happens_to_others(fixture: Fixture) {
    let store = &*fixture.store();
    let count = PAGE_KEYS * 2;
    fill(store, "stays", count).await;
    fill(store, "goes", PAGE_KEYS).await;
    let mut seen: Vec<Key> = Vec::new();
    let mut after = None;
    for round in 0.. {
        let page = store.keys(after).await.unwrap();
        seen.extend(page.keys.into_iter().filter(|key| key.as_str().starts_with("stays")));
        after = page.next;
        if after.is_none() {
            break;
        }
        let going: Vec<Key> = (round * 200..(round + 1) * 200).map(|number| key(format!("goes-{number}"))).collect();
        store.delete_many(&going).await.unwrap();
        fill(store, &format!("comes-{round}"), 200).await;
        store.set(&key("stays-0"), "changed".into()).await.unwrap();
    }
    assert_eq!(seen.len(), count);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), count);
}

async fn a_cursor_is_good_for_any_store_of_the_namespace(fixture: Fixture) {
    let namespace = wharf_kit::Namespace::own("shop", "default");
    let first = {
        let store = fixture.store();
        fill(&*store, "key", PAGE_KEYS + PAGE_KEYS / 2).await;
        let page = store.keys(None).await.unwrap();
        let twice = store.keys(page.next).await.unwrap();
        assert_eq!(twice.keys, store.keys(page.next).await.unwrap().keys, "a page can be asked for again");
        page
    };
    if fixture.opened.place(&namespace).starts_with("until") {
        return;
    }
    let mut keys: BTreeSet<Key> = first.keys.into_iter().collect();
    let mut after = first.next;
    while after.is_some() {
        let page = fixture.of(&namespace).keys(after).await.unwrap();
        keys.extend(page.keys);
        after = page.next;
    }
    assert_eq!(keys.len(), PAGE_KEYS + PAGE_KEYS / 2);
}

async fn any_number_is_a_cursor(fixture: Fixture) {
    let store = &*fixture.store();
    fill(store, "key", 10).await;
    for number in [0, 1, 1 << 63, u64::MAX - 1, u64::MAX] {
        assert!(store.keys(Some(Cursor(number))).await.unwrap().keys.len() <= 10, "{number}");
    }
}
