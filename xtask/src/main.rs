//! The project's own tasks: `cargo xtask <task>`.

mod guests;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <task>

tasks:
  guests    build the examples and the test guests (--help says more)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.split_first() {
        Some((task, rest)) if task == "guests" => guests::run(rest),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
