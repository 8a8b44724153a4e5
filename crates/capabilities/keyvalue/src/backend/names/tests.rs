use super::*;
use proptest::prelude::*;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

#[test]
fn plain_keys_are_readable_in_nats() {
    for (text, name) in [
        ("user/1", "user/1"),
        ("a.b", "a=2Eb"),
        ("*", "=2A"),
        (">", "=3E"),
        ("=41", "=3D41"),
        ("ä", "=C3=A4"),
        ("a b\n\0", "a=20b=0A=00"),
        ("..", "=2E=2E"),
    ] {
        assert_eq!(nats_name(&key(text)), name);
        assert_eq!(nats_key(name), Some(key(text)));
    }
}

#[test]
fn a_name_that_we_did_not_write_is_no_key() {
    for name in ["", "=41", "=2e", "=", "=4", "=GG", "=FF", "a.b", "=C3", &"a".repeat(513)] {
        assert_eq!(nats_key(name), None, "{name}");
    }
}

#[test]
fn the_longest_key_fits_into_a_line_of_nats() {
    let longest = nats_name(&key(&"ä".repeat(256)));
    let bucket = nats_bucket(&Namespace::own(&"a".repeat(63), &"b".repeat(63)));
    assert!(format!("$KV.{bucket}.{longest}").len() + "PUB _INBOX. 1048576\r\n".len() + 64 < 4096);
}

#[test]
fn a_pattern_fits_only_what_begins_with_the_text() {
    assert_eq!(redis_pattern("shop:a-b_1:"), "shop:a-b_1:*");
    assert_eq!(redis_pattern(r"a*?[x]\"), r"a\*\?\[x\]\\*");
}

fn name() -> impl Strategy<Value = String> {
    "[a-z]([a-z0-9-]{0,6}[a-z0-9])?"
}

fn namespace() -> impl Strategy<Value = Namespace> {
    let label = "[a-z][a-z0-9_-]{0,6}";
    prop_oneof![
        (name(), label).prop_map(|(app, label)| Namespace::own(&app, &label)),
        label.prop_map(|label| Namespace::shared(&label)),
        // Names that look like what stands between the parts.
        Just(Namespace::own("a", "label-b")),
        Just(Namespace::own("a-label", "b")),
        Just(Namespace::shared("a")),
    ]
}

/// Keys that look like parts of names, among others.
fn any_key() -> impl Strategy<Value = Key> {
    let parts = prop_oneof![
        Just(":".to_owned()),
        Just("a".to_owned()),
        Just("*".to_owned()),
        Just("=".to_owned()),
        Just("..".to_owned()),
        Just("/".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(parts, 1..20).prop_map(|parts| key(&parts.concat()))
}

proptest! {
    #[test]
    fn two_keys_never_have_one_name(one in namespace(), other in namespace(), a in any_key(), b in any_key()) {
        let is_same = one == other && a == b;
        let redis = |namespace, key| redis_name(&redis_prefix(namespace), key);
        prop_assert_eq!(redis(&one, &a) == redis(&other, &b), is_same);
        let nats = |namespace, key| format!("{}.{}", nats_bucket(namespace), nats_name(key));
        prop_assert_eq!(nats(&one, &a) == nats(&other, &b), is_same);
    }

    #[test]
    fn a_name_leads_back_to_its_key_and_only_in_its_namespace(one in namespace(), other in namespace(), key in any_key()) {
        let (prefix, foreign) = (redis_prefix(&one), redis_prefix(&other));
        let name = redis_name(&prefix, &key);
        prop_assert_eq!(redis_key(&prefix, name.as_bytes()), Some(key.clone()));
        prop_assert_eq!(redis_key(&foreign, name.as_bytes()).is_some(), one == other);
        prop_assert_eq!(nats_key(&nats_name(&key)), Some(key));
    }

    #[test]
    fn names_in_nats_are_one_plain_word(key in any_key(), namespace in namespace()) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_/=".contains(c);
        prop_assert!(nats_name(&key).chars().all(allowed));
        prop_assert!(nats_bucket(&namespace).chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
    }

    #[test]
    fn reading_names_never_fails_badly(name in ".*", bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Some(key) = nats_key(&name) {
            prop_assert_eq!(nats_name(&key), name);
        }
        redis_key("a:b:", &bytes);
    }
}
