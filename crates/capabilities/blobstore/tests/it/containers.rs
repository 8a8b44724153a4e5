//! Containers and namespaces: what is in one is in no other.

use std::time::Duration;

use wharf_blobstore::api::Error;
use wharf_kit::{Binding, Bindings, BoundsOverride, Declared, Embedded, Namespace};
use wharf_telemetry::clock;

use crate::fixture::{Fixture, PIECE, container, content, for_every_backend, get, id, is_absent, names, put, set};
use crate::fixture::{becomes, try_put};

for_every_backend!(
    a_container_is_made_once_and_has_a_date,
    a_container_goes_with_its_objects,
    the_container_of_the_label_is_always_there,
    containers_share_nothing,
    namespaces_share_nothing,
    stores_of_one_namespace_see_the_same,
    an_upload_into_a_container_that_is_gone_fails,
);

async fn a_container_is_made_once_and_has_a_date(fixture: Fixture) {
    let store = &*fixture.store();
    let before = clock::wall() - Duration::from_secs(2);
    assert!(matches!(store.container(&container("a")).await, Err(Error::NoContainer)));
    store.create(&container("a")).await.unwrap();
    let made = store.container(&container("a")).await.unwrap();
    assert!(made.created >= before);
    put(store, &id("a", "x"), "1").await;
    store.create(&container("a")).await.unwrap();
    assert_eq!(store.container(&container("a")).await.unwrap(), made);
    assert_eq!(get(store, &id("a", "x")).await, b"1");
}

async fn a_container_goes_with_its_objects(fixture: Fixture) {
    let store = &*fixture.store();
    for name in ["a", "ab"] {
        store.create(&container(name)).await.unwrap();
        put(store, &id(name, "x"), "1").await;
        put(store, &id(name, "y/z"), "2").await;
    }
    put(store, &id("", "x"), "3").await;
    store.remove(&container("a")).await.unwrap();
    assert!(matches!(store.container(&container("a")).await, Err(Error::NoContainer)));
    assert!(is_absent(store, &id("a", "x")).await);
    assert_eq!(names(store, "ab").await, set(&["x", "y/z"]));
    assert_eq!(get(store, &id("", "x")).await, b"3");
    store.create(&container("a")).await.unwrap();
    assert_eq!(names(store, "a").await, set(&[]));
    store.clear(&container("ab")).await.unwrap();
    assert_eq!(names(store, "ab").await, set(&[]));
    assert!(store.container(&container("ab")).await.is_ok());
}

async fn the_container_of_the_label_is_always_there(fixture: Fixture) {
    let store = &*fixture.store();
    let root = container("");
    assert!(store.container(&root).await.is_ok());
    assert_eq!(names(store, "").await, set(&[]));
    store.clear(&root).await.unwrap();
    store.create(&root).await.unwrap();
    store.create(&container("a")).await.unwrap();
    put(store, &id("a", "x"), "1").await;
    put(store, &id("", "x"), "2").await;
    store.remove(&root).await.unwrap();
    assert!(store.container(&root).await.is_ok());
    assert_eq!(names(store, "").await, set(&[]));
    assert_eq!(get(store, &id("a", "x")).await, b"1");
}

async fn containers_share_nothing(fixture: Fixture) {
    let store = &*fixture.store();
    let all = ["", "a", "b", "a/b", "..", "../own", "in", "own", "new", "containers", "a b", "/", ".created"];
    for name in &all[1..] {
        store.create(&container(name)).await.unwrap();
    }
    for (at, name) in all.iter().enumerate() {
        put(store, &id(name, "x"), content(at, 10)).await;
        put(store, &id(name, "b/x"), content(at, 11)).await;
    }
    for (at, name) in all.iter().enumerate() {
        assert_eq!(names(store, name).await, set(&["x", "b/x"]), "{name}");
        assert_eq!(get(store, &id(name, "x")).await, content(at, 10), "{name}");
        assert_eq!(get(store, &id(name, "b/x")).await, content(at, 11), "{name}");
    }
}

