//! Streams of JetStream: acknowledged means that the stream has it.

use crate::fixture::{Backend, ask, data, nats, send, subscribe, until};
use async_nats::jetstream::{self, stream};
use wharf_kit::Kind;
use wharf_messaging::{Error, Message};

async fn context(backend: &Backend) -> jetstream::Context {
    let client = async_nats::connect(format!("nats://127.0.0.1:{}", backend.server().port())).await.unwrap();
    jetstream::new(client)
}

async fn create(context: &jetstream::Context, name: &str, subjects: &str) -> stream::Stream {
    let config =
        stream::Config { name: name.to_owned(), subjects: vec![subjects.to_owned()], ..stream::Config::default() };
    context.create_stream(config).await.unwrap()
}

#[tokio::test]
async fn what_is_acknowledged_is_in_the_stream_after_a_kill() {
    let Some(backend) = nats() else { return };
    let backend = backend.with("stream = \"ORDERS\"");
    create(&context(&backend).await, "ORDERS", "shop.orders.>").await;
    let messenger = backend.messenger();
    let mut subscription = subscribe(&messenger, ">").await;
    let mut message = Message::new("1");
    message.set("key".into(), "value".into());
    send(&messenger, "created", message).await.unwrap();
    assert_eq!(data(&mut subscription).await, b"1", "subscribers of the core get it too");
    for number in 2..=20 {
        send(&messenger, "created", Message::new(number.to_string())).await.unwrap();
    }
    backend.server().kill();
    backend.server().restart();
    let context = context(&backend).await;
    until("the stream is read again", async || context.get_stream("ORDERS").await.is_ok()).await;
    let mut stream = context.get_stream("ORDERS").await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 20);
    let first = stream.get_raw_message(1).await.unwrap();
    assert_eq!((first.subject.as_str(), &first.payload[..]), ("shop.orders.created", &b"1"[..]));
    assert_eq!(first.headers.get("key").map(|value| value.as_str()), Some("value"));
    until("sending", async || send(&messenger, "created", Message::new("21")).await.is_ok()).await;
}

#[tokio::test]
async fn the_same_message_twice_is_stored_once() {
    let Some(backend) = nats() else { return };
    let backend = backend.with("stream = \"ORDERS\"");
    let context = context(&backend).await;
    let mut stream = create(&context, "ORDERS", "shop.orders.>").await;
    let messenger = backend.messenger();
    let mut message = Message::new("1");
    message.set("Nats-Msg-Id".into(), "same".into());
    for _ in 0..2 {
        send(&messenger, "created", message.clone()).await.unwrap();
    }
    assert_eq!(stream.info().await.unwrap().state.messages, 1);
}

#[tokio::test]
async fn what_no_stream_takes_is_an_error() {
    let Some(backend) = nats() else { return };
    let backend = backend.with("stream = \"ORDERS\"");
    let messenger = backend.messenger();
    let is_refused = |sent: Result<(), Error>| matches!(sent, Err(error) if error.kind() == Kind::Backend);
    assert!(is_refused(send(&messenger, "created", Message::new("1")).await), "there is no stream");
    let context = context(&backend).await;
    let mut other = create(&context, "OTHER", "shop.orders.other").await;
    assert!(is_refused(send(&messenger, "other", Message::new("1")).await), "the subject is another stream's");
    assert_eq!(other.info().await.unwrap().state.messages, 0);
    create(&context, "ORDERS", "shop.orders.created").await;
    send(&messenger, "created", Message::new("1")).await.unwrap();
    assert!(is_refused(send(&messenger, "paid", Message::new("1")).await), "the stream does not have this topic");
    assert!(matches!(ask(&messenger, 1).await, Err(Error::Unsupported(_))));
}
