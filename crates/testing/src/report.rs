//! How a run is told: a line for each test, more for those that failed, and a summary.

use crate::compare::{Line, Mismatch};
use serde_json::json;
use std::fmt::Write;
use std::time::Duration;

/// Lines of a log that are shown for a test that failed: the last ones.
const LOG_LINES_MAX: usize = 50;

/// One test that was run.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its file, as it is shown.
    pub file: String,
    /// The line in the file, from 1 on; absent where that has none.
    pub line: Option<usize>,
    /// Its name.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub verdict: Verdict,
    /// What guests and the host said during it.
    pub log: Vec<String>,
    /// What its random numbers came of.
    pub seed: u64,
    /// The command that runs it again.
    pub again: String,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that was expected came true.
    Passed,
    /// Something did not: at which step, if the test has several, and what.
    Failed(Vec<(Option<String>, Mismatch)>),
    /// It could not be run, or not to its end, and why.
    Broken(String),
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// None.
    Plain,
    /// Those of terminals.
    Ansi,
}

impl Palette {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }

    fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }
}

/// How many tests came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Those that passed.
    pub passed: usize,
    /// Those that did not.
    pub failed: usize,
    /// How long all of them took.
    pub took: Duration,
}

impl Summary {
    /// Counts one more.
    pub fn add(&mut self, case: &Case) {
        match case.verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) | Verdict::Broken(_) => self.failed += 1,
        }
    }
}

/// Returns the lines for people about one test.
pub fn lines(case: &Case, palette: Palette) -> String {
    let took = palette.faint(&format!("({})", duration(case.took)));
    let (file, name) = (shown(&case.file), shown(&case.name));
    if case.verdict == Verdict::Passed {
        return format!("{} {file}: {name} {took}\n", palette.good("ok  "));
    }
    let place = case.line.map_or(file.clone(), |line| format!("{file}:{line}"));
    let mut text = format!("{} {place}: {name} {took}\n", palette.bad("FAIL"));
    match &case.verdict {
        Verdict::Passed => {}
        Verdict::Broken(why) => why.lines().for_each(|line| indented(&mut text, 4, &shown(line))),
        Verdict::Failed(all) => {
            all.iter().for_each(|(step, mismatch)| told(&mut text, step.as_deref(), mismatch, palette))
        }
    }
    if !case.log.is_empty() {
        indented(&mut text, 4, &palette.faint("log:"));
        let left_out = case.log.len().saturating_sub(LOG_LINES_MAX);
        if left_out > 0 {
            indented(&mut text, 6, &palette.faint(&format!("… {left_out} lines before these are left out")));
        }
        for line in case.log.iter().skip(left_out).flat_map(|line| line.lines()) {
            indented(&mut text, 6, &shown(line));
        }
    }
    indented(&mut text, 4, &format!("{} {}", palette.faint("again:"), shown(&case.again)));
    text
}

fn told(text: &mut String, step: Option<&str>, mismatch: &Mismatch, palette: Palette) {
    let step = step.map_or_else(String::new, |step| format!("{}: ", shown(step)));
    indented(text, 4, &format!("{step}{}", shown(&mismatch.what)));
    let has_both = mismatch.lines.iter().any(|line| matches!(line, Line::Expected(_)));
    if has_both {
        indented(text, 6, &format!("{} {}", palette.good("- expected"), palette.bad("+ got")));
    }
    for line in &mismatch.lines {
        let line = match line {
            Line::Same(line) => format!("  {}", shown(line)),
            Line::Note(line) => palette.faint(&shown(line)),
            Line::Expected(line) => palette.good(&format!("- {}", shown(line))),
            Line::Got(line) => palette.bad(&format!("+ {}", shown(line))),
        };
        indented(text, 6, &line);
    }
}

fn indented(text: &mut String, columns: usize, line: &str) {
    let _ = writeln!(text, "{:columns$}{line}", "");
}

/// Returns the line about all tests.
pub fn summary(summary: &Summary, palette: Palette) -> String {
    let Summary { passed, failed, took } = summary;
    let good = format!("{passed} passed");
    let good = if *passed > 0 { palette.good(&good) } else { good };
    let bad = if *failed > 0 { format!(", {}", palette.bad(&format!("{failed} failed"))) } else { String::new() };
    format!("{good}{bad} in {}\n", duration(*took))
}

/// Returns one test as a line of JSON.
pub fn json_line(case: &Case) -> String {
    let (verdict, messages) = match &case.verdict {
        Verdict::Passed => ("passed", Vec::new()),
        Verdict::Broken(why) => ("failed", vec![why.clone()]),
        Verdict::Failed(all) => {
            ("failed", all.iter().map(|(step, mismatch)| plain(step.as_deref(), mismatch)).collect())
        }
    };
    let value = json!({
        "kind": "test",
        "file": case.file,
        "line": case.line,
        "name": case.name,
        "verdict": verdict,
        "messages": messages,
        "log": case.log,
        "seed": case.seed,
        "seconds": case.took.as_secs_f64(),
    });
    format!("{value}\n")
}

/// Returns a mismatch as plain text.
pub(crate) fn plain(step: Option<&str>, mismatch: &Mismatch) -> String {
    let mut text = String::new();
    told(&mut text, step, mismatch, Palette::Plain);
    text.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds >= 1.0 { format!("{seconds:.1} s") } else { format!("{:.0} ms", seconds * 1e3) }
}

/// Makes control characters visible: what a guest or a test file says must not steer a terminal.
fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push(c),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(verdict: Verdict) -> Case {
        Case {
            file: "tests/a.toml".into(),
            line: Some(7),
            name: "says \u{1b}[2Jhello".into(),
            took: Duration::from_millis(12),
            verdict,
            log: vec!["api: line one\nline two".into()],
            seed: 3,
            again: "wharf test . 'says hello' --seed 3".into(),
        }
    }

    #[test]
    fn a_test_that_passed_is_one_line() {
        assert_eq!(lines(&case(Verdict::Passed), Palette::Plain), "ok   tests/a.toml: says \\u{1b}[2Jhello (12 ms)\n");
    }

    #[test]
    fn a_test_that_failed_says_what_was_different_what_was_said_and_how_to_run_it_again() {
        let lines_of = vec![Line::Same("a".into()), Line::Expected("b".into()), Line::Got("c".into())];
        let mismatch = Mismatch { what: "body".into(), lines: lines_of };
        let verdict = Verdict::Failed(vec![(Some("step 2".into()), mismatch)]);
        assert_eq!(
            lines(&case(verdict), Palette::Plain),
            "FAIL tests/a.toml:7: says \\u{1b}[2Jhello (12 ms)\n    step 2: body\n      - expected + got\n        a\n      \
             - b\n      + c\n    log:\n      api: line one\n      line two\n    again: wharf test . 'says hello' --seed 3\n"
        );
    }

    #[test]
    fn the_summary_counts_both_ends() {
        let mut all = Summary { took: Duration::from_millis(1500), ..Summary::default() };
        all.add(&case(Verdict::Passed));
        all.add(&case(Verdict::Broken("no".into())));
        assert_eq!(summary(&all, Palette::Plain), "1 passed, 1 failed in 1.5 s\n");
    }
}
