//! The promises of the `Messenger` that every backend keeps.

use crate::fixture::{Backend, LONG, SOON, ask, bind, data, next, send, subscribe, topic};
use futures_util::future::try_join_all;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::timeout;
use wharf_kit::Refused;
use wharf_messaging::{Error, Message, Replies};

macro_rules! conformance {
    ($($fact:ident,)*) => {
        conformance!(@ broker, $($fact)*);
        conformance!(@ nats, $($fact)*);
        conformance!(@ mqtt, $($fact)*);
        conformance!(@ redis, $($fact)*);
    };
    (@ $backend:ident, $($fact:ident)*) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $fact() {
                    let Some(backend) = crate::fixture::$backend() else { return };
                    super::$fact(&backend).await;
                }
            )*
        }
    };
}

conformance! {
    messages_arrive_in_order_as_they_were_sent,
    filters_choose_among_the_topics_of_a_label,
    labels_of_different_apps_do_not_meet,
    a_namespace_that_the_operator_names_is_shared,
    many_senders_at_a_time_lose_nothing,
    a_subscriber_may_drop_messages_in_any_order_and_at_once,
    calls_that_are_given_up_do_no_harm,
    a_request_returns_the_replies_it_wants,
    a_request_ends_without_replies,
    what_cannot_be_sent_is_refused_with_a_reason,
}

async fn messages_arrive_in_order_as_they_were_sent(backend: &Backend) {
    let messenger = backend.messenger();
    let mut subscription = subscribe(&messenger, ">").await;
    let every_byte: Vec<u8> = (0..=255).collect();
    for sent in [Vec::new(), every_byte, b"\r\nPUB x 1\r\n".to_vec(), vec![7; (1 << 20) - 1024], b"last".to_vec()] {
        send(&messenger, "order.created", Message::new(sent.clone())).await.unwrap();
        let got = next(&mut subscription).await;
        assert_eq!(got.topic.as_str(), "order.created");
        assert!(got.message == Message::new(sent), "{:?}", got.message);
        assert!(got.reply.is_none());
    }
    for number in 0..100 {
        send(&messenger, "count", Message::new(format!("{number}"))).await.unwrap();
    }
    for number in 0..100 {
        assert_eq!(data(&mut subscription).await, number.to_string().as_bytes());
    }
    let mut message = Message::new("x");
    message.content_type = Some("text/plain; charset=utf-8".to_owned());
    for number in 0..wharf_messaging::METADATA_MAX {
        message.set(format!("key-{number:02}"), format!("ä {number}"));
    }
    let sent = send(&messenger, "all", message.clone()).await;
    if backend.has_metadata {
        sent.unwrap();
        assert_eq!(next(&mut subscription).await.message, message);
    } else {
        assert!(matches!(sent, Err(Error::Unsupported(_))), "{sent:?}");
    }
}

async fn filters_choose_among_the_topics_of_a_label(backend: &Backend) {
    let messenger = backend.messenger();
    let mut one = subscribe(&messenger, "a.*.c").await;
    let mut rest = subscribe(&messenger, "a.>").await;
    let mut odd = subscribe(&messenger, "odd.[x]?\\^{}.>").await;
    let topics = ["a", "ab.c", "a.b", "a.b.c", "a.b.b.c", "a.b.c.d", "odd.x", "odd.[x]?\\^{}.1", "a.$x._y"];
    for name in topics {
        send(&messenger, name, Message::new(name)).await.unwrap();
    }
    assert_eq!(data(&mut one).await, b"a.b.c");
    for name in ["a.b", "a.b.c", "a.b.b.c", "a.b.c.d", "a.$x._y"] {
        let got = next(&mut rest).await;
        assert_eq!((got.topic.as_str(), &got.message.data[..]), (name, name.as_bytes()));
    }
    assert_eq!(data(&mut odd).await, b"odd.[x]?\\^{}.1");
    for subscription in [&mut one, &mut rest, &mut odd] {
        assert!(timeout(SOON, subscription.next()).await.is_err(), "nothing else fits");
    }
}

