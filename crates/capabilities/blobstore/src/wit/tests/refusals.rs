//! What a guest may not do, and what it is told.

use super::*;

#[tokio::test]
async fn a_container_whose_label_is_not_granted_is_refused_everywhere() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    guest.put("images", "x", "1").await.unwrap();
    let mut denied = 0;
    for name in ["secrets", "", "/", "/images", "../images", "images2", "Images", "*", "images\0", "secrets/images"] {
        let mut view = guest.view();
        let said = [
            view.create_container(name.to_owned()).await.unwrap().map(drop),
            view.get_container(name.to_owned()).await.unwrap().map(drop),
            view.delete_container(name.to_owned()).await.unwrap(),
            view.container_exists(name.to_owned()).await.unwrap().map(drop),
            view.copy_object(object(name, "x"), object("images", "y")).await.unwrap(),
            view.copy_object(object("images", "x"), object(name, "y")).await.unwrap(),
            view.move_object(object(name, "x"), object("images", "y")).await.unwrap(),
            view.move_object(object("images", "x"), object(name, "y")).await.unwrap(),
        ];
        for said in said {
            assert_eq!(said, Err(format!("access to the container {name:?} is not granted")));
            denied += 1;
        }
    }
    assert_eq!(guest.tally.counts().denied, denied);
    assert_eq!(guest.all("images", "x").await, Ok(b"1".to_vec()));
}

#[tokio::test]
async fn a_container_within_a_label_cannot_lead_out_of_it() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    guest.put("images", "x", "1").await.unwrap();
    for name in ["images/..", "images/../archive", "images/../../blog/images", "images//", "images/own"] {
        let container = guest.view().create_container(name.to_owned()).await.unwrap().unwrap();
        assert_eq!(guest.view().name(Guest::again(&container)).await.unwrap().unwrap(), name);
        assert_eq!(guest.all(name, "x").await, Err("there is no object \"x\"".to_owned()));
        guest.put(name, "../x", "2").await.unwrap();
        assert_eq!(guest.all(name, "../x").await, Ok(b"2".to_vec()));
        guest.view().delete_container(name.to_owned()).await.unwrap().unwrap();
    }
    assert_eq!(guest.all("images", "x").await, Ok(b"1".to_vec()));
    let said = guest.view().get_container("images/".to_owned()).await.unwrap().map(drop);
    assert_eq!(said, Err("the name of the container is empty".to_owned()));
}

#[tokio::test]
async fn a_label_for_reading_refuses_every_change() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    guest.publish("x", b"1").await;
    guest.put("images", "y", "2").await.unwrap();
    assert_eq!(guest.all("public", "x").await, Ok(b"1".to_vec()));
    let container = guest.open("public").await;
    let value = guest.view().new_outgoing_value().await.unwrap();
    let again = || Guest::again(&container);
    let mut view = guest.view();
    let said = [
        view.create_container("public/new".to_owned()).await.unwrap().map(drop),
        view.delete_container("public".to_owned()).await.unwrap(),
        view.write_data(again(), "x".to_owned(), value).await.unwrap(),
        view.delete_object(again(), "x".to_owned()).await.unwrap(),
        view.delete_objects(again(), vec!["x".to_owned()]).await.unwrap(),
        view.clear(again()).await.unwrap(),
        view.copy_object(object("images", "y"), object("public", "y")).await.unwrap(),
        view.move_object(object("public", "x"), object("images", "x")).await.unwrap(),
        view.move_object(object("images", "y"), object("public", "y")).await.unwrap(),
    ];
    let count = said.len() as u64;
    for said in said {
        let said = said.unwrap_err();
        assert!(said.starts_with("the container \"public") && said.ends_with("is granted for reading only"), "{said}");
    }
    assert_eq!(guest.tally.counts().denied, count);
    // What only reads it is allowed.
    guest.view().copy_object(object("public", "x"), object("images", "x")).await.unwrap().unwrap();
    assert_eq!(guest.all("public", "x").await, Ok(b"1".to_vec()));
    assert_eq!(guest.all("images", "y").await, Ok(b"2".to_vec()));
}

#[tokio::test]
async fn an_object_over_the_limit_ends_its_stream_and_leaves_nothing() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    guest.put("images", "x", vec![1; LIMIT]).await.unwrap();
    let too_large = format!("{} bytes, of which {LIMIT} are allowed", LIMIT + 1);
    let (value, stream) = guest.begin("images", "x").await;
    guest.write(&stream, vec![2; LIMIT].into()).await.unwrap();
    let failed = guest.write(&stream, Bytes::from_static(b"!")).await;
    assert!(matches!(&failed, Err(StreamError::LastOperationFailed(error)) if error.to_string() == too_large));
    // Told once; then it is closed.
    assert!(matches!(guest.write(&stream, Bytes::from_static(b"!")).await, Err(StreamError::Closed)));
    guest.table.delete(stream).unwrap();
    assert_eq!(guest.view().finish(value).await.unwrap(), Err(too_large));
    assert_eq!(guest.all("images", "x").await, Ok(vec![1; LIMIT]));
}

