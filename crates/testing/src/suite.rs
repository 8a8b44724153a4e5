//! What a test file says, checked.

use crate::expect::Expect;
use std::collections::BTreeMap;
use std::time::Duration;
use wharf_app::Span;

/// A test file.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// In the order of the file. At least one.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name; unique in the file.
    pub name: String,
    /// Where the file has its name.
    pub span: Span,
    /// Its place among the tests of the file.
    pub index: usize,
    /// Those of the file, and its own before them.
    pub settings: Settings,
    /// What is there before it begins: of the file, then its own.
    pub given: Given,
    /// Which calls fail or are slow: its own, then those of the file.
    pub faults: Vec<Fault>,
    /// What happens, in this order. At least one.
    pub steps: Vec<Step>,
    /// What holds after the last step, of a test with `steps`.
    pub expect: Option<Expect>,
    /// Whether it is written as `steps`.
    pub has_steps: bool,
}

/// How an app is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Values of variables.
    pub variables: BTreeMap<String, String>,
    /// Values of secrets.
    pub secrets: BTreeMap<String, String>,
    /// What the wall clock says at the start, since 1970.
    pub clock: Option<Duration>,
    /// What random numbers come of.
    pub seed: Option<u64>,
    /// How long a test may take, in real time.
    pub timeout: Option<Duration>,
}

/// What is there before a test begins.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Keys and values.
    pub keyvalue: Vec<Key>,
    /// Objects.
    pub blob: Vec<Blob>,
    /// Statements.
    pub sql: Vec<Sql>,
    /// What servers answer.
    pub http: Vec<HttpAnswer>,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The label.
    pub label: String,
    /// The key.
    pub key: String,
    /// The value.
    pub value: Body,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The label.
    pub label: String,
    /// A container within the label; absent for the label's own.
    pub container: Option<String>,
    /// The name.
    pub name: String,
    /// What is in it.
    pub body: Body,
}

/// Statements for one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// The label.
    pub label: String,
    /// The statements, one after the other.
    pub statements: Vec<String>,
}

/// Bytes that a test file has, or names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A text; empty for nothing.
    Text(String),
    /// A file, relative to the test file.
    File(String),
}

impl Default for Body {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The method.
    pub method: String,
    /// The URL; `*` stands for any text.
    pub url: String,
    /// Texts that the body of the request has.
    pub body_contains: Vec<String>,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// A call that fails, or is slow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The capability.
    pub capability: String,
    /// What the interface calls it; absent for every call of the capability.
    pub operation: Option<String>,
    /// The label; absent for each.
    pub label: Option<String>,
    /// The URL of a request to a server; absent for each.
    pub url: Option<String>,
    /// Which of the calls that fit, from 1 on; absent for all.
    pub nth: Option<u64>,
    /// How it fails; absent if it does not.
    pub error: Option<Error>,
    /// How long it takes.
    pub delay: Option<Duration>,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The backend or server is away.
    Unavailable,
    /// It does not answer in time.
    Timeout,
    /// It answers what it should not; a server breaks the connection off.
    Failed,
    /// Too many calls are under way.
    Busy,
}

/// Calls that can be made to fail, by capability.
pub const CALLS: &[(&str, &[&str])] = &[
    (
        "keyvalue",
        &[
            "get",
            "set",
            "delete",
            "exists",
            "list-keys",
            "get-many",
            "set-many",
            "delete-many",
            "increment",
            "compare",
            "current",
            "swap",
        ],
    ),
    ("sql", &["query", "execute", "batch", "begin", "commit", "rollback", "next"]),
    (
        "blobstore",
        &[
            "create-container",
            "delete-container",
            "info",
            "get-data",
            "write-data",
            "list-objects",
            "delete-objects",
            "object-info",
            "clear",
            "copy-object",
            "move-object",
        ],
    ),
    ("messaging", &["send", "request"]),
    ("secrets", &["get"]),
    ("http", &["send"]),
];

/// Something that happens in a test.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Where the file has it.
    pub span: Span,
    /// What happens.
    pub action: Action,
    /// What comes of it.
    pub expect: Option<Expect>,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A client sends a request.
    Request(Request),
    /// An export of a component is called.
    Call {
        /// The component; absent for the only one.
        component: Option<String>,
        /// The call, in WAVE.
        text: String,
    },
    /// A component that is a program is run.
    Run {
        /// The component; absent for the only one.
        component: Option<String>,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// Time goes by.
    Advance(Duration),
}

/// A request of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, with the query.
    pub path: String,
    /// The host.
    pub host: String,
    /// The other headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}
