//! Reference pages made from the code, for `docs/reference`. A test fails when a page there differs.

use crate::args::Cli;
use crate::command_error::CommandError;
use crate::output;
use clap::{Arg, ArgAction, Args, Command, CommandFactory};
use std::fmt::Write;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct ReferenceArgs {
    /// Which page
    #[arg(value_enum)]
    page: Page,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Page {
    /// The command line
    Cli,
    /// The manifest
    Manifest,
    /// The manifest's JSON schema
    Schema,
    /// That of test files
    TestSchema,
}

pub(crate) fn run(args: &ReferenceArgs) -> Result<ExitCode, CommandError> {
    output::data(&text(args.page))
}

fn text(page: Page) -> String {
    match page {
        Page::Cli => command_line(),
        Page::Manifest => wharf_app::reference_markdown(),
        Page::TestSchema => format!("{:#}\n", wharf_testing::json_schema()),
        Page::Schema => format!("{:#}\n", wharf_app::json_schema()),
    }
}

const HEAD: &str = "# The command line\n\n\
    Made from the code by `cargo xtask docs`; a test fails when it is out of date.\n\n\
    Data goes to stdout, talk to stderr. Exit codes: 0 success, 1 a guest or a server failed, 2 a mistake in the command line, \
    a manifest or a file; `wharf run` ends with the exit code of its guest.\n";

fn command_line() -> String {
    let mut cli = Cli::command();
    cli.build();
    let mut text = HEAD.to_owned();
    sections(&cli, "wharf", &mut text);
    text
}

/// Describes a command, and then those below it.
fn sections(command: &Command, name: &str, text: &mut String) {
    section(command, name, text);
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
        sections(below, &format!("{name} {}", below.get_name()), text);
    }
}

fn section(command: &Command, name: &str, text: &mut String) {
    let about = command.get_about().map_or_else(String::new, ToString::to_string);
    let _ = write!(text, "\n## `{name}`\n\n{about}.\n");
    let shown: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str()))
        .filter(|arg| name == "wharf" || !arg.is_global_set())
        .collect();
    if shown.is_empty() {
        return;
    }
    text.push_str("\n| argument | meaning | default |\n|---|---|---|\n");
    for arg in shown {
        row(arg, text);
    }
}

fn row(arg: &Arg, text: &mut String) {
    let value = arg.get_value_names().and_then(|names| names.first()).map_or_else(String::new, ToString::to_string);
    let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let name = match (arg.get_long(), arg.get_short()) {
        (Some(long), Some(short)) => format!("--{long}, -{short}"),
        (Some(long), None) => format!("--{long}"),
        (None, _) => value.clone(),
    };
    let name = if takes_value && arg.get_long().is_some() { format!("{name} {value}") } else { name };
    let mut help = arg.get_help().map_or_else(String::new, ToString::to_string);
    let values: Vec<_> = arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if takes_value && !values.is_empty() {
        let _ = write!(help, " ({})", values.join(", "));
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    let default = if takes_value { defaults.join(" ") } else { String::new() };
    let help = help.replace('|', "\\|");
    let _ = writeln!(text, "| `{}` | {help} | {default} |", name.replace('|', "\\|"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: Page, file: &str) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/");
        let kept = std::fs::read_to_string(format!("{path}{file}")).unwrap_or_default();
        assert!(kept == text(page), "docs/reference/{file} is out of date: run `cargo xtask docs`");
    }

    #[test]
    fn the_pages_are_what_the_code_says() {
        check(Page::Cli, "cli.md");
        check(Page::Manifest, "manifest.md");
        check(Page::Schema, "manifest.schema.json");
        check(Page::TestSchema, "tests.schema.json");
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
