//! Increments.

use futures_util::future::join_all;
use wharf_keyvalue::Error;
use wharf_kit::Kind;

use crate::fixture::{Fixture, LIMIT, for_every_backend, get, key, set};

for_every_backend!(
    a_number_is_decimal_text,
    only_a_number_is_incremented,
    a_sum_out_of_range_changes_nothing,
    increments_at_the_same_time_all_count,
    increments_of_many_keys_do_not_mix,
);

async fn a_number_is_decimal_text(fixture: Fixture) {
    let store = &*fixture.store();
    let n = &key("n");
    assert_eq!(store.increment(n, 5).await.unwrap(), 5);
    assert_eq!(get(store, "n").await.unwrap(), "5");
    assert_eq!(store.increment(n, -12).await.unwrap(), -7);
    assert_eq!(get(store, "n").await.unwrap(), "-7");
    assert_eq!(store.increment(n, 0).await.unwrap(), -7);
    set(store, "n", "41").await;
    assert_eq!(store.increment(n, 1).await.unwrap(), 42);
    store.delete(n).await.unwrap();
    assert_eq!(store.increment(n, 0).await.unwrap(), 0);
    assert_eq!(get(store, "n").await.unwrap(), "0");
}

async fn only_a_number_is_incremented(fixture: Fixture) {
    let store = &*fixture.store();
    for bad in ["", " ", "abc", "1 ", " 1", "+1", "01", "1.5", "0x10", "9223372036854775808", "1\n"] {
        store.set(&key("n"), bad.into()).await.unwrap();
        let error = store.increment(&key("n"), 1).await.unwrap_err();
        assert!(matches!(error, Error::NotANumber), "{bad:?}: {error}");
        assert_eq!(get(store, "n").await.unwrap(), bad);
    }
    store.set(&key("n"), 1_u64.to_le_bytes().to_vec().into()).await.unwrap();
    assert_eq!(store.increment(&key("n"), 1).await.unwrap_err().kind(), Kind::Invalid);
}

async fn a_sum_out_of_range_changes_nothing(fixture: Fixture) {
    let store = &*fixture.store();
    let n = &key("n");
    assert_eq!(store.increment(n, i64::MAX).await.unwrap(), i64::MAX);
    assert!(matches!(store.increment(n, 1).await, Err(Error::Overflow)));
    assert_eq!(get(store, "n").await.unwrap(), i64::MAX.to_string());
    assert_eq!(store.increment(n, i64::MIN).await.unwrap(), -1);
    store.delete(n).await.unwrap();
    assert_eq!(store.increment(n, i64::MIN).await.unwrap(), i64::MIN);
    assert!(matches!(store.increment(n, -1).await, Err(Error::Overflow)));
    assert_eq!(store.increment(n, i64::MAX).await.unwrap(), -1);
}

async fn increments_at_the_same_time_all_count(fixture: Fixture) {
    let store = &*fixture.store();
    let caller = async || {
        for _ in 0..10 {
            store.increment(&key("n"), 1).await.unwrap();
        }
    };
    join_all((0..64).map(|_| caller())).await;
    assert_eq!(store.increment(&key("n"), 0).await.unwrap(), 640);
}

async fn increments_of_many_keys_do_not_mix(fixture: Fixture) {
    let store = &*fixture.store();
    let caller = async |number: i64| {
        let key = key(format!("n-{}", number % 8));
        store.increment(&key, number).await.unwrap();
    };
    join_all((0..64).map(caller)).await;
    for rest in 0..8 {
        let sum: i64 = (0..64).filter(|number| number % 8 == rest).sum();
        assert_eq!(store.get(&key(format!("n-{rest}")), LIMIT).await.unwrap().unwrap(), sum.to_string());
    }
}
