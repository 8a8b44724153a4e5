//! A test file as TOML has it: every key, and of which type its value is. What a value means is checked in [`crate::read`].

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::{Spanned, Value};

/// A text, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
pub(crate) enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl From<Texts> for Vec<String> {
    fn from(texts: Texts) -> Self {
        match texts {
            Texts::One(text) => vec![text],
            Texts::Many(texts) => texts,
        }
    }
}

/// Whether something is there, or what it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a text, or `true` for any, or `false` for none")]
pub(crate) enum Presence {
    Is(bool),
    Text(String),
}

type Texted = BTreeMap<String, String>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct File {
    pub(crate) settings: Settings,
    pub(crate) given: Given,
    pub(crate) fault: Vec<Fault>,
    pub(crate) test: Vec<Spanned<Test>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Settings {
    pub(crate) variables: Texted,
    pub(crate) secrets: Texted,
    pub(crate) clock: Option<Spanned<Value>>,
    pub(crate) seed: Option<u64>,
    pub(crate) timeout: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Given {
    pub(crate) keyvalue: Vec<Key>,
    pub(crate) blob: Vec<Blob>,
    pub(crate) sql: Vec<Sql>,
    pub(crate) http: Vec<Http>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Key {
    pub(crate) label: Option<String>,
    pub(crate) key: String,
    pub(crate) value: Option<String>,
    pub(crate) value_json: Option<Value>,
    pub(crate) file: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Blob {
    pub(crate) label: Option<String>,
    pub(crate) container: Option<String>,
    pub(crate) name: String,
    pub(crate) body: Option<String>,
    pub(crate) file: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Sql {
    pub(crate) label: Option<String>,
    pub(crate) statements: Texts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Http {
    pub(crate) request: HttpRequest,
    pub(crate) response: HttpResponse,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct HttpRequest {
    pub(crate) method: Option<Spanned<String>>,
    pub(crate) url: Spanned<String>,
    #[serde(default)]
    pub(crate) body_contains: Texts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct HttpResponse {
    pub(crate) status: Option<Spanned<u16>>,
    pub(crate) headers: BTreeMap<Spanned<String>, Texts>,
    pub(crate) body: Option<String>,
    pub(crate) body_json: Option<Value>,
    pub(crate) file: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Fault {
    pub(crate) call: Spanned<String>,
    pub(crate) label: Option<String>,
    pub(crate) url: Option<Spanned<String>>,
    pub(crate) nth: Option<Spanned<u64>>,
    pub(crate) error: Option<Spanned<String>>,
    pub(crate) delay: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Test {
    pub(crate) name: Spanned<String>,
    #[serde(default)]
    pub(crate) settings: Settings,
    #[serde(default)]
    pub(crate) given: Given,
    #[serde(default)]
    pub(crate) fault: Vec<Fault>,
    pub(crate) component: Option<String>,
    pub(crate) request: Option<Request>,
    pub(crate) call: Option<Spanned<String>>,
    pub(crate) run: Option<Vec<String>>,
    pub(crate) advance: Option<Spanned<String>>,
    pub(crate) steps: Option<Vec<Spanned<Step>>>,
    pub(crate) expect: Option<Expect>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Step {
    pub(crate) name: Option<String>,
    pub(crate) component: Option<String>,
    pub(crate) request: Option<Request>,
    pub(crate) call: Option<Spanned<String>>,
    pub(crate) run: Option<Vec<String>>,
    pub(crate) advance: Option<Spanned<String>>,
    pub(crate) expect: Option<Expect>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Request {
    pub(crate) method: Option<Spanned<String>>,
    pub(crate) path: Option<Spanned<String>>,
    pub(crate) host: Option<Spanned<String>>,
    pub(crate) headers: BTreeMap<Spanned<String>, Texts>,
    pub(crate) body: Option<String>,
    pub(crate) body_json: Option<Value>,
    pub(crate) body_file: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Expect {
    pub(crate) status: Option<Spanned<u16>>,
    pub(crate) headers: BTreeMap<String, Presence>,
    pub(crate) body: Option<String>,
    pub(crate) body_file: Option<String>,
    pub(crate) body_contains: Texts,
    pub(crate) body_matches: Option<Spanned<String>>,
    pub(crate) body_json: Option<Value>,
    pub(crate) json_path: BTreeMap<Spanned<String>, Value>,
    pub(crate) stdout: Option<String>,
    pub(crate) stdout_contains: Texts,
    pub(crate) exit: Option<i32>,
    pub(crate) result: Option<String>,
    pub(crate) log_contains: Texts,
    pub(crate) trap: Option<String>,
    pub(crate) keyvalue: BTreeMap<String, BTreeMap<String, Presence>>,
    pub(crate) blob: BTreeMap<String, BTreeMap<String, Presence>>,
    pub(crate) sql: Vec<Query>,
    pub(crate) http_requests: Option<Vec<Sent>>,
    pub(crate) messages: Option<Vec<Message>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Query {
    pub(crate) label: Option<String>,
    pub(crate) query: String,
    pub(crate) rows: Vec<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Sent {
    pub(crate) method: Option<String>,
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Presence>,
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) body_contains: Texts,
    pub(crate) body_json: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Message {
    pub(crate) label: Option<String>,
    pub(crate) topic: String,
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) body_contains: Texts,
    pub(crate) body_json: Option<Value>,
}
