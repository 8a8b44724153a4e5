//! `wasi:logging`: messages with a level and a context, which become lines beside what a guest prints on its standard error.
//!
//! In: a call of a guest. Out: a line with its level and its context, within the bounds of standard error. Next: [`crate::stdio`].
//!
//! Nothing has to be granted: whoever may print may log.

use crate::Ctx;
use std::fmt::Write;
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::cli::WasiCliView;
use wasmtime_wasi::p2::bindings::cli::stderr::Host as _;
use wharf_telemetry::log::{Level, Logged};

mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../../wit/logging",
        world: "wasi:logging/imports",
        imports: { default: trappable },
    });
}

use generated::wasi::logging::logging;

/// Bytes of a context that are kept: it is a name.
const CONTEXT_BYTES: usize = 128;

/// Bytes of a message that are written to the process's own standard error, which has no bounds of ours.
const MESSAGE_BYTES: usize = 256 * 1024;

struct Logging;

impl HasData for Logging {
    type Data<'a> = &'a mut Ctx;
}

/// Links the interface.
pub(crate) fn add_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    logging::add_to_linker::<Ctx, Logging>(linker, |ctx| ctx)
}

impl logging::Host for &mut Ctx {
    fn log(&mut self, level: logging::Level, context: String, message: String) -> wasmtime::Result<()> {
        let logged = Logged { level: level_of(level), context: shortened(context).into() };
        let message = message.trim_end_matches(['\r', '\n']);
        if let Some(sink) = self.lend(0).log() {
            sink.log(&logged, message);
            return Ok(());
        }
        let mut view = self.cli();
        // The handle is for this call. A guest that has as many as it may does without its message.
        if let Ok(handle) = view.get_stderr() {
            let mut stderr = view.table.delete(handle)?;
            // A stream that nobody reads any more is no reason to fail.
            let _ = stderr.write(line(&logged, message).into());
        }
        Ok(())
    }
}

fn level_of(level: logging::Level) -> Level {
    match level {
        logging::Level::Trace => Level::Trace,
        logging::Level::Debug => Level::Debug,
        logging::Level::Info => Level::Info,
        logging::Level::Warn => Level::Warn,
        logging::Level::Error => Level::Error,
        logging::Level::Critical => Level::Critical,
    }
}

fn shortened(mut context: String) -> String {
    if context.len() > CONTEXT_BYTES {
        context.truncate(context.floor_char_boundary(CONTEXT_BYTES));
        context.push('…');
    }
    context
}

/// Returns one line of the process's own standard error: `LEVEL CONTEXT: MESSAGE`.
fn line(logged: &Logged, message: &str) -> String {
    let mut line = format!("{} ", logged.level.name());
    if !logged.context.is_empty() {
        escape(&logged.context, &mut line);
        line.push_str(": ");
    }
    escape(&message[..message.floor_char_boundary(MESSAGE_BYTES)], &mut line);
    line.push('\n');
    line
}

/// Appends a text so that it neither ends the line nor steers a terminal.
fn escape(text: &str, line: &mut String) {
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            let _ = write!(line, "{}", character.escape_default());
        } else {
            line.push(character);
        }
    }
}

#[cfg(test)]
mod tests;
