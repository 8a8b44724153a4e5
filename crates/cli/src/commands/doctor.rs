//! `wharf doctor`: is this machine ready, for an app or for any language, and what would make it so.
//!
//! In: a folder. Out: checks, and with `--fix` fewer things that are missing. Next: the user.

mod fix;
mod machine;
mod needs;
mod toolchain;

use crate::building;
use crate::command_error::CommandError;
use crate::output;
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use wharf_app::MANIFEST;
use wharf_build::tools::{Install, Search};

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// An app: a folder with a wharf.toml, or a manifest
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Look at the tools of this language, too; may be given several times [default: those of the app, or all]
    #[arg(long, short, value_name = "LANGUAGE", value_parser = needs::language)]
    lang: Vec<wharf_build::tools::Language>,
    /// Install what is missing: what is the project's or the user's at once, packages of the machine as root or by `sudo -n`
    #[arg(long)]
    fix: bool,
    /// Print the checks as JSON
    #[arg(long)]
    json: bool,
}

/// What came of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// As it should be.
    Good,
    /// It will do, and could be better.
    Note,
    /// It has to be mended.
    Bad,
}

/// One check.
struct Check {
    group: &'static str,
    name: String,
    state: State,
    /// What was found.
    found: String,
    /// What to do; nothing when all is well.
    advice: Option<String>,
    /// What installs it, if it is a tool that can be installed.
    install: Option<&'static Install>,
}

impl Check {
    fn new(group: &'static str, name: impl Into<String>, state: State, found: impl Into<String>) -> Self {
        Self { group, name: name.into(), state, found: found.into(), advice: None, install: None }
    }

    fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

pub(crate) fn run(args: &DoctorArgs) -> Result<ExitCode, CommandError> {
    let file = if args.path.is_dir() { args.path.join(MANIFEST) } else { args.path.clone() };
    let folder = file.parent().map(PathBuf::from).unwrap_or_default();
    let needs = needs::find(&file, &args.lang)?;
    let search = || Search::new(building::options(&folder).path.as_deref(), &folder);
    let mut tools = toolchain::checks(&needs, &search());
    if args.fix {
        if needs.is_everything {
            let error = CommandError::usage(format!("there is no {MANIFEST} in {}", args.path.display()));
            return Err(error.hint("say for which language: `wharf doctor --fix --lang rust`"));
        }
        fix::run(&tools, &folder, &needs, &search())?;
        tools = toolchain::checks(&needs, &search());
    }
    let mut checks = machine::checks(&folder, needs.app.is_some());
    checks.extend(tools);
    let text = if args.json { json(&checks) } else { text(&checks) };
    output::data(&text)?;
    let is_bad = checks.iter().any(|check| check.state == State::Bad);
    Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn text(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    let mut group = "";
    for check in checks {
        if check.group != group {
            group = check.group;
            let _ = writeln!(text, "{group}");
        }
        let state = match check.state {
            State::Good => "ok     ",
            State::Note => "note   ",
            State::Bad if check.install.is_some() => "missing",
            State::Bad => "wrong  ",
        };
        let _ = writeln!(text, "  {state}  {:<width$}  {}", check.name, check.found);
        if let Some(advice) = &check.advice {
            let _ = writeln!(text, "           {:<width$}  {advice}", "");
        }
    }
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let _ = match count(State::Bad) {
        0 => writeln!(text, "ready; {} notes", count(State::Note)),
        bad => writeln!(text, "{bad} to mend, {} notes; `wharf doctor --fix` installs tools", count(State::Note)),
    };
    text
}

fn json(checks: &[Check]) -> String {
    let value = |check: &Check| {
        serde_json::json!({
            "group": check.group,
            "name": check.name,
            "state": match check.state { State::Good => "ok", State::Note => "note", State::Bad => "bad" },
            "found": check.found,
            "advice": check.advice,
            "command": check.install.map(|install| install.command),
        })
    };
    format!("{:#}\n", serde_json::Value::from_iter(checks.iter().map(value)))
}
