//! Values and lists, to and fro.

use super::*;
use crate::api::Upload;
use crate::wit::writer::Outgoing;
use async_trait::async_trait;
use std::fs;

#[tokio::test]
async fn a_value_is_written_by_a_stream_and_read_by_another() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    for len in [0, 1, 64 * 1024, 700_001] {
        let bytes: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
        guest.put("images", "x", bytes.clone()).await.unwrap();
        assert!(guest.all("images", "x").await.unwrap() == bytes);
        let container = guest.open("images").await;
        let value = guest.view().get_data(container, "x".to_owned(), 0, u64::MAX).await.unwrap().unwrap();
        assert_eq!(guest.view().size(Guest::again(&value)).await.unwrap(), len as u64);
        let stream = guest.view().incoming_value_consume_async(value).await.unwrap().unwrap();
        assert!(guest.drain(&stream).await == bytes);
        guest.table.delete(stream).unwrap();
    }
    assert_eq!(guest.get("images", "x", (1, 3)).await, Ok(vec![1, 2, 3]));
    assert_eq!(guest.get("images", "x", (700_000, 700_000)).await.map(|bytes| bytes.len()), Ok(1));
    assert_eq!(guest.get("images", "x", (700_001, 700_001)).await, Ok(vec![]));
    let counts = guest.granted.label("images", &mut Tally::default()).unwrap().gate.usage().counts();
    assert!(counts.sent_bytes >= 700_001 && counts.received_bytes >= 700_001, "{counts:?}");
}

#[tokio::test]
async fn what_is_written_before_the_object_is_named_is_kept() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    let value = guest.view().new_outgoing_value().await.unwrap();
    let stream = guest.view().outgoing_value_write_body(Guest::again(&value)).await.unwrap().unwrap();
    guest.write(&stream, vec![7; 300_000].into()).await.unwrap();
    let container = guest.open("images").await;
    guest.view().write_data(container, "x".to_owned(), Guest::again(&value)).await.unwrap().unwrap();
    guest.write(&stream, vec![7; 300_000].into()).await.unwrap();
    guest.table.delete(stream).unwrap();
    guest.view().finish(value).await.unwrap().unwrap();
    assert_eq!(guest.all("images", "x").await, Ok(vec![7; 600_000]));
    // There is a bound to that.
    let value = guest.view().new_outgoing_value().await.unwrap();
    let stream = guest.view().outgoing_value_write_body(value).await.unwrap().unwrap();
    let failed = guest.write(&stream, vec![7; (1 << 20) + 1].into()).await;
    assert!(matches!(failed, Err(StreamError::LastOperationFailed(_))));
}

/// A backend that takes the first piece and is never done with it: with a real one, how much it took is a matter of time.
struct Stuck;

#[async_trait]
impl Upload for Stuck {
    async fn write(&mut self, _: Bytes) -> Result<(), Error> {
        std::future::pending().await
    }

    async fn finish(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn a_guest_that_does_not_wait_gets_no_more_room() {
    let state = tempfile::tempdir().unwrap();
    let guest = Guest::new(state.path());
    let label = Arc::clone(guest.granted.label("images", &mut Tally::default()).unwrap());
    let held = label.gate.hold().await.unwrap();
    let mut value = Outgoing::default();
    assert!(value.body().begin(label, Box::new(Stuck), held).is_ok());
    let mut stream = value.stream().unwrap();
    let mut written = 0;
    while let Ok(room @ 1..) = stream.check_write() {
        stream.write(vec![1; room].into()).unwrap();
        written += room;
        assert!(written <= 128 * 1024, "it goes on for ever");
    }
    assert!(matches!(stream.write(vec![1; 64 * 1024 + 1].into()), Err(StreamError::Trap(_))));
}

#[tokio::test]
async fn a_guest_that_disappears_leaves_nothing() {
    let state = tempfile::tempdir().unwrap();
    let new = state.path().join("data/blobstore/shop/images/new");
    for len in [0, 10, 200_000, 900_000] {
        let mut guest = Guest::new(state.path());
        guest.put("images", "old", "1").await.unwrap();
        for name in ["old", "new"] {
            let (_value, stream) = guest.begin("images", name).await;
            guest.write(&stream, vec![2; len].into()).await.unwrap();
        }
        assert_eq!(fs::read_dir(&new).unwrap().count(), 2);
        let Guest { table, granted, .. } = guest;
        drop(table);
        while fs::read_dir(&new).unwrap().count() > 0 {
            tokio::task::yield_now().await;
        }
        drop(granted);
        let mut guest = Guest::new(state.path());
        assert_eq!(guest.all("images", "old").await, Ok(b"1".to_vec()));
        assert!(guest.all("images", "new").await.is_err());
    }
}

#[tokio::test]
async fn a_value_that_is_dropped_leaves_nothing() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    let (value, stream) = guest.begin("images", "x").await;
    guest.write(&stream, vec![2; 200_000].into()).await.unwrap();
    guest.table.delete(stream).unwrap();
    wit::types::HostOutgoingValue::drop(&mut guest.view(), value).await.unwrap();
    assert!(guest.all("images", "x").await.is_err());
}

#[tokio::test]
async fn objects_go_from_label_to_label_and_backend_to_backend() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    guest.view().create_container("images/thumbnails".to_owned()).await.unwrap().unwrap();
    for (from, to) in [
        ("images", "images/thumbnails"),
        ("images/thumbnails", "images"),
        ("images", "archive"),
        ("archive", "images/thumbnails"),
    ] {
        let bytes = vec![3; 300_000];
        guest.put(from, "x", bytes.clone()).await.unwrap();
        guest.view().copy_object(object(from, "x"), object(to, "copy")).await.unwrap().unwrap();
        assert!(guest.all(to, "copy").await.unwrap() == bytes, "{from} {to}");
        assert!(guest.all(from, "x").await.unwrap() == bytes);
        guest.view().move_object(object(from, "x"), object(to, "moved")).await.unwrap().unwrap();
        assert!(guest.all(to, "moved").await.unwrap() == bytes, "{from} {to}");
        assert_eq!(guest.all(from, "x").await, Err("there is no object \"x\"".to_owned()));
        let said = guest.view().move_object(object(from, "x"), object(to, "moved")).await.unwrap();
        assert_eq!(said, Err("there is no object \"x\"".to_owned()));
        assert!(guest.all(to, "moved").await.unwrap() == bytes);
    }
}

