//! `wharf test`: run the tests of an app, each with stores, servers and clocks of its own.
//!
//! In: an app and its `tests` folder. Out: a report; exit code 1 if a test failed. Next: [`wharf_trials`], on several threads.

use crate::building;
use crate::command_error::{CommandError, chain};
use crate::locked::{self, LockArgs};
use crate::logging::wants_colours;
use crate::output::{self, talk};
use crate::report::{self, load_error};
use crate::surroundings;
use clap::Args;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use wharf_project::{Project, Read, Text};
use wharf_telemetry::clock;
use wharf_testing::{Case, Palette, Summary};
use wharf_trials::{Bench, Error, Found, Mode, Ran, Tests};

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// A manifest, or a folder with a wharf.toml; its tests are in the folder `tests` beside it
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Run only tests whose `FILE: NAME` has one of these texts
    filter: Vec<String>,
    /// How many tests run at a time [default: one a core]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Write the report for continuous integration to this file, as JUnit's XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print a JSON object a line: one for each test, then the summary
    #[arg(long)]
    json: bool,
    /// What random numbers come of, in the place of what test files say
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Print the tests and run none
    #[arg(long)]
    list: bool,
    /// Write what came of tests into their files, in the place of what was expected
    #[arg(long)]
    update: bool,
    /// Send requests that no test file has an answer for to the servers, as far as they are granted, and write the answers into the file
    #[arg(long)]
    record: bool,
    /// Do not run the build commands of the manifest
    #[arg(long)]
    no_build: bool,
    #[command(flatten)]
    lock: LockArgs,
    /// Where compiled components are kept [default: .wharf beside the manifest]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

pub(crate) fn run(args: &TestArgs) -> Result<ExitCode, CommandError> {
    let project = Project::find(&args.path).map_err(|error| match args.path.exists() {
        true => CommandError::from(error),
        false => CommandError::from(error)
            .hint(format!("to run some tests of this folder only: `wharf test . {}`", args.path.display())),
    })?;
    args.lock.check(&project)?;
    let folder = project.folder();
    let read = project.read(None, report::warn)?;
    let tests = Tests::find(&folder, &read.app).map_err(|error| failed(&error))?;
    let wanted = tests.matching(&args.filter);
    if args.list {
        return output::data(&wanted.iter().map(|found| format!("{}\n", tests.id(*found))).collect::<String>());
    }
    if wanted.is_empty() {
        return Err(nothing_to_run(args, &tests, &folder));
    }
    if !args.no_build {
        building::stale(&read.app, &folder)?;
    }
    let read = locked::fetch(read, &folder, args.lock)?;
    let state = surroundings::state_of(&project, args.state.as_deref());
    let Read { app, text } = read;
    let bench = Bench::new(app, folder, &state, args.seed);
    let mode = Mode { record: args.record };
    bench.warm_up(&tests, &wanted).map_err(|error| load_error(&error, text.as_ref()))?;
    if !args.update && !args.record {
        let cases = told(args, &bench, &tests, &wanted);
        return finish(args, &bench, &tests, &cases);
    }
    // Learns first, and then sees whether what was learnt holds.
    let ran = wharf_trials::run(&bench, &tests, &wanted, jobs(args), mode, |_| {});
    wharf_trials::learn(&tests, &ran, args.update, aside).map_err(|error| failed(&error))?;
    let tests = Tests::find(bench.folder(), bench.app()).map_err(|error| failed(&error))?;
    let cases = told(args, &bench, &tests, &tests.matching(&args.filter));
    finish(args, &bench, &tests, &cases)
}

/// All that was run, and how long it took together.
struct Cases {
    cases: Vec<Case>,
    summary: Summary,
}

/// Runs tests and tells each when it, and all before it, are done.
fn told(args: &TestArgs, bench: &Bench, tests: &Tests, wanted: &[Found]) -> Cases {
    let started = clock::now();
    let palette = palette();
    let tell = |ran: &Ran| {
        let text =
            if args.json { wharf_testing::json_line(&ran.case) } else { wharf_testing::lines(&ran.case, palette) };
        // Whoever closes the pipe has read enough.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    };
    let ran = wharf_trials::run(bench, tests, wanted, jobs(args), Mode::default(), tell);
    let cases: Vec<Case> = ran.into_iter().map(|ran| ran.case).collect();
    let mut summary = Summary { took: clock::since(started), ..Summary::default() };
    cases.iter().for_each(|case| summary.add(case));
    Cases { cases, summary }
}

fn finish(args: &TestArgs, bench: &Bench, tests: &Tests, all: &Cases) -> Result<ExitCode, CommandError> {
    let Cases { cases, summary } = all;
    if let Some(file) = &args.junit {
        let written = wharf_testing::junit(&bench.app().name, cases, summary).and_then(|xml| std::fs::write(file, xml));
        written.map_err(|error| CommandError::failed(format!("cannot write {}: {error}", file.display())))?;
    }
    let left_out = tests.count() - cases.len();
    if args.json {
        let took = summary.took.as_secs_f64();
        let (passed, failed) = (summary.passed, summary.failed);
        let value = serde_json::json!({ "kind": "summary", "passed": passed, "failed": failed, "left_out": left_out, "seconds": took });
        output::data(&format!("{value}\n"))?;
    } else {
        let more = if left_out > 0 { format!("{left_out} left out by the filter\n") } else { String::new() };
        output::data(&format!("\n{}{more}", wharf_testing::summary(summary, palette())))?;
    }
    Ok(if summary.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Returns why tests cannot be run, with excerpts of files that have mistakes.
fn failed(error: &Error) -> CommandError {
    match error {
        Error::Wrong(files) => CommandError::rendered(
            files
                .iter()
                .map(|file| {
                    let text = Text { name: file.name.clone(), text: file.text.clone() };
                    report::problems(&file.problems, &text)
                })
                .collect::<String>(),
        ),
        Error::Read { .. } => CommandError::usage(chain(error)),
        _ => CommandError::failed(chain(error)),
    }
}

fn nothing_to_run(args: &TestArgs, tests: &Tests, folder: &std::path::Path) -> CommandError {
    if tests.count() > 0 {
        let filters = args.filter.join(" ");
        let error = CommandError::usage(format!("no test has {filters} in its `FILE: NAME`"));
        return error.hint("`wharf test --list` shows all of them");
    }
    let at = folder.join(wharf_trials::FOLDER);
    let error = CommandError::usage(format!("there are no tests in {}", at.display()));
    error.hint("write one: [[test]] with `name`, `request = { path = \"/\" }` and `expect = { status = 200 }`, in tests/NAME.toml")
}

fn jobs(args: &TestArgs) -> usize {
    args.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

fn palette() -> Palette {
    let colour = std::io::stdout().is_terminal() && wants_colours();
    if colour { Palette::Ansi } else { Palette::Plain }
}

/// Says something beside the report.
fn aside(text: &str) {
    talk(&format!("{text}\n"));
}
