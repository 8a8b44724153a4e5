//! A command that shows what it was given: arguments, environment, standard input, files.
//!
//! `--exit N` sets the exit code, `--read FILE` and `--write FILE TEXT` use the granted files, `--panic` traps.

use std::io::BufRead as _;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().collect();
    for arg in &args {
        println!("arg: {arg}");
    }
    for (name, value) in env::vars() {
        println!("env: {name}={value}");
    }
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        println!("stdin: {line}");
    }
    act(args.get(1..).unwrap_or_default())
}

/// Does what the options say, in their order; the exit code is 1 when one failed.
fn act(options: &[String]) -> ExitCode {
    match options {
        [] => ExitCode::SUCCESS,
        [option, code, ..] if option == "--exit" => ExitCode::from(code.parse().unwrap_or(255)),
        [option, ..] if option == "--panic" => panic!("asked to"),
        [option, file, rest @ ..] if option == "--read" => match fs::read_to_string(file) {
            Ok(text) => {
                println!("read: {text}");
                act(rest)
            }
            Err(error) => fail(file, &error),
        },
        [option, file, text, rest @ ..] if option == "--write" => match fs::write(file, text) {
            Ok(()) => act(rest),
            Err(error) => fail(file, &error),
        },
        [_, rest @ ..] => act(rest),
    }
}

fn fail(file: &str, error: &io::Error) -> ExitCode {
    eprintln!("{file}: {error}");
    ExitCode::FAILURE
}