#[tokio::test]
async fn what_is_known_is_told() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    let container = guest.view().create_container("images/a/b".to_owned()).await.unwrap().unwrap();
    guest.put("images/a/b", "x", "123").await.unwrap();
    let again = || Guest::again(&container);
    let mut view = guest.view();
    let info = view.info(again()).await.unwrap().unwrap();
    assert_eq!(info.name, "images/a/b");
    assert!(info.created_at > 1_700_000_000);
    let info = view.object_info(again(), "x".to_owned()).await.unwrap().unwrap();
    assert_eq!((info.name.as_str(), info.container.as_str(), info.size), ("x", "images/a/b", 3));
    assert!(info.created_at > 1_700_000_000);
    assert_eq!(view.has_object(again(), "x".to_owned()).await.unwrap(), Ok(true));
    assert_eq!(view.has_object(again(), "y".to_owned()).await.unwrap(), Ok(false));
    assert_eq!(view.container_exists("images/a/b".to_owned()).await.unwrap(), Ok(true));
    assert_eq!(view.container_exists("images/a".to_owned()).await.unwrap(), Ok(false));
    assert_eq!(view.container_exists("images".to_owned()).await.unwrap(), Ok(true));
    view.delete_container("images/a/b".to_owned()).await.unwrap().unwrap();
    // A handle may outlive its container.
    assert_eq!(view.has_object(again(), "x".to_owned()).await.unwrap(), Ok(false));
    let said = view.info(again()).await.unwrap().map(drop);
    assert_eq!(said, Err("there is no such container".to_owned()));
}

#[tokio::test]
async fn names_are_read_and_passed_over_in_steps() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    for at in 0..10 {
        guest.put("images", &at.to_string(), "x").await.unwrap();
    }
    let container = guest.open("images").await;
    let mut list = async || guest.view().list_objects(Guest::again(&container)).await.unwrap().unwrap();
    let (all, steps) = (list().await, list().await);
    let mut view = guest.view();
    let (mut names, is_over) = view.read_stream_object_names(Guest::again(&all), u64::MAX).await.unwrap().unwrap();
    assert!(is_over);
    names.sort();
    assert_eq!(names, (0..10).map(|at| at.to_string()).collect::<Vec<_>>());
    assert_eq!(view.read_stream_object_names(all, 5).await.unwrap().unwrap(), (vec![], true));
    let step = || Guest::again(&steps);
    let (first, is_over) = view.read_stream_object_names(step(), 4).await.unwrap().unwrap();
    assert_eq!((first.len(), is_over), (4, false));
    assert_eq!(view.read_stream_object_names(step(), 0).await.unwrap().unwrap(), (vec![], false));
    assert_eq!(view.skip_stream_object_names(step(), 5).await.unwrap().unwrap(), (5, false));
    assert_eq!(view.skip_stream_object_names(step(), 5).await.unwrap().unwrap(), (1, true));
    assert_eq!(view.skip_stream_object_names(step(), 5).await.unwrap().unwrap(), (0, true));
}

#[tokio::test]
async fn a_value_too_large_for_a_list_is_read_as_a_stream() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::with(state.path(), BoundsOverride::default());
    let len = (16 << 20) + 1;
    guest.put("archive", "x", vec![5; len]).await.unwrap();
    let said = guest.all("archive", "x").await;
    assert_eq!(said, Err(format!("{len} bytes, of which {} are allowed", 16 << 20)));
    assert_eq!(guest.get("archive", "x", (0, 9)).await, Ok(vec![5; 10]));
    let container = guest.open("archive").await;
    let value = guest.view().get_data(container, "x".to_owned(), 0, u64::MAX).await.unwrap().unwrap();
    let stream = guest.view().incoming_value_consume_async(value).await.unwrap().unwrap();
    assert_eq!(guest.drain(&stream).await.len(), len);
}