async fn labels_of_different_apps_do_not_meet(backend: &Backend) {
    let bindings = backend.bindings();
    let mine = bind(&bindings, "shop", "orders");
    let mut subscription = subscribe(&mine, ">").await;
    for (app, label) in [("shop", "other"), ("blog", "orders"), ("blog", "common")] {
        let other = bind(&bindings, app, label);
        for name in ["a", "orders.a", "shop.orders.a"] {
            send(&other, name, Message::new("stray")).await.unwrap();
        }
    }
    send(&mine, "a", Message::new("mine")).await.unwrap();
    assert_eq!(data(&mut subscription).await, b"mine");
    assert!(timeout(SOON, subscription.next()).await.is_err());
}

async fn a_namespace_that_the_operator_names_is_shared(backend: &Backend) {
    let bindings = backend.bindings();
    let mut subscription = subscribe(&bind(&bindings, "shop", "common"), "a").await;
    send(&bind(&bindings, "blog", "common"), "a", Message::new("hello")).await.unwrap();
    assert_eq!(data(&mut subscription).await, b"hello");
}

async fn many_senders_at_a_time_lose_nothing(backend: &Backend) {
    let messenger = backend.messenger();
    let mut subscription = subscribe(&messenger, ">").await;
    let sends = (0..300).map(|number: u32| {
        let messenger = &messenger;
        async move { send(messenger, &format!("a.{number}"), Message::new(number.to_string())).await }
    });
    let receive = async {
        let mut got = BTreeSet::new();
        while got.len() < 300 {
            let delivery = next(&mut subscription).await;
            let number: u32 = String::from_utf8_lossy(&delivery.message.data).parse().unwrap();
            assert_eq!(delivery.topic.as_str(), format!("a.{number}"));
            got.insert(number);
        }
    };
    // A failed one ends both: what was not sent does not arrive.
    tokio::try_join!(try_join_all(sends), async {
        receive.await;
        Ok(())
    })
    .unwrap();
}

async fn a_subscriber_may_drop_messages_in_any_order_and_at_once(backend: &Backend) {
    const AT_ONCE: usize = 16;
    let messenger = backend.messenger();
    let mut subscription = subscribe(&messenger, "a").await;
    let mut kept = None;
    for round in 0..10 {
        for number in 0..AT_ONCE {
            send(&messenger, "a", Message::new(format!("{round} {number}"))).await.unwrap();
        }
        let mut got = Vec::new();
        for number in 0..AT_ONCE {
            let delivery = next(&mut subscription).await;
            assert_eq!(delivery.message, Message::new(format!("{round} {number}")));
            got.push(delivery);
        }
        // The oldest of all stays until the end.
        kept = kept.or_else(|| Some(got.remove(0)));
        while got.pop().is_some() {}
    }
    drop(kept);
}

async fn calls_that_are_given_up_do_no_harm(backend: &Backend) {
    let messenger = backend.messenger();
    let mut subscription = subscribe(&messenger, "last").await;
    let message = Message::new(vec![0; 100_000]);
    for round in 0..50_u64 {
        let call = send(&messenger, "a", message.clone());
        let _ = timeout(Duration::from_micros(20 * round), call).await;
    }
    if backend.has_requests {
        let mut asked = subscribe(&messenger, "ask").await;
        assert!(timeout(SOON, ask(&messenger, 1)).await.is_err());
        // Whoever answers too late is told, or nobody takes note.
        let late = next(&mut asked).await.reply.unwrap().send(Message::new("late")).await;
        assert!(matches!(late, Ok(()) | Err(Error::Gone)), "{late:?}");
    }
    send(&messenger, "last", Message::new("x")).await.unwrap();
    assert_eq!(data(&mut subscription).await, b"x");
}

