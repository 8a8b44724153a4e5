//! A program with plug-ins that it does not trust: it gives a text to each and prints what they make of it.
//!
//! In: a text, and the files of components that export `docs:plugins/transform`. Out: a line for each. Next: `wharf_runtime`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program, its output is for people")]

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use wharf_runtime::invoke::call::{self, Val};
use wharf_runtime::{Component, Limits, Runtime, Settings, Source};

/// A plug-in can be anything that fits into memory; what is larger is not read.
const FILE_BYTES: u64 = 64 << 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((text, files)) = arguments.split_first().filter(|(_, files)| !files.is_empty()) else {
        eprintln!("usage: embedder TEXT PLUGIN.wasm...");
        return ExitCode::from(2);
    };
    let event_loop = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(event_loop) => event_loop,
        Err(error) => {
            eprintln!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let runtime = Runtime::new(Settings { instances: 8, ..Settings::default() }, None);
    let mut answered = 0;
    for file in files.iter().map(Path::new) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let answer = load(&runtime, &name, file).and_then(|plugin| event_loop.block_on(ask(&plugin, text)));
        match answer {
            Ok(answer) => {
                answered += 1;
                println!("{name}: {answer}");
            }
            Err(error) => println!("{name} failed: {}", in_full(&*error)),
        }
    }
    println!("{answered} of {} plug-ins answered", files.len());
    ExitCode::SUCCESS
}

/// Makes a plug-in ready to be called any number of times. It is granted nothing: no files, no network, no environment.
fn load(runtime: &Runtime, name: &str, file: &Path) -> Result<Arc<Component>, Box<dyn Error>> {
    if std::fs::metadata(file)?.len() > FILE_BYTES {
        return Err("the file is too large for a plug-in".into());
    }
    let bytes = std::fs::read(file)?;
    let limits = Limits {
        memory_bytes: 16 << 20,
        cpu: Duration::from_millis(500),
        wall: Duration::from_secs(10),
        ..Limits::default()
    };
    let loaded = runtime.load(Source { limits, ..Source::bare("plugins", name, &bytes) })?;
    Ok(loaded.component)
}

/// Calls a plug-in, in an instance that is made for this call and dropped after it.
async fn ask(plugin: &Arc<Component>, text: &str) -> Result<String, Box<dyn Error>> {
    let apply = format!("docs:plugins/transform.apply({})", call::quote(text));
    match call::call(plugin, &apply).await?.as_slice() {
        [Val::Result(Ok(Some(answer)))] => match answer.as_ref() {
            Val::String(answer) => Ok(answer.clone()),
            other => Err(format!("it answered {}, which is no text", call::to_wave(other)).into()),
        },
        [Val::Result(Err(Some(why_not)))] => Err(format!("it says {}", call::to_wave(why_not)).into()),
        _ => Err("its `apply` has another type".into()),
    }
}

/// Returns an error with all that led to it, in one line.
fn in_full(error: &dyn Error) -> String {
    let sources = std::iter::successors(Some(error), |error: &&dyn Error| (*error).source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
