//! What is in the stores of an app on trial: put there before a test, looked at after it.
//!
//! In: labels and names. Out: bytes and rows. Next: the backends, past grants and gates; a test sees all that there is.

use crate::backends::Backends;
use bytes::Bytes;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use wharf_app::{App, Grants, LabelGrant};
use wharf_blobstore::api::{ByteRange, ContainerName, ObjectId, ObjectName};
use wharf_kit::{Bindings, BoundsOverride};
use wharf_sql::{Call, Database, Statement, Value};
use wharf_telemetry::clock;

/// Time of one call.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of one value.
const VALUE_BYTES: usize = 256 << 20;

/// Rows that a query of a test returns.
const ROWS_MAX: usize = 10_000;

/// Looks into the stores of an app.
pub struct State<'a> {
    app: &'a App,
    backends: &'a Backends,
}

/// Why a store cannot be looked into.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// No component has the label.
    #[error("no component of the app is granted {capability} `{label}`; granted are: {}", list(.granted))]
    NotGranted {
        /// The capability.
        capability: &'static str,
        /// The label.
        label: String,
        /// Those that are granted.
        granted: BTreeSet<String>,
    },
    /// The store does not do it.
    #[error("{capability} `{label}`")]
    Store {
        /// The capability.
        capability: &'static str,
        /// The label.
        label: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn list(granted: &BTreeSet<String>) -> String {
    if granted.is_empty() {
        return "none".to_owned();
    }
    granted.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ")
}

type Labels = fn(&Grants) -> &Vec<LabelGrant>;

impl<'a> State<'a> {
    pub(super) fn new(app: &'a App, backends: &'a Backends) -> Self {
        Self { app, backends }
    }

    /// Sets a key.
    ///
    /// # Errors
    /// See [`StateError`].
    pub async fn set_key(&self, label: &str, key: &str, value: Bytes) -> Result<(), StateError> {
        let (store, at) = self.keyvalue(label)?;
        let key = wharf_keyvalue::Key::new(key).map_err(|error| at.failed(error))?;
        store.set(&key, value).await.map_err(|error| at.failed(error))
    }

    /// Returns the value of a key.
    ///
    /// # Errors
    /// See [`StateError`].
    pub async fn key(&self, label: &str, key: &str) -> Result<Option<Bytes>, StateError> {
        let (store, at) = self.keyvalue(label)?;
        let key = wharf_keyvalue::Key::new(key).map_err(|error| at.failed(error))?;
        store.get(&key, VALUE_BYTES).await.map_err(|error| at.failed(error))
    }

    /// Writes an object; `name` may begin with `CONTAINER/` where `container` says so.
    ///
    /// # Errors
    /// See [`StateError`].
    pub async fn set_blob(
        &self,
        label: &str,
        container: Option<&str>,
        name: &str,
        bytes: Bytes,
    ) -> Result<(), StateError> {
        let (store, at) = self.blobstore(label)?;
        let object = object(container, name).map_err(|error| at.failed(error))?;
        let write = async {
            store.create(&object.container).await?;
            let mut upload = store.write(&object).await?;
            upload.write(bytes).await?;
            upload.finish().await
        };
        write.await.map_err(|error| at.failed(error))
    }

    /// Returns an object.
    ///
    /// # Errors
    /// See [`StateError`].
    pub async fn blob(&self, label: &str, container: Option<&str>, name: &str) -> Result<Option<Bytes>, StateError> {
        let (store, at) = self.blobstore(label)?;
        let object = object(container, name).map_err(|error| at.failed(error))?;
        let mut download = match store.read(&object, ByteRange::ALL).await {
            Err(wharf_blobstore::Error::NoObject(_) | wharf_blobstore::Error::NoContainer) => return Ok(None),
            read => read.map_err(|error| at.failed(error))?,
        };
        let mut bytes = Vec::new();
        while let Some(piece) = download.read().await.map_err(|error| at.failed(error))? {
            bytes.extend_from_slice(&piece);
        }
        Ok(Some(bytes.into()))
    }

    /// Runs a statement that returns nothing.
    ///
    /// # Errors
    /// See [`StateError`].
    pub async fn execute(&self, label: &str, sql: &str) -> Result<(), StateError> {
        let (database, at) = self.sql(label)?;
        let statement = Statement { sql: sql.to_owned(), params: Vec::new() };
        database.execute(statement, call()).await.map(drop).map_err(|error| at.failed(error))
    }

    /// Runs a query and returns its rows.
    ///
    /// # Errors
    /// See [`StateError`].
    pub async fn query(&self, label: &str, sql: &str) -> Result<Vec<Vec<Json>>, StateError> {
        let (database, at) = self.sql(label)?;
        let statement = Statement { sql: sql.to_owned(), params: Vec::new() };
        let mut results = database.query(statement, call()).await.map_err(|error| at.failed(error))?;
        let mut rows = Vec::new();
        loop {
            let page = results.next(ROWS_MAX, call()).await.map_err(|error| at.failed(error))?;
            if page.is_empty() || rows.len() >= ROWS_MAX {
                return Ok(rows);
            }
            rows.extend(page.into_iter().map(|wharf_sql::Row(values)| values.iter().map(json).collect()));
        }
    }

    fn keyvalue(&self, label: &str) -> Found<dyn wharf_keyvalue::Store> {
        self.find(self.backends.keyvalue_bindings(), label, |grants| &grants.keyvalue)
    }

    fn blobstore(&self, label: &str) -> Found<dyn wharf_blobstore::Store> {
        self.find(self.backends.blobstore_bindings(), label, |grants| &grants.blobstore)
    }

    fn sql(&self, label: &str) -> Found<dyn Database> {
        self.find(self.backends.sql_bindings(), label, |grants| &grants.sql)
    }

    fn find<S: ?Sized + 'static>(&self, bindings: &Bindings<S>, label: &str, labels: Labels) -> Found<S> {
        let capability = bindings.capability();
        let all = self.app.components.iter().flat_map(|component| labels(&component.grants));
        let granted: BTreeSet<String> = all.map(|grant| grant.label.clone()).collect();
        if !granted.contains(label) {
            return Err(StateError::NotGranted { capability, label: label.to_owned(), granted });
        }
        let at = At { capability, label: label.to_owned() };
        // The app holds its stores, so this is the one that its components have.
        match bindings.bind(&self.app.name, label, BoundsOverride::default()) {
            Ok(bound) => Ok((bound.store, at)),
            Err(error) => Err(at.failed(error)),
        }
    }
}

