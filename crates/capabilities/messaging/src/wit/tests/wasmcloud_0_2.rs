//! `wasmcloud:messaging@0.2.0`.

use super::super::wasmcloud::generated::wasmcloud::messaging::consumer::Host;
use super::super::wasmcloud::generated::wasmcloud::messaging::types::BrokerMessage;
use super::*;

fn message(subject: &str, body: &str, reply_to: Option<&str>) -> BrokerMessage {
    BrokerMessage { subject: subject.into(), body: body.into(), reply_to: reply_to.map(str::to_owned) }
}

#[tokio::test]
async fn messages_go_to_the_label_default() {
    let mut store = Store::new();
    let mut subscription = store.subscribe("default").await;
    let mut view = store.view();
    view.publish(message("a.b", "1", None)).await.unwrap().unwrap();
    assert!(view.publish(message("a.b", "2", Some("c"))).await.unwrap().is_err());
    assert!(view.publish(message("a..b", "3", None)).await.unwrap().is_err());
    let got = subscription.next().await.unwrap();
    assert_eq!((got.topic.as_str(), &got.message.data[..]), ("a.b", &b"1"[..]));
    let (asked, ()) = tokio::join!(Host::request(&mut view, "ask".into(), b"?".to_vec(), 60_000), async {
        let got = subscription.next().await.unwrap();
        got.reply.unwrap().send(Message::new(got.message.data)).await.unwrap();
    });
    let reply = asked.unwrap().unwrap();
    assert_eq!((reply.subject.as_str(), &reply.body[..]), ("ask", &b"?"[..]));
    assert!(Host::request(&mut view, "ask".into(), Vec::new(), 20).await.unwrap().is_err());
}
