//! Any two keys of any two namespaces: what they are called in a server leads back to them, and never to another one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wharf_kit::{Namespace, check_label};

use api::Key;
use names::{nats_bucket, nats_key, nats_name, redis_key, redis_name, redis_pattern, redis_prefix};

#[rustfmt::skip]
#[path = "../../crates/capabilities/keyvalue/src/api.rs"]
#[allow(dead_code, reason = "only keys matter here")]
mod api;
#[rustfmt::skip]
#[path = "../../crates/capabilities/keyvalue/src/backend/names.rs"]
mod names;

/// Bytes that NATS reads as one line, less what stands around a name in it.
const NATS_NAME_LEN_MAX: usize = 4096 - 256;

fuzz_target!(|bytes: &[u8]| {
    check_foreign(bytes);
    let Ok(text) = str::from_utf8(bytes) else { return };
    // Two namespaces, each an app and a label, and two keys, of which the last one may have every character.
    let parts: Vec<&str> = text.splitn(6, '\n').collect();
    let [app, label, other_app, other_label, key, other_key] = parts[..] else { return };
    let (Some(one), Some(other)) = (namespace(app, label), namespace(other_app, other_label)) else { return };
    let (Ok(key), Ok(other_key)) = (Key::new(key), Key::new(other_key)) else { return };
    check_redis((&one, &key), (&other, &other_key));
    check_nats((&one, &key), (&other, &other_key));
});

/// An app with an empty name stands for a namespace that an operator named.
fn namespace(app: &str, label: &str) -> Option<Namespace> {
    check_label(label).ok()?;
    let is_app = app.starts_with(|c: char| c.is_ascii_lowercase())
        && app.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && app.len() <= 63;
    match app {
        "" => Some(Namespace::shared(label)),
        _ => is_app.then(|| Namespace::own(app, label)),
    }
}

/// What another program wrote into the server.
fn check_foreign(bytes: &[u8]) {
    let prefix = redis_prefix(&Namespace::own("shop", "carts"));
    if let Some(key) = redis_key(&prefix, bytes) {
        assert_eq!(redis_name(&prefix, &key).as_bytes(), bytes);
    }
    if let Ok(name) = str::from_utf8(bytes)
        && let Some(key) = nats_key(name)
    {
        assert_eq!(nats_name(&key), name, "one key has one name");
    }
}

fn check_redis((one, key): (&Namespace, &Key), (other, other_key): (&Namespace, &Key)) {
    let (prefix, other_prefix) = (redis_prefix(one), redis_prefix(other));
    let (name, other_name) = (redis_name(&prefix, key), redis_name(&other_prefix, other_key));
    assert_eq!(redis_key(&prefix, name.as_bytes()).as_ref(), Some(key));
    assert_eq!(redis_key(&other_prefix, name.as_bytes()).is_some(), one == other, "{name:?} in {other_prefix:?}");
    assert_eq!(name == other_name, one == other && key == other_key);
    assert!(fits(&redis_pattern(&prefix), &name));
    assert_eq!(fits(&redis_pattern(key.as_str()), other_key.as_str()), other_key.as_str().starts_with(key.as_str()));
}

/// The part of Redis's patterns that ours are made of.
fn fits(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    loop {
        match pattern.next() {
            Some('*') => return pattern.next().is_none(),
            Some('?' | '[' | ']') | None => return false,
            Some(plain) => {
                let plain = if plain == '\\' { pattern.next() } else { Some(plain) };
                if plain.is_none() || plain != text.next() {
                    return false;
                }
            }
        }
    }
}

fn check_nats((one, key): (&Namespace, &Key), (other, other_key): (&Namespace, &Key)) {
    let (bucket, other_bucket) = (nats_bucket(one), nats_bucket(other));
    assert_eq!(bucket == other_bucket, one == other);
    let (name, other_name) = (nats_name(key), nats_name(other_key));
    assert_eq!(name == other_name, key == other_key);
    assert_eq!(nats_key(&name).as_ref(), Some(key));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_/=".contains(c);
    assert!(!name.is_empty() && name.len() <= NATS_NAME_LEN_MAX && name.chars().all(is_plain), "{name:?}");
    assert!(bucket.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{bucket:?}");
}
