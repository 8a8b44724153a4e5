//! What a test puts into stores before it begins, and what it finds there afterwards.
//!
//! In: what a test file gives and asks for. Out: stores that are filled, and values. Next: [`wharf_node::Stores`].

use std::path::Path;
use wharf_node::Stores;
use wharf_telemetry::chain;
use wharf_testing::{Body, Expect, Given, HttpAnswer, Observed};

type Bytes = bytes::Bytes;

/// Bytes of a file that a test names.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Returns what a body is. `beside` is the test file.
pub(crate) fn bytes(body: &Body, beside: &Path) -> Result<Bytes, String> {
    match body {
        Body::Text(text) => Ok(text.clone().into_bytes().into()),
        Body::File(name) => file(name, beside).map(Bytes::from),
    }
}

/// Reads a file that a test names.
pub(crate) fn file(name: &str, beside: &Path) -> Result<Vec<u8>, String> {
    let path = beside.parent().unwrap_or(Path::new("")).join(name);
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let length = std::fs::metadata(&path).map_err(failed)?.len();
    if length > FILE_BYTES_MAX {
        return Err(format!("{} is longer than {} MiB", path.display(), FILE_BYTES_MAX >> 20));
    }
    std::fs::read(&path).map_err(failed)
}

/// Puts into the stores what a test gives.
pub(crate) async fn fill(stores: &Stores<'_>, given: &Given, beside: &Path) -> Result<(), String> {
    let told = |error: wharf_node::StateError| chain(&error);
    for one in &given.keyvalue {
        stores.set_key(&one.label, &one.key, bytes(&one.value, beside)?).await.map_err(told)?;
    }
    for one in &given.blob {
        let body = bytes(&one.body, beside)?;
        stores.set_blob(&one.label, one.container.as_deref(), &one.name, body).await.map_err(told)?;
    }
    for one in &given.sql {
        for statement in &one.statements {
            let done = stores.execute(&one.label, statement).await;
            done.map_err(|error| format!("{}\nin given.sql: {statement}", told(error)))?;
        }
    }
    Ok(())
}

/// Returns the answers of servers that a test gives, with their bodies.
pub(crate) fn answers(given: &Given, beside: &Path) -> Result<Vec<(HttpAnswer, Bytes)>, String> {
    given.http.iter().map(|answer| Ok((answer.clone(), bytes(&answer.body, beside)?))).collect()
}

/// Looks up what a test asks for.
pub(crate) async fn look(
    stores: &Stores<'_>,
    expect: &Expect,
    beside: &Path,
    observed: &mut Observed,
) -> Result<(), String> {
    let told = |error: wharf_node::StateError| chain(&error);
    for (label, key, _) in &expect.keyvalue {
        let value = stores.key(label, key).await.map_err(told)?;
        observed.keyvalue.insert((label.clone(), key.clone()), value.map(|value| value.to_vec()));
    }
    for (label, name, _) in &expect.blob {
        // `CONTAINER/NAME`, unless the label's own container has the whole name.
        let own = stores.blob(label, None, name).await.map_err(told)?;
        let found = match (own, name.split_once('/')) {
            (None, Some((container, name))) => stores.blob(label, Some(container), name).await.map_err(told)?,
            (own, _) => own,
        };
        observed.blob.insert((label.clone(), name.clone()), found.map(|bytes| bytes.to_vec()));
    }
    for (label, query, _) in &expect.sql {
        let rows = stores.query(label, query).await;
        let rows = rows.map_err(|error| format!("{}\nin expect.sql: {query}", told(error)))?;
        observed.sql.insert((label.clone(), query.clone()), rows);
    }
    if let Some(name) = &expect.body_file {
        observed.body_file = Some(file(name, beside)?);
    }
    Ok(())
}
