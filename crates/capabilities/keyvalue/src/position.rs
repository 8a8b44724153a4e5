//! The order of listings: where a key stands, as a number that fits into every interface's cursor.
//!
//! A cursor of `wasi:keyvalue` 0.2.0-draft is 64 bits and has to stay good while keys come and go, on another instance and another node.
//! So keys stand by their hash: the next page begins after a hash, and nothing has to be remembered.

use crate::api::{Cursor, Key, PAGE_KEYS, Page};

/// Returns where a key stands. Embedded backends keep it on disk: it never changes. Two keys at one place are as rare as a collision of
/// 64 bits, and whoever finds some on purpose has a page that is longer by so many.
pub(crate) fn position(key: &Key) -> u64 {
    let hash = blake3::hash(key.as_str().as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_be_bytes(bytes)
}

/// Returns a page of keys that come in the order of their places, all after that of a cursor.
pub(crate) fn page<E>(keys: impl Iterator<Item = Result<(u64, Key), E>>) -> Result<Page, E> {
    let mut page = Page::default();
    let mut last = None;
    for key in keys {
        let (position, key) = key?;
        // A page ends between two places, never within one.
        if page.keys.len() >= PAGE_KEYS && last != Some(position) {
            page.next = last.map(Cursor);
            break;
        }
        last = Some(position);
        page.keys.push(key);
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn key(number: u64) -> Key {
        Key::new(format!("key-{number}")).unwrap()
    }

    #[test]
    fn the_place_of_a_key_is_the_same_for_ever() {
        assert_eq!(position(&Key::new("a").unwrap()), 0x1776_2fdd_d969_a453);
    }

    #[test]
    fn a_page_ends_between_two_places() {
        let keys = (0..PAGE_KEYS as u64 + 10)
            .map(|number| Ok::<_, Infallible>((number.min(PAGE_KEYS as u64 - 2), key(number))));
        let Ok(all) = page(keys);
        assert_eq!((all.keys.len(), all.next), (PAGE_KEYS + 10, None));
        let keys = (0..PAGE_KEYS as u64 + 1).map(|number| Ok::<_, Infallible>((number, key(number))));
        let Ok(first) = page(keys);
        assert_eq!((first.keys.len(), first.next), (PAGE_KEYS, Some(Cursor(PAGE_KEYS as u64 - 1))));
        let Ok(exact) = page((0..PAGE_KEYS as u64).map(|number| Ok::<_, Infallible>((number, key(number)))));
        assert_eq!((exact.keys.len(), exact.next), (PAGE_KEYS, None));
    }
}