#[tokio::test]
async fn a_copy_over_the_limit_of_its_target_is_refused() {
    let state = tempfile::tempdir().unwrap();
    let mut large = Guest::with(state.path(), BoundsOverride::default());
    large.put("images", "x", vec![1; LIMIT + 1]).await.unwrap();
    let mut guest = Guest::new(state.path());
    for target in ["images", "archive"] {
        let said = guest.view().copy_object(object("images", "x"), object(target, "y")).await.unwrap();
        assert!(said.unwrap_err().contains("are allowed"), "{target}");
        let said = guest.view().move_object(object("images", "x"), object(target, "y")).await.unwrap();
        assert!(said.unwrap_err().contains("are allowed"), "{target}");
        assert!(guest.all(target, "y").await.is_err());
    }
    assert_eq!(guest.all("images", "x").await.map(|bytes| bytes.len()), Ok(LIMIT + 1));
}

#[tokio::test]
async fn bad_names_and_ranges_are_told() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    for (name, why) in [(String::new(), "is empty"), ("x".repeat(1025), "is too long")] {
        let said = Err(format!("the name of the object {why}"));
        assert_eq!(guest.all("images", &name).await.map(drop), said);
        let container = guest.open("images").await;
        assert_eq!(guest.view().delete_objects(container, vec!["x".into(), name.clone()]).await.unwrap(), said);
        let copied = guest.view().copy_object(object("images", "x"), object("images", &name)).await.unwrap();
        assert_eq!(copied, said);
    }
    let long = format!("images/{}", "x".repeat(256));
    let said = guest.view().create_container(long).await.unwrap().map(drop);
    assert_eq!(said, Err("the name of the container is too long".to_owned()));
    let said = guest.get("images", "x", (5, 4)).await;
    assert_eq!(said, Err("the range ends at 4, before its start at 5".to_owned()));
}

#[tokio::test]
async fn values_that_are_used_out_of_order_are_told() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    let value = guest.view().new_outgoing_value().await.unwrap();
    let said = guest.view().finish(value).await.unwrap();
    assert_eq!(said, Err("the value has no object: `write-data` comes before `finish`".to_owned()));
    let (value, _stream) = guest.begin("images", "x").await;
    let container = guest.open("images").await;
    let said = guest.view().write_data(container, "y".to_owned(), Guest::again(&value)).await.unwrap();
    assert_eq!(said, Err("the value has an object already".to_owned()));
    assert!(guest.view().outgoing_value_write_body(Guest::again(&value)).await.unwrap().is_err());
    // The stream is the value's child.
    assert!(guest.view().finish(value).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_guest_has_no_more_values_open_than_it_may_have_calls() {
    let state = tempfile::tempdir().unwrap();
    let bounds = BoundsOverride { concurrency: Some(2), ..BoundsOverride::default() };
    let mut guest = Guest::with(state.path(), bounds);
    guest.put("archive", "x", "1").await.unwrap();
    let container = guest.open("archive").await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let value = guest.view().get_data(Guest::again(&container), "x".to_owned(), 0, 9).await.unwrap();
        open.push(value.unwrap());
    }
    let busy = Err("2 calls are under way and none of them ended in time".to_owned());
    let said = guest.view().get_data(Guest::again(&container), "x".to_owned(), 0, 9).await.unwrap();
    assert_eq!(said.map(drop), busy);
    let said = guest.view().list_objects(Guest::again(&container)).await.unwrap();
    assert_eq!(said.map(drop), busy);
    let value = guest.view().new_outgoing_value().await.unwrap();
    let said = guest.view().write_data(Guest::again(&container), "y".to_owned(), value).await.unwrap();
    assert_eq!(said, busy);
    wit::types::HostIncomingValue::drop(&mut guest.view(), open.remove(0)).await.unwrap();
    assert!(guest.view().get_data(container, "x".to_owned(), 0, 9).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_guest_with_too_many_handles_is_told_so() {
    let state = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(state.path());
    guest.table.set_max_capacity(1);
    guest.open("images").await;
    let said = guest.view().get_container("images".to_owned()).await.unwrap().map(drop);
    assert_eq!(said, Err("the component has too many open handles".to_owned()));
}
