//! Copying and moving within a store.

use wharf_blobstore::api::Error;

use crate::fixture::{Fixture, container, content, for_every_backend, get, id, is_absent, names, put, set};

for_every_backend!(
    an_object_is_copied_from_container_to_container,
    an_object_is_moved_from_container_to_container,
    an_object_is_copied_and_moved_to_itself,
    names_too_long_for_a_file_are_copied_and_moved,
);

async fn two_containers(fixture: &Fixture) {
    for name in ["a", "b"] {
        fixture.store().create(&container(name)).await.unwrap();
    }
}

async fn an_object_is_copied_from_container_to_container(fixture: Fixture) {
    two_containers(&fixture).await;
    let store = &*fixture.store();
    for len in [0, 10, 6 << 20] {
        let bytes = content(len, len);
        put(store, &id("a", "x"), bytes.clone()).await;
        for target in [id("b", "y"), id("", "z/z"), id("a", "copy")] {
            store.copy(&id("a", "x"), &target).await.unwrap();
            assert!(get(store, &target).await == bytes, "{target:?}");
            // Over what is there.
            put(store, &target, "other").await;
            store.copy(&id("a", "x"), &target).await.unwrap();
            assert!(get(store, &target).await == bytes, "{target:?}");
        }
        assert!(get(store, &id("a", "x")).await == bytes);
        // A copy is an object of its own.
        put(store, &id("a", "x"), "new").await;
        assert!(get(store, &id("b", "y")).await == bytes);
    }
    assert_eq!(names(store, "a").await, set(&["x", "copy"]));
}

async fn an_object_is_moved_from_container_to_container(fixture: Fixture) {
    two_containers(&fixture).await;
    let store = &*fixture.store();
    for len in [0, 10, 6 << 20] {
        let bytes = content(len, len);
        for target in [id("b", "y"), id("", "z"), id("a", "moved")] {
            for _ in 0..2 {
                put(store, &id("a", "x"), bytes.clone()).await;
                store.rename(&id("a", "x"), &target).await.unwrap();
                assert!(get(store, &target).await == bytes, "{target:?}");
                assert!(is_absent(store, &id("a", "x")).await);
                put(store, &target, "other").await;
            }
        }
    }
    assert_eq!(names(store, "a").await, set(&["moved"]));
    assert!(matches!(store.rename(&id("a", "x"), &id("b", "y")).await, Err(Error::NoObject(_))));
    assert_eq!(get(store, &id("b", "y")).await, b"other");
}

async fn an_object_is_copied_and_moved_to_itself(fixture: Fixture) {
    let store = &*fixture.store();
    put(store, &id("", "x"), content(0, 100)).await;
    store.copy(&id("", "x"), &id("", "x")).await.unwrap();
    store.rename(&id("", "x"), &id("", "x")).await.unwrap();
    assert_eq!(get(store, &id("", "x")).await, content(0, 100));
    assert_eq!(names(store, "").await, set(&["x"]));
    assert!(matches!(store.copy(&id("", "y"), &id("", "y")).await, Err(Error::NoObject(_))));
    assert!(matches!(store.rename(&id("", "y"), &id("", "y")).await, Err(Error::NoObject(_))));
}

async fn names_too_long_for_a_file_are_copied_and_moved(fixture: Fixture) {
    two_containers(&fixture).await;
    let store = &*fixture.store();
    // Not as one part, for the server's sake.
    let long = |letter: &str| vec![letter.repeat(200); 4].join("/");
    let (x, y) = (id("a", &long("x")), id("b", &long("y")));
    put(store, &x, content(0, 100)).await;
    store.copy(&x, &y).await.unwrap();
    assert_eq!(get(store, &y).await, content(0, 100));
    store.rename(&y, &id("a", "short")).await.unwrap();
    assert!(is_absent(store, &y).await);
    assert_eq!(get(store, &id("a", "short")).await, content(0, 100));
    assert_eq!(store.info(&id("a", "short")).await.unwrap().size_bytes, 100);
    store.rename(&id("a", "short"), &y).await.unwrap();
    assert_eq!(store.info(&y).await.unwrap().size_bytes, 100);
    assert_eq!(names(store, "b").await, [y.name.as_str().to_owned()].into());
    assert_eq!(names(store, "a").await, [x.name.as_str().to_owned()].into());
}
