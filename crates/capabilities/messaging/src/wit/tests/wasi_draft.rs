//! `wasi:messaging@0.2.0-draft`.

use super::super::wasi::generated::wasi::messaging::types::{Error as Answer, HostClient, HostMessage};
use super::super::wasi::generated::wasi::messaging::{producer, request_reply};
use super::*;
use std::time::Duration;

fn connect(store: &mut Store, label: &str) -> Result<Resource<Client>, Answer> {
    store.view().connect(label.to_owned()).unwrap()
}

fn message(store: &mut Store, data: &str) -> Resource<Letter> {
    HostMessage::new(&mut store.view(), data.into()).unwrap()
}

async fn send(store: &mut Store, client: &Resource<Client>, topic: &str, data: &str) -> Result<(), Answer> {
    let message = message(store, data);
    producer::Host::send(&mut store.view(), look(client), topic.to_owned(), message).await.unwrap()
}

/// Asks with a message that the guest keeps.
async fn ask(
    store: &mut Store,
    client: &Resource<Client>,
    wanted: (u32, u32),
) -> Result<Vec<Resource<Letter>>, Answer> {
    use request_reply::HostRequestOptions as _;
    let question = message(store, "?");
    let mut view = store.view();
    let options = request_reply::HostRequestOptions::new(&mut view).unwrap();
    view.set_expected_replies(look(&options), wanted.0).unwrap();
    view.set_timeout_ms(look(&options), wanted.1).unwrap();
    let asked =
        request_reply::Host::request(&mut view, look(client), "ask".to_owned(), look(&question), Some(options)).await;
    HostMessage::drop(&mut view, question).unwrap();
    asked.unwrap()
}

#[tokio::test]
async fn a_message_arrives_with_all_that_was_set() {
    let mut store = Store::new();
    let mut subscription = store.subscribe("orders").await;
    let client = connect(&mut store, "orders").unwrap();
    let sent = message(&mut store, "old");
    let mut view = store.view();
    view.set_data(look(&sent), vec![0, 255, 10]).unwrap();
    view.set_content_type(look(&sent), "application/x".into()).unwrap();
    view.set_metadata(look(&sent), vec![("a".into(), "1".into()), ("b".into(), "2".into()), ("a".into(), "3".into())])
        .unwrap();
    view.add_metadata(look(&sent), "c".into(), "4".into()).unwrap();
    view.add_metadata(look(&sent), "b".into(), "5".into()).unwrap();
    view.remove_metadata(look(&sent), "c".into()).unwrap();
    let metadata = [("a".to_owned(), "3".to_owned()), ("b".to_owned(), "5".to_owned())];
    assert_eq!(view.metadata(look(&sent)).unwrap().as_deref(), Some(&metadata[..]));
    assert_eq!(view.data(look(&sent)).unwrap(), [0, 255, 10]);
    assert_eq!(view.content_type(look(&sent)).unwrap().as_deref(), Some("application/x"));
    assert_eq!(view.topic(look(&sent)).unwrap(), None);
    producer::Host::send(&mut view, look(&client), "order.created".into(), sent).await.unwrap().unwrap();
    let got = subscription.next().await.unwrap();
    assert_eq!((got.topic.as_str(), &got.message.data[..]), ("order.created", &[0, 255, 10][..]));
    assert_eq!(got.message.content_type.as_deref(), Some("application/x"));
    assert_eq!(got.message.metadata, metadata);
    assert!(got.reply.is_none());
    let counts = store.tally.counts();
    assert_eq!((counts.calls, counts.errors, counts.sent_bytes), (1, 0, 3 + 13 + 4));
    assert_eq!(store.held.bytes, 0, "what was sent is held no longer");
}

