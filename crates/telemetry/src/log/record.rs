//! One thing that happened, and how it looks as a line.

use crate::{RequestId, clock};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people: one line, the most telling part first.
    Text,
    /// The same for a terminal: the names of components in colours, each in its own.
    Coloured,
    /// For machines: one JSON object a line.
    Json,
}

/// The guest's stream that a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Record {
    /// A guest printed a line.
    Guest(GuestLine),
    /// A request was answered.
    Access(Access),
}

/// A line that a guest printed.
#[derive(Clone, Debug)]
pub struct GuestLine {
    /// When the line was complete.
    pub at: SystemTime,
    /// The app.
    pub app: Arc<str>,
    /// The component.
    pub component: Arc<str>,
    /// The request during which it was printed, if there was one.
    pub request: Option<RequestId>,
    /// Where it was printed.
    pub stream: Stream,
    /// What it says of itself, if it was logged and not printed.
    pub logged: Option<Logged>,
    /// The line, without its end, control characters not yet escaped.
    pub text: String,
}

/// What makes a line a message of a log.
#[derive(Clone, Debug)]
pub struct Logged {
    /// How much it matters.
    pub level: Level,
    /// What it is about: the guest's word, which may be empty.
    pub context: Arc<str>,
}

/// How much a message matters, as `wasi:logging` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

impl Level {
    /// Returns its name as it is written in a line for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }
}

/// A request that was answered.
#[derive(Clone, Debug)]
pub struct Access {
    /// When the answer was complete.
    pub at: SystemTime,
    /// The request.
    pub request: RequestId,
    /// The address of the client.
    pub client: String,
    /// `GET`, `POST`, ….
    pub method: String,
    /// The host that was asked for.
    pub host: String,
    /// The path, without the query: it may hold secrets.
    pub path: String,
    /// The status sent, 0 if the client left first.
    pub status: u16,
    /// The component that answered, if one did.
    pub component: Option<(Arc<str>, Arc<str>)>,
    /// Body bytes sent.
    pub response_bytes: u64,
    /// From the request's head to the end of the answer.
    pub duration: Duration,
    /// The error code, if Wharf answered instead of the guest or broke the answer off.
    pub error: Option<&'static str>,
}

impl Record {
    pub(super) fn render(&self, format: Format, out: &mut String) {
        match (self, format) {
            (Self::Guest(line), Format::Text) => line.render_text(None, out),
            (Self::Guest(line), Format::Coloured) => line.render_text(Some(colour(&line.component)), out),
            (Self::Guest(line), Format::Json) => line.render_json(out),
            (Self::Access(access), Format::Text) => access.render_text(false, out),
            (Self::Access(access), Format::Coloured) => access.render_text(true, out),
            (Self::Access(access), Format::Json) => access.render_json(out),
        }
    }
}

pub(super) fn render_dropped(format: Format, dropped: u64, out: &mut String) {
    match format {
        Format::Text | Format::Coloured => {
            let _ = writeln!(out, "log: {dropped} lines were dropped because the log is not read fast enough");
        }
        Format::Json => push_json(out, &serde_json::json!({ "kind": "log", "dropped": dropped })),
    }
}

/// Returns the colour of a component: always the same one. Not red, which is for mistakes, and nothing that hides on black or white.
fn colour(component: &str) -> u8 {
    const COLOURS: [u8; 5] = [32, 33, 34, 35, 36];
    let sum = component.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    COLOURS[sum % COLOURS.len()]
}

impl GuestLine {
    /// Returns what a person reads: `TEXT`, or `LEVEL CONTEXT: TEXT` of a message.
    pub fn shown(&self) -> Cow<'_, str> {
        let Some(Logged { level, context }) = &self.logged else { return Cow::Borrowed(&self.text) };
        let colon = if context.is_empty() { "" } else { ": " };
        Cow::Owned(format!("{} {context}{colon}{}", level.name(), self.text))
    }

    fn render_text(&self, colour: Option<u8>, out: &mut String) {
        let request = self.request.as_ref().map_or("-", RequestId::as_str);
        let _ = match colour {
            Some(colour) => write!(out, "\x1b[{colour}m{}/{}\x1b[0m {request} ", self.app, self.component),
            None => write!(out, "{}/{} {request} ", self.app, self.component),
        };
        escape(&self.shown(), out);
        out.push('\n');
    }

    fn render_json(&self, out: &mut String) {
        let mut line = serde_json::json!({
            "kind": "guest",
            "at": clock::timestamp(self.at),
            "app": &*self.app,
            "component": &*self.component,
            "request": self.request.as_ref().map(RequestId::as_str),
            "stream": self.stream,
            "text": self.text,
        });
        if let Some(Logged { level, context }) = &self.logged {
            line["level"] = serde_json::json!(level);
            line["context"] = serde_json::json!(&**context);
        }
        push_json(out, &line);
    }
}

impl Access {
    fn render_text(&self, is_coloured: bool, out: &mut String) {
        let _ = write!(out, "{} {} {} ", clock::timestamp(self.at), self.client, self.method);
        escape(&self.host, out);
        escape(&self.path, out);
        let _ = write!(out, " {} {}B {:.3}ms ", self.status, self.response_bytes, self.duration.as_secs_f64() * 1e3);
        let _ = match &self.component {
            Some((app, component)) if is_coloured => write!(out, "\x1b[{}m{app}/{component}\x1b[0m", colour(component)),
            Some((app, component)) => write!(out, "{app}/{component}"),
            None => write!(out, "-"),
        };
        let _ = write!(out, " {}", self.request);
        if let Some(error) = self.error {
            let _ = write!(out, " {error}");
        }
        out.push('\n');
    }

    fn render_json(&self, out: &mut String) {
        push_json(
            out,
            &serde_json::json!({
                "kind": "access",
                "at": clock::timestamp(self.at),
                "request": self.request.as_str(),
                "client": self.client,
                "method": self.method,
                "host": self.host,
                "path": self.path,
                "status": self.status,
                "app": self.component.as_ref().map(|(app, _)| &**app),
                "component": self.component.as_ref().map(|(_, component)| &**component),
                "response_bytes": self.response_bytes,
                "duration_us": u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX),
                "error": self.error,
            }),
        );
    }
}

fn push_json(out: &mut String, value: &serde_json::Value) {
    let _ = writeln!(out, "{value}");
}

/// Appends `text` with control characters made visible: a guest must not be able to forge a line or to steer a terminal.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\t' => out.push(c),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
}
