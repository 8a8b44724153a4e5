//! Reads tools out of command lines, and out of what shells say when one is missing.

use super::{TOOLS, Tool, by_name};

/// Words after which a command follows.
const BEFORE_A_COMMAND: &[&str] =
    &["&&", "||", ";", "|", "(", "{", "then", "else", "do", "!", "exec", "command", "env"];

/// Returns the tools that a command line names, without repetitions: its programs, the target of a Rust build, what `npx` runs.
pub fn of_command(command: &str) -> Vec<&'static Tool> {
    let spaced = command.replace(';', " ; ").replace(['(', ')'], " ( ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut tools = Vec::new();
    let mut add = |tool: Option<&'static Tool>| {
        if let Some(tool) = tool.filter(|tool| !tools.contains(tool)) {
            tools.push(tool);
        }
    };
    let mut expects_program = true;
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| words.get(at)).copied().unwrap_or_default();
        if BEFORE_A_COMMAND.contains(word) {
            expects_program = true;
        } else if expects_program && !is_assignment(word) {
            add(by_name(word));
            expects_program = *word == "npx";
        } else if before == "--target" || word.starts_with("--target=") {
            add(by_name(word.trim_start_matches("--target=")));
        }
    }
    tools
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// Returns the tool that a failed build says it lacks, read out of what the shell and the toolchains print.
pub fn missing_from(said: &str) -> Option<&'static Tool> {
    said.lines().rev().find_map(missing_from_line)
}

fn missing_from_line(line: &str) -> Option<&'static Tool> {
    let line = line.trim();
    // What Cargo says about a target that is not installed: "the `wasm32-wasip2` target may not be installed".
    if line.contains("target may not be installed") {
        return TOOLS.iter().find(|tool| line.contains(&format!("`{}`", tool.name)));
    }
    if line.contains("could not determine executable to run") {
        return by_name("jco");
    }
    missing_program_of_line(line).and_then(by_name)
}

/// Returns the program that the shell says it did not find.
pub fn missing_program(said: &str) -> Option<&str> {
    said.lines().rev().find_map(missing_program_of_line)
}

/// Reads `sh: 1: jco: not found`, `bash: line 1: jco: command not found`, `env: 'node': No such file or directory`.
fn missing_program_of_line(line: &str) -> Option<&str> {
    let mut ends = ["command not found", "not found", "No such file or directory"].into_iter();
    let rest = ends.find_map(|end| line.trim().strip_suffix(end))?;
    let name = rest.trim_end().strip_suffix(':')?.rsplit([':', ' ']).next().unwrap_or_default();
    Some(name.trim_matches(['\'', '"', '‘', '’', '`'])).filter(|name| !name.is_empty())
}
