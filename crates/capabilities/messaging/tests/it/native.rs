//! What other programs see, and what they send.

use crate::fixture::{LONG, ask, data, mqtt, nats, next, redis, send, subscribe, until};
use futures_util::StreamExt;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, Publish, PublishOptions, PublishProperties, QoS};
use std::time::Duration;
use tokio::time::timeout;
use wharf_messaging::Message;

/// Returns a message with a content type and metadata.
fn letter() -> Message {
    let mut message = Message::new("hello");
    message.content_type = Some("text/plain".to_owned());
    message.set("trace".into(), "7".into());
    message
}

#[tokio::test]
async fn a_client_of_nats_gets_and_sends_messages() {
    let Some(backend) = nats() else { return };
    let messenger = backend.messenger();
    let client = async_nats::connect(format!("nats://127.0.0.1:{}", backend.server().port())).await.unwrap();
    let mut theirs = client.subscribe("shop.orders.>").await.unwrap();
    client.flush().await.unwrap();
    until("both know each other", async || {
        send(&messenger, "probe", Message::new("")).await.unwrap();
        timeout(Duration::from_millis(50), theirs.next()).await.is_ok()
    })
    .await;
    send(&messenger, "created", letter()).await.unwrap();
    let got = loop {
        let got = timeout(LONG, theirs.next()).await.unwrap().unwrap();
        if got.subject.as_str() != "shop.orders.probe" {
            break got;
        }
    };
    assert_eq!((got.subject.as_str(), &got.payload[..]), ("shop.orders.created", &b"hello"[..]));
    let headers = got.headers.unwrap();
    let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
    assert_eq!((header("Content-Type").as_deref(), header("trace").as_deref()), (Some("text/plain"), Some("7")));
    // The other way, with a header twice, and a subject that no guest could have written.
    let mut ours = subscribe(&messenger, ">").await;
    let mut headers = async_nats::HeaderMap::new();
    headers.append("content-type", "a/b");
    headers.append("twice", "1");
    headers.append("twice", "2");
    client.publish("shop.orders.a/b", "odd".into()).await.unwrap();
    client.publish_with_headers("shop.orders.a", headers, "hi".into()).await.unwrap();
    let got = next(&mut ours).await;
    assert_eq!((got.topic.as_str(), &got.message.data[..]), ("a", &b"hi"[..]));
    assert_eq!(got.message.content_type.as_deref(), Some("a/b"));
    assert_eq!(got.message.metadata, [("twice".to_owned(), "1".to_owned())]);
    // A request of theirs, and one of ours.
    let (reply, ()) = tokio::join!(client.request("shop.orders.ask", "of theirs".into()), async {
        next(&mut ours).await.reply.unwrap().send(letter()).await.unwrap();
    });
    assert_eq!(&reply.unwrap().payload[..], b"hello");
    let (replies, ()) = tokio::join!(ask(&messenger, 1), async {
        while let Some(got) = theirs.next().await {
            if let (Some(reply), "shop.orders.ask", b"?") = (got.reply, got.subject.as_str(), &got.payload[..]) {
                client.publish(reply, "!".into()).await.unwrap();
                break;
            }
        }
    });
    assert_eq!(replies.unwrap(), [Message::new("!")]);
}

/// Returns the next message that a client gets.
async fn publish_of(events: &mut rumqttc::EventLoop) -> Publish {
    loop {
        if let Event::Incoming(Packet::Publish(publish)) = timeout(LONG, events.poll()).await.unwrap().unwrap() {
            return publish;
        }
    }
}

#[tokio::test]
async fn a_client_of_mqtt_gets_and_sends_messages() {
    let Some(backend) = mqtt() else { return };
    let messenger = backend.messenger();
    let options = MqttOptions::new("native", ("127.0.0.1", backend.server().port()));
    let (client, mut events) = AsyncClient::builder(options).try_build().unwrap();
    client.subscribe("shop/orders/theirs/#", QoS::AtLeastOnce).await.unwrap();
    while !matches!(timeout(LONG, events.poll()).await.unwrap().unwrap(), Event::Incoming(Packet::SubAck(_))) {}
    let (sent, got) = tokio::join!(send(&messenger, "theirs.created", letter()), publish_of(&mut events));
    sent.unwrap();
    assert_eq!((&got.topic[..], &got.payload[..]), (&b"shop/orders/theirs/created"[..], &b"hello"[..]));
    let properties = got.properties.unwrap();
    assert_eq!(properties.content_type.as_deref(), Some("text/plain"));
    assert_eq!(properties.user_properties, [("trace".to_owned(), "7".to_owned())]);
    // The other way: a retained message of before, a topic that no guest could have written, one without an acknowledgement, and a
    // request. Its events have to be asked for, for it to send.
    let once = |retain: bool| PublishOptions::new(QoS::AtLeastOnce).retain(retain);
    client.publish("shop/orders/a", "old", once(true)).await.unwrap();
    while !matches!(timeout(LONG, events.poll()).await.unwrap().unwrap(), Event::Incoming(Packet::PubAck(_))) {}
    let mut ours = subscribe(&messenger, ">").await;
    client.publish("shop/orders/a.b", "odd", once(false)).await.unwrap();
    client.publish("shop/orders/a", "hi", PublishOptions::new(QoS::AtMostOnce)).await.unwrap();
    let properties = PublishProperties {
        response_topic: Some("shop/orders/theirs/replies".to_owned()),
        correlation_data: Some("77".into()),
        ..PublishProperties::default()
    };
    client.publish("shop/orders/ask", "?", once(false).properties(properties)).await.unwrap();
    let (reply, ()) = tokio::join!(publish_of(&mut events), async {
        assert_eq!(data(&mut ours).await, b"hi");
        next(&mut ours).await.reply.unwrap().send(Message::new("!")).await.unwrap();
    });
    assert_eq!(&reply.payload[..], b"!");
    assert_eq!(reply.properties.unwrap().correlation_data.as_deref(), Some(&b"77"[..]));
}

#[tokio::test]
async fn a_client_of_redis_gets_and_sends_messages() {
    let Some(backend) = redis() else { return };
    let messenger = backend.messenger();
    let client = redis_client::Client::open(format!("redis://127.0.0.1:{}", backend.server().port())).unwrap();
    let mut theirs = client.get_async_pubsub().await.unwrap();
    theirs.subscribe("shop.orders.created").await.unwrap();
    send(&messenger, "created", Message::new(vec![0, 255])).await.unwrap();
    let got = timeout(LONG, theirs.on_message().next()).await.unwrap().unwrap();
    assert_eq!(got.get_payload_bytes(), [0, 255]);
    let mut ours = subscribe(&messenger, "*").await;
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for (channel, text) in [("shop.orders.a b", "odd"), ("shop.orders.a.b", "deep"), ("shop.orders.a", "hi")] {
        let command = redis_client::cmd("PUBLISH").arg(channel).arg(text).clone();
        let _: u64 = command.query_async(&mut connection).await.unwrap();
    }
    assert_eq!(data(&mut ours).await, b"hi");
}

/// The crate, beside the function of the same name that starts a server.
mod redis_client {
    pub(crate) use ::redis::{Client, cmd};
}
