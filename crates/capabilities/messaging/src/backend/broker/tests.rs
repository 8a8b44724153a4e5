//! The broker's own promises: queues that fill, subscribers that leave, namespaces that stay apart.

use super::*;
use std::time::Duration;
use tokio::time::timeout;

const SOON: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(10);

fn open(settings: &str) -> Arc<dyn Opened<dyn Messenger>> {
    let embedded = wharf_kit::Embedded::new(std::path::Path::new("unused"), crate::CAPABILITY);
    (BACKEND.open)(toml::from_str(settings).unwrap(), &embedded).unwrap()
}

fn own(settings: &str) -> Arc<dyn Messenger> {
    open(settings).store(&Namespace::own("shop", "orders")).unwrap()
}

fn topic(text: &str) -> Topic {
    Topic::new(text).unwrap()
}

fn all() -> Filter {
    Filter::new(">").unwrap()
}

async fn next(subscription: &mut Subscription) -> Delivery {
    timeout(LONG, subscription.next()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_message_reaches_every_subscriber_whose_filter_fits() {
    let broker = own("");
    let mut every = broker.subscribe(&all()).await.unwrap();
    let mut created = broker.subscribe(&Filter::new("*.created").unwrap()).await.unwrap();
    for (name, data) in [("order.created", "1"), ("order.paid", "2"), ("user.created", "3")] {
        broker.send(&topic(name), &Message::new(data)).await.unwrap();
    }
    for data in ["1", "2", "3"] {
        assert_eq!(next(&mut every).await.message.data, data);
    }
    for (name, data) in [("order.created", "1"), ("user.created", "3")] {
        let delivery = next(&mut created).await;
        assert_eq!((delivery.topic.as_str(), &delivery.message.data[..]), (name, data.as_bytes()));
    }
}

#[tokio::test]
async fn namespaces_meet_only_when_they_are_the_same() {
    let opened = open("");
    let store = |namespace| opened.store(&namespace).unwrap();
    let one = store(Namespace::own("shop", "orders"));
    let mut subscription = one.subscribe(&all()).await.unwrap();
    let others = [Namespace::own("shop", "other"), Namespace::own("other", "orders"), Namespace::shared("orders")];
    for other in others {
        let other = store(other);
        other.send(&topic("a"), &Message::new("stray")).await.unwrap();
        assert!(matches!(
            other.request(&topic("a"), &Message::new("stray"), &mut Replies::new(1, 9)).await,
            Err(Error::NoResponder(_))
        ));
    }
    drop(one);
    // A new version of the app has the subscribers of the old one, which live on.
    store(Namespace::own("shop", "orders")).send(&topic("a"), &Message::new("mine")).await.unwrap();
    assert_eq!(next(&mut subscription).await.message.data, "mine");
}

#[tokio::test]
async fn a_full_queue_makes_senders_wait_and_delivers_to_all_or_none() {
    let broker = own("queue = 2");
    let mut quick = broker.subscribe(&all()).await.unwrap();
    let mut slow = broker.subscribe(&all()).await.unwrap();
    for data in ["1", "2"] {
        broker.send(&topic("a"), &Message::new(data)).await.unwrap();
        assert_eq!(next(&mut quick).await.message.data, data);
    }
    let third = Message::new("3");
    assert!(timeout(SOON, broker.send(&topic("a"), &third)).await.is_err(), "the slow one has no room");
    assert!(timeout(SOON, quick.next()).await.is_err(), "what was given up was delivered to nobody");
    let name = topic("a");
    let (sent, first) = tokio::join!(broker.send(&name, &third), next(&mut slow));
    sent.unwrap();
    assert_eq!(first.message.data, "1");
    assert_eq!(next(&mut slow).await.message.data, "2");
    assert_eq!(next(&mut slow).await.message.data, "3");
    assert_eq!(next(&mut quick).await.message.data, "3");
}

#[tokio::test]
async fn bytes_of_a_queue_are_bounded_until_the_subscriber_is_done_with_them() {
    let broker = own("queue_bytes = 10");
    let mut subscription = broker.subscribe(&all()).await.unwrap();
    broker.send(&topic("a"), &Message::new("123456")).await.unwrap();
    let delivery = next(&mut subscription).await;
    let big = Message::new(vec![0; 100]);
    assert!(timeout(SOON, broker.send(&topic("a"), &big)).await.is_err());
    drop(delivery);
    broker.send(&topic("a"), &big).await.unwrap();
    assert_eq!(next(&mut subscription).await.message.data.len(), 100);
}

#[tokio::test]
async fn a_subscriber_that_leaves_sets_waiting_senders_free() {
    let broker = own("queue = 1");
    let stuck = broker.subscribe(&all()).await.unwrap();
    let message = Message::new("x");
    broker.send(&topic("a"), &message).await.unwrap();
    let name = topic("a");
    let waiting = broker.send(&name, &message);
    let leaving = async {
        tokio::task::yield_now().await;
        drop(stuck);
    };
    let (sent, ()) = tokio::join!(timeout(LONG, waiting), leaving);
    sent.unwrap().unwrap();
    let mut replies = Replies::new(1, 9);
    assert!(
        matches!(broker.request(&name, &message, &mut replies).await, Err(Error::NoResponder(_))),
        "nobody is left"
    );
}

#[tokio::test]
async fn requests_end_with_the_replies_that_come() {
    let broker = own("");
    let mut subscription = broker.subscribe(&all()).await.unwrap();
    let name = topic("ask");
    let question = Message::new("?");
    // One who replies twice, although one reply is wanted.
    let mut one = Replies::new(1, 100);
    let (asked, reply) = tokio::join!(broker.request(&name, &question, &mut one), async {
        let delivery = next(&mut subscription).await;
        let reply = delivery.reply.unwrap();
        reply.send(Message::new("1")).await.unwrap();
        reply
    });
    asked.unwrap();
    assert_eq!(one.into_messages(), [Message::new("1")]);
    assert!(matches!(reply.send(Message::new("2")).await, Err(Error::Gone)));
    // One who leaves after a reply, when two are wanted.
    let mut two = Replies::new(2, 100);
    let (asked, ()) = tokio::join!(broker.request(&name, &question, &mut two), async {
        next(&mut subscription).await.reply.unwrap().send(Message::new("1")).await.unwrap();
    });
    asked.unwrap();
    assert_eq!(two.into_messages().len(), 1);
    // One who does not reply at all.
    let mut none = Replies::new(1, 100);
    let (asked, ()) = tokio::join!(broker.request(&name, &question, &mut none), async {
        drop(next(&mut subscription).await);
    });
    assert!(matches!(asked, Err(Error::NoResponder(_))));
    // One who replies with too much.
    let mut small = Replies::new(1, 3);
    let (asked, _) = tokio::join!(broker.request(&name, &question, &mut small), async {
        next(&mut subscription).await.reply.unwrap().send(Message::new("1234")).await
    });
    assert!(matches!(asked, Err(Error::Refused(wharf_kit::Refused::TooLarge { .. }))));
}

#[test]
fn settings_are_checked() {
    let embedded = wharf_kit::Embedded::new(std::path::Path::new("unused"), crate::CAPABILITY);
    for bad in ["queue = 0", "queue = 2000000", "queue_bytes = 0", "queue_bytes = -1", "prefix = \"\"", "quue = 1"] {
        assert!((BACKEND.open)(toml::from_str(bad).unwrap(), &embedded).is_err(), "{bad}");
    }
}
