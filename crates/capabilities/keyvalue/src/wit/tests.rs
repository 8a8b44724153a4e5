//! The adapters, called as the engine calls them.

use super::*;
use crate::backend::BACKENDS;
use crate::{BATCH_KEYS_MAX, BATCH_VALUES_MAX, BOUNDS, CAPABILITY, KEY_BYTES_MAX};
use std::collections::BTreeMap;
use wasmtime::component::Resource;
use wharf_kit::{Access, Binding, Bindings, BoundsOverride, Declared, Embedded, Grant, UsageTable, Who};

mod versions;

/// Bytes of the largest value in these tests.
const SIZE: usize = 100;

/// A store of a component that may change `default` and `carts`, and only read `prices`, which an operator bound to where `carts` is.
struct Guest {
    granted: Arc<Granted<dyn Store>>,
    tally: Tally,
    table: ResourceTable,
}

impl Guest {
    fn new() -> Self {
        let memory = |namespace: Option<&str>| Binding {
            backend: "memory".to_owned(),
            namespace: namespace.map(str::to_owned),
            ..Binding::default()
        };
        let shared = || memory(Some("all"));
        let every = [("default", memory(None)), ("carts", shared()), ("prices", shared())];
        let every: BTreeMap<String, Binding> = every.map(|(label, binding)| (label.to_owned(), binding)).into();
        let declared = Declared { every, ..Declared::default() };
        let embedded = Embedded::new(std::path::Path::new("unused"), CAPABILITY);
        let bindings = Bindings::new(CAPABILITY, BACKENDS, BOUNDS, embedded, declared);
        let bounds = BoundsOverride { size_bytes: Some(SIZE), ..BoundsOverride::default() };
        let grant = |label: &str, access| Grant { label: label.to_owned(), access, bounds };
        let grants =
            [grant("default", Access::ReadWrite), grant("carts", Access::ReadWrite), grant("prices", Access::Read)];
        let who = Who { app: "shop".into(), component: "api".into() };
        let granted = Granted::bind(&bindings, who, &grants, &UsageTable::default()).unwrap();
        Self { granted: Arc::new(granted), tally: Tally::default(), table: ResourceTable::new() }
    }

    fn view(&mut self) -> View<'_> {
        View { granted: &self.granted, tally: &mut self.tally, table: &mut self.table }
    }

    fn open(&mut self, label: &str) -> Resource<Bucket> {
        self.view().open(label).unwrap()
    }
}

/// Looks at a handle without giving it away.
fn look<T: 'static>(handle: &Resource<T>) -> Resource<T> {
    Resource::new_borrow(handle.rep())
}

fn text<T>(result: Result<T, Failure>) -> String {
    match result.err().unwrap().told().unwrap() {
        Told::Denied => "denied".to_owned(),
        Told::Other(text) => text,
    }
}

#[test]
fn the_interfaces_are_linked_once() {
    let mut linker = Linker::<Guest>::new(&wasmtime::Engine::default());
    add_to_linker(&mut linker, Names::OWN, Guest::view).unwrap();
    assert!(add_to_linker(&mut linker, Names::OWN, Guest::view).is_err());
}

#[test]
fn a_label_that_is_not_granted_is_denied_and_counted() {
    let mut guest = Guest::new();
    for label in ["orders", "Carts", "carts ", "../carts", "shop:carts", "\0", "*", &"x".repeat(100_000)] {
        assert!(matches!(guest.view().open(label), Err(Failure::Denied)), "{label:?}");
    }
    assert_eq!(guest.tally.counts().denied, 8);
    assert!(guest.table.is_empty());
    for label in ["", "default", "carts", "prices"] {
        assert!(guest.view().open(label).is_ok(), "{label:?}");
    }
}

#[tokio::test]
async fn a_grant_to_read_allows_no_change() {
    let mut guest = Guest::new();
    let (carts, prices) = (guest.open("carts"), guest.open("prices"));
    guest.view().set(&carts, "a".into(), b"1".into()).await.unwrap();
    let mut view = guest.view();
    assert_eq!(view.get(&prices, "a".into()).await.unwrap().unwrap(), "1");
    assert!(view.exists(&prices, "a".into()).await.unwrap());
    assert_eq!(view.keys(&prices, None).await.unwrap().keys.len(), 1);
    assert_eq!(view.get_many(&prices, &["a".into()]).await.unwrap().len(), 1);
    let compared = view.compare(&prices, "a".into()).await.unwrap();
    assert_eq!(view.current(&compared).await.unwrap().unwrap(), "1");
    assert!(matches!(view.swap(compared, b"2".into()).await, Err(Failure::Denied)));
    assert!(matches!(view.set(&prices, "a".into(), b"2".into()).await, Err(Failure::Denied)));
    assert!(matches!(view.delete(&prices, "a".into()).await, Err(Failure::Denied)));
    assert!(matches!(view.increment(&prices, "a".into(), 1).await, Err(Failure::Denied)));
    assert!(matches!(view.set_many(&prices, vec![("a".into(), b"2".into())]).await, Err(Failure::Denied)));
    assert!(matches!(view.delete_many(&prices, &["a".into()]).await, Err(Failure::Denied)));
    assert_eq!(view.get(&carts, "a".into()).await.unwrap().unwrap(), "1");
    assert_eq!(guest.tally.counts().denied, 6);
}

