//! A WASI 0.3 command that shows what it was given: arguments, environment, standard input; `--exit N` ends it early.

use wasip3::cli::{environment, exit, stdin, stdout};
use wasip3::exports::cli::run::Guest;
use wasip3::wit_bindgen::{StreamResult, StreamWriter};
use wasip3::wit_stream;

wasip3::cli::command::export!(Args);

struct Args;

impl Guest for Args {
    async fn run() -> Result<(), ()> {
        let (mut out, lines) = wit_stream::new();
        let written = stdout::write_via_stream(lines);
        let args = environment::get_arguments();
        for arg in &args {
            line(&mut out, "arg", arg).await;
        }
        for (name, value) in environment::get_environment() {
            line(&mut out, "env", &format!("{name}={value}")).await;
        }
        copy_input(&mut out).await;
        drop(out);
        written.await.map_err(|_| ())?;

        match args.iter().position(|arg| arg == "--exit").and_then(|at| args.get(at + 1)) {
            Some(code) => exit::exit_with_code(code.parse().unwrap_or(255)),
            None if args.iter().any(|arg| arg == "--fail") => return Err(()),
            None => {}
        }
        Ok(())
    }
}

async fn line(out: &mut StreamWriter<u8>, kind: &str, text: &str) {
    out.write_all(format!("{kind}: {text}\n").into_bytes()).await;
}

async fn copy_input(out: &mut StreamWriter<u8>) {
    let (mut input, _end) = stdin::read_via_stream();
    let mut text = Vec::new();
    loop {
        let (result, piece) = input.read(Vec::with_capacity(4096)).await;
        text.extend(piece);
        if result == StreamResult::Dropped {
            break;
        }
    }
    for row in String::from_utf8_lossy(&text).lines() {
        line(out, "stdin", row).await;
    }
}
