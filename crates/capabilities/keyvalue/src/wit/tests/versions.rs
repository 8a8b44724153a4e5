//! What differs between the versions, and that they meet in one store.

use super::super::{draft, draft2};
use super::*;
use crate::PAGE_KEYS;

mod v1 {
    pub(super) use super::draft::{atomics::Host as Atomics, batch::Host as Batch};
    pub(super) use super::draft::{store, store::Host as Store, store::HostBucket};
}

mod v2 {
    pub(super) use super::draft2::{atomics, atomics::Host as Atomics, atomics::HostCas, batch::Host as Batch};
    pub(super) use super::draft2::{store, store::Host as Store, store::HostBucket};
}

#[tokio::test]
async fn versions_share_one_store() {
    let mut guest = Guest::new();
    let mut view = guest.view();
    let one = v1::Store::open(&mut view, "carts".into()).await.unwrap();
    let two = v2::Store::open(&mut view, "carts".into()).await.unwrap();
    v1::HostBucket::set(&mut view, look(&one), "a".into(), b"1".into()).await.unwrap();
    assert_eq!(v2::HostBucket::get(&mut view, look(&two), "a".into()).await.unwrap().unwrap(), b"1");
    assert_eq!(v1::Atomics::increment(&mut view, look(&one), "a".into(), 2).await.unwrap(), 3);
    assert_eq!(v2::Atomics::increment(&mut view, look(&two), "a".into(), -4).await.unwrap(), -1);
    v2::HostBucket::delete(&mut view, look(&two), "a".into()).await.unwrap();
    assert!(!v1::HostBucket::exists(&mut view, look(&one), "a".into()).await.unwrap());
    v1::HostBucket::drop(&mut view, one).await.unwrap();
    v2::HostBucket::drop(&mut view, two).await.unwrap();
    assert!(guest.table.is_empty());
}

#[tokio::test]
async fn numbers_without_a_sign_have_their_limits() {
    let mut guest = Guest::new();
    let mut view = guest.view();
    let bucket = v1::Store::open(&mut view, "".into()).await.unwrap();
    let too_much = v1::Atomics::increment(&mut view, look(&bucket), "a".into(), u64::MAX).await;
    assert_eq!(text(too_much), "the sum is out of range, nothing was changed");
    let most = i64::MAX.unsigned_abs();
    assert_eq!(v1::Atomics::increment(&mut view, look(&bucket), "a".into(), most).await.unwrap(), most);
    let too_much = v1::Atomics::increment(&mut view, look(&bucket), "a".into(), 1).await;
    assert_eq!(text(too_much), "the sum is out of range, nothing was changed");
    view.increment(&bucket, "b".into(), -5).await.unwrap();
    let negative = v1::Atomics::increment(&mut view, look(&bucket), "b".into(), 2).await;
    assert_eq!(text(negative), "the sum is -3, which this version of the interface cannot return");
}

#[tokio::test]
async fn a_batch_names_what_is_not_there_in_its_own_way() {
    let mut guest = Guest::new();
    let mut view = guest.view();
    let bucket = view.open("default").unwrap();
    v1::Batch::set_many(&mut view, look(&bucket), vec![("b".into(), b"2".into())]).await.unwrap();
    let keys = || vec!["a".to_owned(), "b".to_owned()];
    let one = v1::Batch::get_many(&mut view, look(&bucket), keys()).await.unwrap();
    assert_eq!(one, [None, Some(("b".to_owned(), b"2".to_vec()))]);
    let two = v2::Batch::get_many(&mut view, look(&bucket), keys()).await.unwrap();
    assert_eq!(two, [("a".to_owned(), None), ("b".to_owned(), Some(b"2".to_vec()))]);
    v2::Batch::delete_many(&mut view, look(&bucket), keys()).await.unwrap();
    assert_eq!(v1::Batch::get_many(&mut view, look(&bucket), keys()).await.unwrap(), [None, None]);
}

#[tokio::test]
async fn cursors_lead_on_in_both_versions() {
    let mut guest = Guest::new();
    let mut view = guest.view();
    let bucket = view.open("default").unwrap();
    for part in 0..2 {
        let pairs = (0..PAGE_KEYS).map(|n| (format!("{part}-{n}"), Vec::new()));
        for chunk in pairs.collect::<Vec<_>>().chunks(BATCH_KEYS_MAX) {
            view.set_many(&bucket, chunk.to_vec()).await.unwrap();
        }
    }
    let first = v1::HostBucket::list_keys(&mut view, look(&bucket), None).await.unwrap();
    let rest = v1::HostBucket::list_keys(&mut view, look(&bucket), first.cursor).await.unwrap();
    assert_eq!((first.keys.len(), rest.keys.len(), rest.cursor), (PAGE_KEYS, PAGE_KEYS, None));
    let first_again = v2::HostBucket::list_keys(&mut view, look(&bucket), None).await.unwrap();
    assert_eq!(first_again.keys, first.keys);
    let rest_again = v2::HostBucket::list_keys(&mut view, look(&bucket), first_again.cursor).await.unwrap();
    assert_eq!(rest_again.keys, rest.keys);
    for bad in ["", "x", "-1", " 1", "18446744073709551616", "../"] {
        let result = v2::HostBucket::list_keys(&mut view, look(&bucket), Some(bad.into())).await;
        assert_eq!(text(result.map(drop)), "the cursor is not one that a listing returned", "{bad:?}");
    }
}

#[tokio::test]
async fn a_failed_swap_says_what_failed() {
    let mut guest = Guest::new();
    let mut view = guest.view();
    let bucket = view.open("default").unwrap();
    let cas = v2::HostCas::new(&mut view, look(&bucket), "a".into()).await.unwrap();
    view.set(&bucket, "a".into(), b"1".into()).await.unwrap();
    let newer = match v2::Atomics::swap(&mut view, cas, b"2".into()).await.unwrap() {
        Err(v2::atomics::CasError::CasFailed(newer)) => newer,
        other => panic!("{other:?}"),
    };
    assert_eq!(v2::HostCas::current(&mut view, look(&newer)).await.unwrap().unwrap(), b"1");
    match v2::Atomics::swap(&mut view, newer, vec![7; SIZE + 1]).await.unwrap() {
        Err(v2::atomics::CasError::StoreError(v2::store::Error::Other(text))) => {
            assert_eq!(text, "101 bytes, of which 100 are allowed");
        }
        other => panic!("{other:?}"),
    }
    let prices = view.open("prices").unwrap();
    let cas = v2::HostCas::new(&mut view, look(&prices), "a".into()).await.unwrap();
    let result = v2::Atomics::swap(&mut view, cas, b"2".into()).await.unwrap();
    assert!(matches!(result, Err(v2::atomics::CasError::StoreError(v2::store::Error::AccessDenied))), "{result:?}");
}

#[tokio::test]
async fn denied_is_said_in_each_versions_own_words() {
    let mut guest = Guest::new();
    let mut view = guest.view();
    let failure = v1::Store::open(&mut view, "orders".into()).await.err().unwrap();
    assert!(matches!(v1::Store::convert_error(&mut view, failure).unwrap(), v1::store::Error::AccessDenied));
    let failure = v2::Store::open(&mut view, "orders".into()).await.err().unwrap();
    assert!(matches!(v2::Store::convert_error(&mut view, failure).unwrap(), v2::store::Error::AccessDenied));
}