#[tokio::test]
async fn values_over_the_limit_are_refused() {
    let mut guest = Guest::new();
    let bucket = guest.open("default");
    let mut view = guest.view();
    view.set(&bucket, "a".into(), vec![7; SIZE]).await.unwrap();
    let large = || vec![7; SIZE + 1];
    assert_eq!(text(view.set(&bucket, "a".into(), large()).await), "101 bytes, of which 100 are allowed");
    let batch = vec![("b".into(), b"1".into()), ("a".into(), large())];
    assert_eq!(text(view.set_many(&bucket, batch).await), "101 bytes, of which 100 are allowed");
    assert!(!view.exists(&bucket, "b".into()).await.unwrap(), "a batch is checked before it begins");
    let compared = view.compare(&bucket, "a".into()).await.unwrap();
    assert!(text(view.swap(compared, large()).await).contains("100 are allowed"));
    let many: Vec<_> = (0..=BATCH_VALUES_MAX).map(|n| (n.to_string(), vec![7; SIZE])).collect();
    assert_eq!(text(view.set_many(&bucket, many).await), "1700 bytes, of which 1600 are allowed");
    assert_eq!(view.get(&bucket, "a".into()).await.unwrap().unwrap().len(), SIZE);
}

#[tokio::test]
async fn keys_and_batches_over_their_limits_are_refused() {
    let mut guest = Guest::new();
    let bucket = guest.open("default");
    let mut view = guest.view();
    let long = "ä".repeat(KEY_BYTES_MAX / 2 + 1);
    let expected = "a key has 1 to 512 bytes, this one has 514";
    assert_eq!(text(view.get(&bucket, long.clone()).await), expected);
    assert_eq!(text(view.set(&bucket, long.clone(), b"1".into()).await), expected);
    assert_eq!(text(view.increment(&bucket, long.clone(), 1).await), expected);
    assert_eq!(text(view.compare(&bucket, long.clone()).await), expected);
    assert_eq!(text(view.get_many(&bucket, &["a".into(), long.clone()]).await), expected);
    assert_eq!(text(view.delete(&bucket, String::new()).await), "a key has 1 to 512 bytes, this one has 0");
    let many = vec!["a".to_owned(); BATCH_KEYS_MAX + 1];
    let expected = "a batch has at most 1000 keys, this one has 1001";
    assert_eq!(text(view.get_many(&bucket, &many).await), expected);
    assert_eq!(text(view.delete_many(&bucket, &many).await), expected);
    let pairs = many.into_iter().map(|key| (key, Vec::new())).collect();
    assert_eq!(text(view.set_many(&bucket, pairs).await), expected);
}

#[tokio::test]
async fn an_empty_batch_does_nothing() {
    let mut guest = Guest::new();
    let bucket = guest.open("default");
    let mut view = guest.view();
    assert!(view.get_many(&bucket, &[]).await.unwrap().is_empty());
    view.set_many(&bucket, Vec::new()).await.unwrap();
    view.delete_many(&bucket, &[]).await.unwrap();
}

#[tokio::test]
async fn a_handle_tells_what_was_there_and_swaps_it_once() {
    let mut guest = Guest::new();
    let bucket = guest.open("default");
    let mut view = guest.view();
    let first = view.compare(&bucket, "a".into()).await.unwrap();
    let second = view.compare(&bucket, "a".into()).await.unwrap();
    assert_eq!(view.current(&first).await.unwrap(), None);
    assert!(view.swap(first, b"1".into()).await.unwrap().is_none());
    // Whoever lost gets a handle for what is there now.
    let newer = view.swap(second, b"2".into()).await.unwrap().unwrap();
    assert_eq!(view.current(&newer).await.unwrap().unwrap(), "1");
    assert!(view.swap(newer, b"2".into()).await.unwrap().is_none());
    assert_eq!(view.get(&bucket, "a".into()).await.unwrap().unwrap(), "2");
    view.close(bucket).unwrap();
    assert!(guest.table.is_empty(), "a swap takes its handle");
}

#[tokio::test]
async fn handles_that_a_guest_drops_or_forgets_leave_nothing() {
    let mut guest = Guest::new();
    let bucket = guest.open("default");
    let compared = guest.view().compare(&bucket, "a".into()).await.unwrap();
    let label = Arc::clone(&guest.table.get(&bucket).unwrap().label);
    // The grant, the test, and both handles.
    assert_eq!(Arc::strong_count(&label), 4);
    guest.view().forget(compared).unwrap();
    guest.view().close(bucket).unwrap();
    assert_eq!(Arc::strong_count(&label), 2);
    let _forgotten = guest.open("default");
    let granted = Arc::clone(&guest.granted);
    drop(guest);
    assert_eq!(Arc::strong_count(&label), 2);
    drop(granted);
    assert_eq!(Arc::strong_count(&label), 1);
}

#[test]
fn too_many_handles_are_an_error_and_no_trap() {
    let mut guest = Guest::new();
    guest.table.set_max_capacity(3);
    let opened: Vec<_> = (0..10).map(|_| guest.view().open("default")).collect();
    let refused = opened.into_iter().filter(Result::is_err).collect::<Vec<_>>();
    assert!(!refused.is_empty());
    for result in refused {
        assert_eq!(text(result), "the component has too many open handles");
    }
}

#[tokio::test]
async fn calls_and_bytes_are_counted() {
    let mut guest = Guest::new();
    let bucket = guest.open("default");
    let mut view = guest.view();
    view.set(&bucket, "ab".into(), vec![7; 10]).await.unwrap();
    view.get(&bucket, "ab".into()).await.unwrap();
    assert!(view.increment(&bucket, "ab".into(), 1).await.is_err());
    let counts = guest.tally.counts();
    assert_eq!((counts.calls, counts.errors, counts.denied), (3, 0, 0));
    assert_eq!((counts.sent_bytes, counts.received_bytes), (12 + 2 + 2, 10));
}
