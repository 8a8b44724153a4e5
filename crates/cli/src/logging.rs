//! Where the program's own log lines go: stderr, as text or JSON.

use crate::output::Talk;
use std::io::IsTerminal;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};
use wharf_telemetry::log::Format;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line, for machines
    Json,
}

impl LogFormat {
    /// Returns the format of the lines of guests and requests.
    pub(crate) fn lines(self) -> Format {
        match self {
            Self::Text if has_colours() => Format::Coloured,
            Self::Text => Format::Text,
            Self::Json => Format::Json,
        }
    }
}

/// Tells whether stderr shows colours to somebody who wants them.
pub(crate) fn has_colours() -> bool {
    has_sequences() && wants_colours()
}

/// Tells whether stderr is a terminal that obeys the sequences which steer one.
#[expect(clippy::disallowed_methods, reason = "the program itself reads its environment")]
pub(crate) fn has_sequences() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Tells whether the user did not switch colours off. By the convention, an empty value says nothing.
#[expect(clippy::disallowed_methods, reason = "the program itself reads its environment")]
pub(crate) fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How much is logged; may be changed while the program runs.
pub(crate) struct Verbosity {
    level: std::cell::Cell<u8>,
    filter: reload::Handle<Targets, Registry>,
}

impl Verbosity {
    /// Goes on to the next level, after the last one to the first, and returns its name.
    pub(crate) fn next(&self) -> &'static str {
        let level = (self.level.get() + 1) % 3;
        self.level.set(level);
        // Fails when the subscriber is gone, and then there is no log.
        let _ = self.filter.reload(targets(level));
        ["info", "debug", "trace"][usize::from(level)]
    }
}

/// Starts logging.
pub(crate) fn start(format: LogFormat, verbose: u8) -> Verbosity {
    let (filter, handle) = reload::Layer::new(targets(verbose));
    let lines = tracing_subscriber::fmt::layer().with_writer(|| Talk).with_target(false);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry.with(lines.with_ansi(has_colours())).init(),
        LogFormat::Json => registry.with(lines.json()).init(),
    }
    Verbosity { level: std::cell::Cell::new(verbose.min(2)), filter: handle }
}

/// Our own crates speak from `info` on, others from `error` on: the engine warns about what guests do.
fn targets(verbose: u8) -> Targets {
    let (ours, others) = match verbose {
        0 => (LevelFilter::INFO, LevelFilter::ERROR),
        1 => (LevelFilter::DEBUG, LevelFilter::WARN),
        _ => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    let crates = [
        "wharf",
        "wharf_app",
        "wharf_build",
        "wharf_component",
        "wharf_gateway",
        "wharf_host",
        "wharf_node",
        "wharf_runtime",
        "wharf_telemetry",
        "wharf_trigger",
    ];
    Targets::new().with_default(others).with_targets(crates.map(|name| (name, ours)))
}
