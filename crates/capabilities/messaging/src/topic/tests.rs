//! Topics as guests may write them, as values.

use super::*;
use proptest::prelude::*;

fn topic(text: &str) -> Topic {
    Topic::new(text).unwrap()
}

#[test]
fn a_topic_has_parts_and_nothing_that_a_server_would_read() {
    for good in ["a", "orders.created", "a.b.c", "Orders-2024_x", "a.$x", "a._b", "a:b;c=d\"'\\{}", &"x".repeat(255)] {
        assert!(Topic::new(good).is_ok(), "{good:?}");
    }
    let bad = [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "*",
        "a.*",
        "a*",
        ">",
        "a.>",
        "a>b",
        "+",
        "a.+",
        "#",
        "a#",
        "a b",
        " a",
        "a\n",
        "a\r\nPUB b 0",
        "a\tb",
        "a\0",
        "a/b",
        "/",
        "$SYS.x",
        "$JS.API.STREAM.DELETE.x",
        "_INBOX.x",
        "ä",
        "a\u{7f}",
        "a\u{200b}b",
        &"x".repeat(256),
    ];
    for bad in bad {
        assert!(Topic::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_filter_fits_whole_parts() {
    let fits = |filter: &str, text: &str| Filter::new(filter).unwrap().matches(&topic(text));
    for (filter, text) in [
        ("a.b", "a.b"),
        ("a.*", "a.b"),
        ("*.b", "a.b"),
        ("*", "a"),
        (">", "a"),
        (">", "a.b.c"),
        ("a.>", "a.b"),
        ("a.>", "a.b.c"),
        ("a.*.>", "a.b.c"),
    ] {
        assert!(fits(filter, text), "{filter} {text}");
    }
    for (filter, text) in [
        ("a.b", "a.b.c"),
        ("a.b.c", "a.b"),
        ("a.*", "a"),
        ("a.*", "a.b.c"),
        ("a.>", "a"),
        ("*", "a.b"),
        ("a.*.>", "a.b"),
        ("a", "ab"),
    ] {
        assert!(!fits(filter, text), "{filter} {text}");
    }
    for bad in
        ["", "a.>.b", ">.a", "a>", "a.b>", "a*", "*a.b", "a..b", "a.", "+", "#", "a b", "$SYS.>", "_INBOX.>", "a/>"]
    {
        assert!(Filter::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn an_operator_shares_by_a_prefix_or_a_namespace() {
    let own = Namespace::own("shop", "orders");
    let subject = |setting: Option<&str>, namespace: &Namespace| {
        Prefix::new(setting, namespace)
            .map(|prefix| prefix.subject(&topic("created")))
            .map_err(|error| error.to_string())
    };
    assert_eq!(subject(None, &own).as_deref(), Ok("shop.orders.created"));
    assert_eq!(subject(Some(""), &own).as_deref(), Ok("created"));
    assert_eq!(subject(Some("acme.events"), &own).as_deref(), Ok("acme.events.created"));
    assert_eq!(subject(None, &Namespace::shared("events")).as_deref(), Ok("_shared.events.created"));
    for bad in [".", "a.", "a.*", ">", "$SYS", "_INBOX", "a b", "a/b"] {
        assert!(subject(Some(bad), &own).is_err(), "{bad}");
    }
}

/// Texts of characters that some server gives a meaning.
fn hostile() -> impl Strategy<Value = String> {
    let characters =
        vec!['a', 'b', '.', '.', '/', '*', '>', '+', '#', '$', '_', '-', ' ', '\n', '\r', '\0', '%', '\\', 'ä'];
    prop::collection::vec(prop::sample::select(characters), 0..24).prop_map(|parts| parts.into_iter().collect())
}

fn label() -> impl Strategy<Value = String> {
    "[a-c][a-c_-]{0,3}"
}

proptest! {
    #[test]
    fn no_topic_leaves_its_namespace(text in hostile(), apps in (label(), label()), labels in (label(), label())) {
        let one = Namespace::own(&apps.0, &labels.0);
        let Ok(topic) = Topic::new(text.as_str()) else { return Ok(()) };
        let prefix = Prefix::new(None, &one).unwrap();
        let subject = prefix.subject(&topic);
        let parts: Vec<&str> = subject.split('.').collect();
        prop_assert_eq!(&parts[..2], &[apps.0.as_str(), labels.0.as_str()]);
        prop_assert!(parts.iter().all(|part| !part.is_empty()));
        prop_assert!(!subject.contains(['*', '>', '+', '#', '/', ' ', '\n', '\r', '\0']));
        prop_assert_eq!(prefix.topic(&subject), Some(topic.clone()));
        for other in [Namespace::own(&apps.1, &labels.1), Namespace::shared(&labels.1), Namespace::shared(&labels.0)] {
            let found = Prefix::new(None, &other).unwrap().topic(&subject);
            prop_assert_eq!(found, (other == one).then(|| topic.clone()));
        }
    }

    #[test]
    fn every_topic_fits_itself_and_everything(text in "[a-z]{1,3}(\\.[a-z$_]{1,3}){0,4}") {
        let topic = topic(&text);
        prop_assert!(Filter::new(text.as_str()).unwrap().matches(&topic));
        prop_assert!(Filter::new(">").unwrap().matches(&topic));
        let stars = text.split('.').map(|_| "*").collect::<Vec<_>>().join(".");
        prop_assert!(Filter::new(stars).unwrap().matches(&topic));
    }
}
