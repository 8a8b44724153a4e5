//! Where the program's own log lines go: stderr, as text or JSON.

use std::io::IsTerminal;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
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
            Self::Text => Format::Text,
            Self::Json => Format::Json,
        }
    }
}

/// Starts logging. Our own crates speak from `info` on, others from `error` on: the engine warns about what guests do.
pub(crate) fn start(format: LogFormat, verbose: u8) {
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
    let filter = Targets::new().with_default(others).with_targets(crates.map(|name| (name, ours)));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry.with(lines.with_ansi(std::io::stderr().is_terminal())).init(),
        LogFormat::Json => registry.with(lines.json()).init(),
    }
}