async fn namespaces_share_nothing(fixture: Fixture) {
    let all = [
        Namespace::own("shop", "images"),
        Namespace::own("shop", "images-2"),
        Namespace::own("shop", "image"),
        Namespace::own("blog", "images"),
        Namespace::shared("images"),
    ];
    let stores: Vec<_> = all.iter().map(|namespace| fixture.of(namespace)).collect();
    for (at, store) in stores.iter().enumerate() {
        put(&**store, &id("", "x"), content(at, 10)).await;
        store.create(&container("a")).await.unwrap();
        put(&**store, &id("a", &format!("only-{at}")), "x").await;
    }
    stores[0].clear(&container("")).await.unwrap();
    stores[0].remove(&container("a")).await.unwrap();
    assert!(is_absent(&*stores[0], &id("", "x")).await);
    for (at, store) in stores.iter().enumerate().skip(1) {
        assert_eq!(get(&**store, &id("", "x")).await, content(at, 10));
        assert_eq!(names(&**store, "a").await, set(&[&format!("only-{at}")]));
    }
}

/// What an operator makes by giving two labels one namespace.
async fn stores_of_one_namespace_see_the_same(fixture: Fixture) {
    if fixture.opened.place(&Namespace::shared("x")) == "x" {
        // Memory is shared by the bindings, which give both labels one store: see below.
        return;
    }
    let namespace = Namespace::shared("images");
    let (one, two) = (&*fixture.of(&namespace), &*fixture.of(&namespace));
    put(one, &id("", "x"), "1").await;
    assert_eq!(get(two, &id("", "x")).await, b"1");
    put(two, &id("", "x"), "2").await;
    assert_eq!(get(one, &id("", "x")).await, b"2");
}

async fn an_upload_into_a_container_that_is_gone_fails(fixture: Fixture) {
    let store = &*fixture.store();
    store.create(&container("a")).await.unwrap();
    for len in [10, 6 << 20] {
        let mut upload = store.write(&id("a", "x")).await.unwrap();
        for _ in 0..len / PIECE {
            upload.write(content(0, PIECE)).await.unwrap();
        }
        store.remove(&container("a")).await.unwrap();
        let finished = upload.finish().await;
        assert!(matches!(finished, Err(Error::NoContainer)), "{len}: {finished:?}");
        store.create(&container("a")).await.unwrap();
        becomes("an empty container", async || names(store, "a").await.is_empty()).await;
    }
    let refused = try_put(store, &id("b", "x"), &content(0, 1)).await;
    assert!(matches!(refused, Err(Error::NoContainer)), "{refused:?}");
}

/// Two labels on one folder meet only where the operator says so, and then in one store.
#[tokio::test]
async fn labels_meet_only_in_a_namespace_that_the_operator_names() {
    for backend in ["files", "memory"] {
        let folder = tempfile::tempdir().unwrap();
        let binding =
            || Binding { backend: backend.to_owned(), namespace: Some("pictures".to_owned()), ..Binding::default() };
        let every = [("in".to_owned(), binding()), ("out".to_owned(), binding())].into();
        let declared = Declared { every, ..Declared::default() };
        let embedded = Embedded::new(folder.path(), wharf_blobstore::CAPABILITY);
        let bounds = wharf_blobstore::BOUNDS;
        let capability = wharf_blobstore::CAPABILITY;
        let bindings = Bindings::new(capability, wharf_blobstore::BACKENDS, bounds, embedded, declared);
        let bind = |label| bindings.bind("shop", label, BoundsOverride::default()).unwrap().store;
        let (one, two, own) = (bind("in"), bind("out"), bind("images"));
        put(&*one, &id("", "x"), "1").await;
        assert_eq!(get(&*two, &id("", "x")).await, b"1");
        assert!(is_absent(&*own, &id("", "x")).await);
        // Binding one again, as a new version of the app does, does not disturb what is being written.
        let mut upload = one.write(&id("", "y")).await.unwrap();
        upload.write(content(0, PIECE)).await.unwrap();
        drop(one);
        put(&*bind("in"), &id("", "z"), "3").await;
        upload.finish().await.unwrap();
        assert_eq!(names(&*bind("out"), "").await, set(&["x", "y", "z"]));
    }
}
