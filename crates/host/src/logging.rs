//! `wasi:logging`: messages with a level and a context, which become lines as what a guest prints on its standard error.
//!
//! In: a call of a guest. Out: a line of the guest's standard error, with its names and its bounds. Next: [`crate::stdio`].
//!
//! Nothing has to be granted: whoever may print may log.

use crate::Ctx;
use std::fmt::Write;
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::cli::WasiCliView;
use wasmtime_wasi::p2::bindings::cli::stderr::Host as _;

mod generated {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({
        path: "../../wit/logging",
        world: "wasi:logging/imports",
        imports: { default: trappable },
    });
}

use generated::wasi::logging::logging::{self, Level};

/// Bytes of a context that are kept: it is a name.
const CONTEXT_BYTES: usize = 128;

/// Bytes of a message that are looked at. More than one invocation may print, so that whoever logs so much is told.
const MESSAGE_BYTES: usize = 257 * 1024;

struct Logging;

impl HasData for Logging {
    type Data<'a> = &'a mut Ctx;
}

/// Links the interface.
pub(crate) fn add_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    logging::add_to_linker::<Ctx, Logging>(linker, |ctx| ctx)
}

impl logging::Host for &mut Ctx {
    fn log(&mut self, level: Level, context: String, message: String) -> wasmtime::Result<()> {
        let mut view = self.cli();
        // The handle is for this call. A guest that has as many as it may does without its message.
        if let Ok(handle) = view.get_stderr() {
            let mut stderr = view.table.delete(handle)?;
            // A stream that nobody reads any more is no reason to fail.
            let _ = stderr.write(line(level, &context, &message).into());
        }
        Ok(())
    }
}

/// Returns one line: `LEVEL CONTEXT: MESSAGE`.
fn line(level: Level, context: &str, message: &str) -> String {
    let mut line = String::from(match level {
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
        Level::Critical => "CRITICAL",
    });
    line.push(' ');
    if !context.is_empty() {
        let kept = &context[..context.floor_char_boundary(CONTEXT_BYTES)];
        escape(kept, &mut line);
        line.push_str(if kept.len() < context.len() { "…: " } else { ": " });
    }
    let message = message.trim_end_matches(['\r', '\n']);
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
