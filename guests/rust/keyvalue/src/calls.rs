//! What each path does. An error is `denied`, or what the store said.

use crate::wasi::{keyvalue0_2_0_draft as v1, keyvalue0_2_0_draft2 as v2};

type Answer = Result<Option<Vec<u8>>, String>;

/// What a path answers that only does something.
const DONE: &[u8] = b"done\n";

fn failed_v1(error: v1::store::Error) -> String {
    match error {
        v1::store::Error::AccessDenied => "denied".to_owned(),
        v1::store::Error::NoSuchStore => "no such store".to_owned(),
        v1::store::Error::Other(text) => text,
    }
}

fn failed_v2(error: v2::store::Error) -> String {
    match error {
        v2::store::Error::AccessDenied => "denied".to_owned(),
        v2::store::Error::NoSuchStore => "no such store".to_owned(),
        v2::store::Error::Other(text) => text,
    }
}

// === One key ===

pub(crate) fn get_v1(label: &str, key: &str) -> Answer {
    v1::store::open(label).and_then(|bucket| bucket.get(key)).map_err(failed_v1)
}

pub(crate) fn set_v1(label: &str, key: &str, value: &[u8]) -> Answer {
    let bucket = v1::store::open(label).map_err(failed_v1)?;
    bucket.set(key, value).map_err(failed_v1)?;
    Ok(Some(DONE.to_vec()))
}

pub(crate) fn delete_v1(label: &str, key: &str) -> Answer {
    let bucket = v1::store::open(label).map_err(failed_v1)?;
    bucket.delete(key).map_err(failed_v1)?;
    if bucket.exists(key).map_err(failed_v1)? { Err("it is still there".to_owned()) } else { Ok(Some(DONE.to_vec())) }
}

pub(crate) fn get_v2(label: &str, key: &str) -> Answer {
    v2::store::open(label).and_then(|bucket| bucket.get(key)).map_err(failed_v2)
}

pub(crate) fn set_v2(label: &str, key: &str, value: &[u8]) -> Answer {
    let bucket = v2::store::open(label).map_err(failed_v2)?;
    bucket.set(key, value).map_err(failed_v2)?;
    Ok(Some(DONE.to_vec()))
}

pub(crate) fn delete_v2(label: &str, key: &str) -> Answer {
    let bucket = v2::store::open(label).map_err(failed_v2)?;
    bucket.delete(key).map_err(failed_v2)?;
    if bucket.exists(key).map_err(failed_v2)? { Err("it is still there".to_owned()) } else { Ok(Some(DONE.to_vec())) }
}

// === Numbers, listings, swaps, batches ===

pub(crate) fn increment(label: &str, key: &str, by: i64) -> Answer {
    let sum = v2::store::open(label).and_then(|bucket| v2::atomics::increment(&bucket, key, by));
    Ok(Some(format!("{}\n", sum.map_err(failed_v2)?).into_bytes()))
}

/// Lists all pages, and says how many keys each version found.
pub(crate) fn keys(label: &str) -> Answer {
    let bucket = v2::store::open(label).map_err(failed_v2)?;
    let mut keys = Vec::new();
    let mut cursor = None;
    loop {
        let page = bucket.list_keys(cursor.as_deref()).map_err(failed_v2)?;
        keys.extend(page.keys);
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    let bucket = v1::store::open(label).map_err(failed_v1)?;
    let (mut count, mut cursor) = (0, None);
    loop {
        let page = bucket.list_keys(cursor).map_err(failed_v1)?;
        count += page.keys.len();
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    keys.sort_unstable();
    Ok(Some(format!("{} {count}\n{}\n", keys.len(), keys.join("\n")).into_bytes()))
}

/// Makes a value longer, however many others do so at the same time, and says how often it had to try.
pub(crate) fn append(label: &str, key: &str, more: &[u8]) -> Answer {
    let bucket = v2::store::open(label).map_err(failed_v2)?;
    let mut cas = v2::atomics::Cas::new(&bucket, key).map_err(failed_v2)?;
    for attempt in 1.. {
        let value = cas.current().map_err(failed_v2)?.unwrap_or_default();
        match v2::atomics::swap(cas, &[&value, more].concat()) {
            Ok(()) => return Ok(Some(format!("{attempt}\n").into_bytes())),
            Err(v2::atomics::CasError::CasFailed(newer)) => cas = newer,
            Err(v2::atomics::CasError::StoreError(error)) => return Err(failed_v2(error)),
        }
    }
    Ok(None)
}

/// Sets so many keys, reads them and one that is not there in both versions, removes them, and says what was read.
pub(crate) fn batch(label: &str, count: u64) -> Answer {
    let (one, two) = (v1::store::open(label).map_err(failed_v1)?, v2::store::open(label).map_err(failed_v2)?);
    let pairs: Vec<(String, Vec<u8>)> =
        (0..count).map(|number| (format!("batch-{number}"), number.to_string().into_bytes())).collect();
    v1::batch::set_many(&one, &pairs).map_err(failed_v1)?;
    let mut keys: Vec<String> = pairs.iter().map(|(key, _)| key.clone()).collect();
    keys.push("absent".to_owned());
    let first = v1::batch::get_many(&one, &keys).map_err(failed_v1)?;
    let second = v2::batch::get_many(&two, &keys).map_err(failed_v2)?;
    let as_first = second.into_iter().map(|(key, value)| Some((key, value?)));
    let is_same = first.iter().cloned().eq(as_first);
    let is_right = first.iter().flatten().eq(&pairs) && first.last() == Some(&None);
    v2::batch::delete_many(&two, &keys).map_err(failed_v2)?;
    let rest = v1::batch::get_many(&one, &keys).map_err(failed_v1)?.into_iter().flatten().count();
    Ok(Some(format!("same {is_same}, right {is_right}, rest {rest}\n").into_bytes()))
}
