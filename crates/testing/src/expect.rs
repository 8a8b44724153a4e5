//! What a test expects, and what there was.

use regex::Regex;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What is expected. What is absent may be anything.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// The status.
    pub status: Option<u16>,
    /// Headers, by their names in lower case.
    pub headers: Vec<(String, Wanted)>,
    /// The body.
    pub body: Option<String>,
    /// A file that has the body, relative to the test file.
    pub body_file: Option<String>,
    /// Texts that the body has.
    pub body_contains: Vec<String>,
    /// What the body, or a part of it, looks like.
    pub body_matches: Option<Regex>,
    /// The body, as JSON.
    pub body_json: Option<Json>,
    /// Parts of the body, as JSON.
    pub json_path: Vec<(String, Json)>,
    /// What was printed to stdout.
    pub stdout: Option<String>,
    /// Texts that stdout has.
    pub stdout_contains: Vec<String>,
    /// The exit code.
    pub exit: Option<i32>,
    /// What a call returned, in WAVE.
    pub result: Option<String>,
    /// Texts that lines of the log have.
    pub log_contains: Vec<String>,
    /// A text of the reason why the component failed.
    pub trap: Option<String>,
    /// Values of keys: label, key, value.
    pub keyvalue: Vec<(String, String, Wanted)>,
    /// Objects: label, name, bytes.
    pub blob: Vec<(String, String, Wanted)>,
    /// Queries: label, query, rows.
    pub sql: Vec<(String, String, Vec<Vec<Json>>)>,
    /// All requests to servers, in their order.
    pub http_requests: Option<Vec<Sent>>,
    /// All messages that were sent, in their order.
    pub messages: Option<Vec<Sent>>,
}

/// What something is expected to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// This.
    Text(String),
    /// Anything, if it is there.
    Any,
    /// Not there.
    Absent,
}

/// A request to a server or a message that is expected.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// The method of a request; the label of a message.
    pub kind: String,
    /// The URL, in which `*` stands for any text, or the topic.
    pub to: String,
    /// Headers.
    pub headers: Vec<(String, Wanted)>,
    /// The body.
    pub body: Option<String>,
    /// Texts that the body has.
    pub body_contains: Vec<String>,
    /// The body, as JSON.
    pub body_json: Option<Json>,
}

/// What came of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Answer(Answer),
    /// What a call returned, in WAVE.
    Returned(String),
    /// How a program ended.
    Exit(i32),
    /// A call or a program that failed, and why.
    Failed(String),
    /// Nothing: time went by.
    #[default]
    Nothing,
}

/// An answer to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it came.
    pub body: Vec<u8>,
    /// Why it ended too early, if it did.
    pub broken: Option<String>,
}

/// A request that was sent to a server, or a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The method of a request; the label of a message.
    pub kind: String,
    /// The URL, or the topic.
    pub to: String,
    /// The headers, in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What there was, as far as a test asks for it.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// What came of the step.
    pub outcome: Outcome,
    /// Lines that guests printed to stdout during the step.
    pub stdout: Vec<String>,
    /// Lines that guests printed during the step, on both streams.
    pub log: Vec<String>,
    /// Why components failed during the step.
    pub failures: Vec<String>,
    /// Requests to servers during the step.
    pub http_requests: Vec<Exchange>,
    /// Messages that were sent during the step.
    pub messages: Vec<Exchange>,
    /// Keys that the test asks for, by label and key.
    pub keyvalue: BTreeMap<(String, String), Option<Vec<u8>>>,
    /// Objects that the test asks for, by label and name.
    pub blob: BTreeMap<(String, String), Option<Vec<u8>>>,
    /// Rows that the test asks for, by label and query.
    pub sql: BTreeMap<(String, String), Vec<Vec<Json>>>,
    /// What the file has that the body is to be, if the test names one.
    pub body_file: Option<Vec<u8>>,
}