#[tokio::test]
async fn what_is_not_granted_is_denied() {
    let mut store = Store::new();
    for label in ["other", "inbox", "", "../x", "ORDERS"] {
        assert!(matches!(connect(&mut store, label), Err(Answer::PermissionDenied(_))), "{label}");
    }
    assert_eq!(store.tally.counts().denied, 5);
    let client = connect(&mut store, "orders").unwrap();
    store.view().disconnect(look(&client)).unwrap().unwrap();
    assert!(matches!(send(&mut store, &client, "a", "x").await, Err(Answer::Connection(_))));
    HostClient::drop(&mut store.view(), client).unwrap();
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_and_nobody_sees_it() {
    let mut store = Store::with(BoundsOverride { size_bytes: Some(8), ..BoundsOverride::default() });
    let mut subscription = store.subscribe("orders").await;
    let client = connect(&mut store, "orders").unwrap();
    for topic in ["", "a..b", "a.*", ">", "$SYS.x", "a b", "a/b", "a\r\nb"] {
        assert!(matches!(send(&mut store, &client, topic, "x").await, Err(Answer::Other(_))), "{topic:?}");
    }
    assert!(matches!(send(&mut store, &client, "a", "123456789").await, Err(Answer::Other(_))));
    let bad = message(&mut store, "");
    store.view().add_metadata(look(&bad), "a".into(), "\r\n".into()).unwrap();
    let sent = producer::Host::send(&mut store.view(), look(&client), "a".into(), bad).await.unwrap();
    assert!(matches!(sent, Err(Answer::Other(_))));
    send(&mut store, &client, "a", "12345678").await.unwrap();
    assert_eq!(subscription.next().await.unwrap().message.data, "12345678");
    assert_eq!(store.held.bytes, 0);
}

#[tokio::test]
async fn a_request_returns_what_came_in_time() {
    let mut store = Store::new();
    let mut subscription = store.subscribe("orders").await;
    let client = connect(&mut store, "orders").unwrap();
    let (asked, reply) = tokio::join!(ask(&mut store, &client, (2, 60_000)), async {
        let reply = subscription.next().await.unwrap().reply.unwrap();
        reply.send(Message::new("1")).await.unwrap();
        reply.send(Message::new("2")).await.unwrap();
        reply
    });
    let replies = asked.unwrap();
    let mut view = store.view();
    let data: Vec<_> = replies.iter().map(|reply| view.data(look(reply)).unwrap()).collect();
    assert_eq!(data, [b"1", b"2"]);
    drop(reply);
    // Three are wanted, one comes, and the one who could send more keeps silent.
    let (asked, _reply) = tokio::join!(ask(&mut store, &client, (3, 50)), async {
        let reply = subscription.next().await.unwrap().reply.unwrap();
        reply.send(Message::new("1")).await.unwrap();
        reply
    });
    assert_eq!(asked.unwrap().len(), 1);
    // None comes.
    let (asked, _silent) = tokio::join!(ask(&mut store, &client, (1, 50)), subscription.next());
    assert!(matches!(asked, Err(Answer::Timeout)));
    // Nobody is there.
    drop(subscription);
    assert!(matches!(ask(&mut store, &client, (1, 60_000)).await, Err(Answer::Other(text)) if text.contains("nobody")));
}

#[tokio::test]
async fn the_labels_own_time_keeps_the_replies_that_came() {
    let timeout = Some(Duration::from_millis(50));
    let mut store = Store::with(BoundsOverride { timeout, ..BoundsOverride::default() });
    let mut subscription = store.subscribe("orders").await;
    let client = connect(&mut store, "orders").unwrap();
    let (asked, _reply) = tokio::join!(ask(&mut store, &client, (2, u32::MAX)), async {
        let reply = subscription.next().await.unwrap().reply.unwrap();
        reply.send(Message::new("1")).await.unwrap();
        reply
    });
    assert_eq!(asked.unwrap().len(), 1);
}

#[test]
fn only_handlers_reply() {
    let mut store = Store::new();
    let (to, reply) = (message(&mut store, ""), message(&mut store, ""));
    let answer = request_reply::Host::reply(&mut store.view(), look(&to), reply).unwrap();
    assert!(matches!(answer, Err(Answer::Other(_))));
}

#[test]
fn messages_that_are_hoarded_end_the_component() {
    let mut store = Store::new();
    let mut view = store.view();
    let mut kept = Vec::new();
    let refused = loop {
        match HostMessage::new(&mut view, vec![0; 1 << 20]) {
            Ok(message) => kept.push(message),
            Err(error) => break error,
        }
    };
    assert!(refused.to_string().contains("drop"), "{refused}");
    assert_eq!(kept.len(), 63);
    let last = kept.pop().unwrap();
    let small = HostMessage::new(&mut view, Vec::new()).unwrap();
    assert!(view.set_data(look(&small), vec![0; 1 << 20]).is_err());
    HostMessage::drop(&mut view, last).unwrap();
    assert!(view.set_data(look(&small), vec![0; 1 << 20]).is_ok());
    let pairs = (0..1_000_000).map(|number| (number.to_string(), String::new())).collect();
    view.set_metadata(look(&small), pairs).unwrap();
    assert_eq!(view.metadata(look(&small)).unwrap().unwrap().len(), crate::METADATA_MAX + 1);
}
