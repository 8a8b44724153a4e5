//! Tests of an app as files: what they say, whether it came true, and how that is told.
//!
//! In: the text of a test file, and what an app did. Out: tests, differences, reports, and the text with what was learnt. Next: the program,
//! which runs them.
//!
//! Pure by rule: no I/O, no clock, no engine.

mod codes;
mod compare;
mod edit;
mod expect;
mod file;
mod glob;
mod json;
mod junit;
mod read;
mod report;
mod schema;
mod suite;

pub use codes::{CODE, UNMATCHED};
pub use compare::{Line, Mismatch, compare};
pub use edit::{EditError, Learnt, exchange_as_toml, with_exchanges, with_outcomes};
pub use expect::{Answer, Exchange, Expect, Observed, Outcome, Sent, Wanted};
pub use glob::matches as url_matches;
pub use junit::junit;
pub use read::parse;
pub use report::{Case, Palette, Summary, Verdict, json_line, lines, summary};
pub use schema::json_schema;
pub use suite::{
    Action, Blob, Body, CALLS, Error, Fault, Given, HttpAnswer, Key, Request, Settings, Sql, Step, Suite, Test,
};
