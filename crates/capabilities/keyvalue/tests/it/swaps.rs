//! Compare-and-swap.

use bytes::Bytes;
use futures_util::future::join_all;
use wharf_keyvalue::Snapshot;

use crate::fixture::{Fixture, LIMIT, for_every_backend, get, key, set};

for_every_backend!(
    a_value_is_swapped_if_nobody_changed_it,
    what_is_not_there_is_swapped_once,
    a_key_that_was_deleted_is_changed,
    of_those_who_expect_the_same_one_wins,
    swaps_in_turns_lose_nothing,
    a_large_value_is_swapped,
);

async fn a_value_is_swapped_if_nobody_changed_it(fixture: Fixture) {
    let store = &*fixture.store();
    set(store, "a", "1").await;
    let Snapshot { value, version } = store.snapshot(&key("a"), LIMIT).await.unwrap();
    assert_eq!(value.unwrap(), "1");
    assert!(store.swap(&key("a"), version, "2".into()).await.unwrap());
    assert_eq!(get(store, "a").await.unwrap(), "2");
    assert!(!store.swap(&key("a"), version, "3".into()).await.unwrap());
    assert_eq!(get(store, "a").await.unwrap(), "2");
    let version = store.snapshot(&key("a"), LIMIT).await.unwrap().version;
    set(store, "a", "4").await;
    assert!(!store.swap(&key("a"), version, "5".into()).await.unwrap());
    assert_eq!(get(store, "a").await.unwrap(), "4");
}

async fn what_is_not_there_is_swapped_once(fixture: Fixture) {
    let store = &*fixture.store();
    let absent = store.snapshot(&key("a"), LIMIT).await.unwrap();
    assert_eq!(absent.value, None);
    assert!(store.swap(&key("a"), absent.version, Bytes::new()).await.unwrap());
    assert_eq!(get(store, "a").await.unwrap(), "");
    assert!(!store.swap(&key("a"), absent.version, "2".into()).await.unwrap());
    let empty = store.snapshot(&key("a"), LIMIT).await.unwrap();
    assert_eq!(empty.value.as_deref(), Some(&b""[..]));
    assert!(store.swap(&key("a"), empty.version, "3".into()).await.unwrap());
}

async fn a_key_that_was_deleted_is_changed(fixture: Fixture) {
    let store = &*fixture.store();
    set(store, "a", "1").await;
    let before = store.snapshot(&key("a"), LIMIT).await.unwrap();
    store.delete(&key("a")).await.unwrap();
    assert!(!store.swap(&key("a"), before.version, "2".into()).await.unwrap());
    assert_eq!(get(store, "a").await, None);
    let absent = store.snapshot(&key("a"), LIMIT).await.unwrap();
    assert!(store.swap(&key("a"), absent.version, "3".into()).await.unwrap());
}

async fn of_those_who_expect_the_same_one_wins(fixture: Fixture) {
    let store = &*fixture.store();
    for before in [None, Some("0")] {
        if let Some(before) = before {
            set(store, "a", before).await;
        }
        let version = store.snapshot(&key("a"), LIMIT).await.unwrap().version;
        let caller =
            async |number: u32| store.swap(&key("a"), version, format!("winner {number}").into()).await.unwrap();
        let results = join_all((0..64).map(caller)).await;
        let winners: Vec<usize> = (0..64).filter(|number| results[*number]).collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(get(store, "a").await.unwrap(), format!("winner {}", winners[0]));
    }
}

async fn swaps_in_turns_lose_nothing(fixture: Fixture) {
    let store = &*fixture.store();
    let caller = async |_| {
        for _ in 0..5 {
            loop {
                let Snapshot { value, version } = store.snapshot(&key("list"), LIMIT).await.unwrap();
                let longer = [&value.unwrap_or_default()[..], b"x"].concat();
                if store.swap(&key("list"), version, longer.into()).await.unwrap() {
                    break;
                }
            }
        }
    };
    join_all((0..8).map(caller)).await;
    assert_eq!(get(store, "list").await.unwrap().len(), 40);
}

async fn a_large_value_is_swapped(fixture: Fixture) {
    let store = &*fixture.store();
    let large = |byte: u8| Bytes::from(vec![byte; LIMIT - 1024]);
    store.set(&key("a"), large(1)).await.unwrap();
    let version = store.snapshot(&key("a"), LIMIT).await.unwrap().version;
    assert!(store.swap(&key("a"), version, large(2)).await.unwrap());
    assert!(!store.swap(&key("a"), version, large(3)).await.unwrap());
    assert_eq!(get(store, "a").await, Some(large(2)));
}