/// A store, and what it is called.
type Found<S> = Result<(Arc<S>, At), StateError>;

pub(super) struct At {
    pub(super) capability: &'static str,
    pub(super) label: String,
}

impl At {
    pub(super) fn failed(&self, source: impl std::error::Error + Send + Sync + 'static) -> StateError {
        StateError::Store { capability: self.capability, label: self.label.clone(), source: Box::new(source) }
    }
}

fn object(container: Option<&str>, name: &str) -> Result<ObjectId, wharf_blobstore::Error> {
    let container = container.map_or_else(|| Ok(ContainerName::root()), ContainerName::new)?;
    Ok(ObjectId { container, name: ObjectName::new(name)? })
}

fn call() -> Call {
    Call { timeout: PATIENCE, deadline: clock::now() + PATIENCE, read_only: false, size_bytes: VALUE_BYTES }
}

/// Returns a value as a test file writes it: what JSON does not have, as the text that SQL has for it.
fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Int64(value) => (*value).into(),
        Value::Float64(value) => serde_json::Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::Decimal(text) | Value::Text(text) => Json::String(text.clone()),
        Value::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone())),
        Value::Bytes(bytes) => Json::String(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        Value::Date(date) => Json::String(date.to_string()),
        Value::Time(time) => Json::String(time.to_string()),
        Value::Timestamp(timestamp) => Json::String(timestamp.to_string()),
        Value::Instant(instant) => Json::String(format!("{}.{:06}", instant.seconds, instant.microseconds)),
        Value::Uuid(uuid) => Json::String(format!("{uuid:032x}")),
    }
}