async fn a_request_returns_the_replies_it_wants(backend: &Backend) {
    let messenger = backend.messenger();
    if !backend.has_requests {
        assert!(matches!(ask(&messenger, 1).await, Err(Error::Unsupported(_))));
        return;
    }
    let mut one = subscribe(&messenger, "ask").await;
    let mut two = subscribe(&messenger, "*").await;
    let (replies, ()) = tokio::join!(ask(&messenger, 3), async {
        for (subscription, reply) in [(&mut one, "1"), (&mut two, "2")] {
            let delivery = next(subscription).await;
            assert_eq!((delivery.topic.as_str(), &delivery.message.data[..]), ("ask", &b"?"[..]));
            let way = delivery.reply.unwrap();
            let mut message = Message::new(reply);
            message.content_type = Some("x/y".to_owned());
            message.set("from".into(), reply.into());
            way.send(message).await.unwrap();
            if reply == "1" {
                way.send(Message::new("3")).await.unwrap();
            }
        }
    });
    let mut replies = replies.unwrap();
    replies.sort_by(|one, other| one.data.cmp(&other.data));
    let data: Vec<_> = replies.iter().map(|reply| &reply.data[..]).collect();
    assert_eq!(data, [b"1", b"2", b"3"]);
    assert_eq!(replies[0].content_type.as_deref(), Some("x/y"));
    assert_eq!(replies[0].metadata, [("from".to_owned(), "1".to_owned())]);
    // Two requests at a time get their own replies.
    drop(two);
    let ask = async |text: &'static str| {
        let mut replies = Replies::new(1, 100);
        timeout(LONG, messenger.request(&topic("ask"), &Message::new(text), &mut replies)).await.unwrap().unwrap();
        replies.into_messages()
    };
    let (a, b, ()) = tokio::join!(ask("a"), ask("b"), async {
        let (first, second) = (next(&mut one).await, next(&mut one).await);
        for delivery in [second, first] {
            delivery.reply.unwrap().send(Message::new(delivery.message.data)).await.unwrap();
        }
    });
    assert_eq!((&a[0].data[..], &b[0].data[..]), (&b"a"[..], &b"b"[..]));
}

async fn a_request_ends_without_replies(backend: &Backend) {
    if !backend.has_requests {
        return;
    }
    let messenger = backend.messenger();
    assert!(matches!(ask(&messenger, 1).await, Err(Error::NoResponder(_))), "nobody is subscribed");
    // What came before time was up is kept.
    let mut subscription = subscribe(&messenger, "ask").await;
    let mut replies = Replies::new(2, 100);
    let (name, question) = (topic("ask"), Message::new("?"));
    let request = timeout(Duration::from_millis(500), messenger.request(&name, &question, &mut replies));
    let (over, _silent) = tokio::join!(request, async {
        let reply = next(&mut subscription).await.reply.unwrap();
        reply.send(Message::new("1")).await.unwrap();
        reply
    });
    assert!(over.is_err());
    assert_eq!(replies.into_messages(), [Message::new("1")]);
    // Too much comes.
    let mut replies = Replies::new(1, 3);
    let request = timeout(LONG, messenger.request(&name, &question, &mut replies));
    let (answer, _) =
        tokio::join!(request, async { next(&mut subscription).await.reply.unwrap().send(Message::new("1234")).await });
    assert!(matches!(answer.unwrap(), Err(Error::Refused(Refused::TooLarge { bytes: 4, limit_bytes: 3 }))));
}

async fn what_cannot_be_sent_is_refused_with_a_reason(backend: &Backend) {
    if !backend.has_requests {
        return;
    }
    let messenger = backend.messenger();
    let mut subscription = subscribe(&messenger, "ask").await;
    let (asked, refused) = tokio::join!(ask(&messenger, 1), async {
        let reply = next(&mut subscription).await.reply.unwrap();
        let mut split = Message::new("x");
        split.set("a\r\nb".into(), "c".into());
        let refused = reply.send(split).await;
        reply.send(Message::new("good")).await.unwrap();
        refused
    });
    assert!(matches!(refused, Err(Error::Metadata(_))), "a reply is checked as a message is: {refused:?}");
    assert_eq!(asked.unwrap(), [Message::new("good")]);
}
