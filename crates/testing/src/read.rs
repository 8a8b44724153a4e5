//! Reads a test file.
//!
//! In: its text. Out: a [`Suite`], or what is wrong with it and where. What TOML and the types of keys find is reported alone; of what
//! values mean, everything is.

mod convert;
mod expect;
mod request;

use crate::codes::CODE;
use crate::file;
use crate::suite::{Action, Fault, Given, Settings, Step, Suite, Test};
use std::collections::BTreeMap;
use std::time::Duration;
use toml::Spanned;
use wharf_app::{Problem, Severity, Span, nearest};

/// Bytes that a test file may have.
const LEN_MAX: usize = 16 << 20;

/// Problems that are reported.
const PROBLEMS_MAX: usize = 100;

/// Reads a test file. The suite is there if and only if no problem is an error.
pub fn parse(text: &str) -> (Option<Suite>, Vec<Problem>) {
    if text.len() > LEN_MAX {
        return (None, vec![Problem::error(CODE, 0..0, "the test file is longer than 16 MiB").with_help("split it")]);
    }
    let file: file::File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => return (None, vec![unreadable(text, &error)]),
    };
    let mut reader = Reader::default();
    let suite = reader.suite(file);
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.span.start);
    problems.truncate(PROBLEMS_MAX);
    let is_sound = problems.iter().all(|problem| problem.severity == Severity::Warning);
    (is_sound.then_some(suite), problems)
}

/// Returns what TOML, or the type of a key, says, in the words of the other files.
fn unreadable(text: &str, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or(text.len()..text.len());
    let message = error.message();
    if let Some((unknown, known)) = unknown_key(message) {
        let problem = Problem::error(CODE, span, format!("unknown key `{unknown}`"));
        return match nearest(unknown, known.iter().copied()) {
            Some(meant) => problem.with_label(format!("did you mean `{meant}`?")),
            None => problem.with_help(format!("the keys here are {}", quoted(&known))),
        };
    }
    if let Some(missing) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return Problem::error(CODE, span, format!("there is no `{missing}` here, and it has to be"));
    }
    let (what, label) = message.split_once(", expected ").unwrap_or((message, ""));
    let problem = Problem::error(CODE, span, what.trim_end());
    if label.is_empty() { problem } else { problem.with_label(format!("expected {label}")) }
}

fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, rest) = rest.split_once('`')?;
    Some((unknown, rest.split('`').skip(1).step_by(2).collect()))
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Checks what values mean, and collects what is wrong.
#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.problems.push(Problem::error(CODE, span, message));
    }

    fn help(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::error(CODE, span, message).with_help(help));
    }

    fn suite(&mut self, file: file::File) -> Suite {
        let common = Common {
            settings: self.settings(file.settings),
            given: self.given(file.given),
            faults: file.fault.into_iter().filter_map(|fault| self.fault(fault)).collect(),
        };
        if file.test.is_empty() {
            self.help(0..0, "there is no test in this file", "add `[[test]]` with `name`, `request` and `expect`");
        }
        let mut names = BTreeMap::new();
        let mut tests = Vec::new();
        for (index, test) in file.test.into_iter().enumerate() {
            let name = test.get_ref().name.clone();
            if name.get_ref().trim().is_empty() {
                self.error(name.span(), "a test has a name that is not empty");
            }
            if let Some(first) = names.insert(name.get_ref().clone(), name.span()) {
                let problem = Problem::error(CODE, name.span(), "two tests of this file have the same name");
                self.problems.push(problem.with_related(first, "the other one"));
            }
            tests.push(self.test(index, test, &common));
        }
        Suite { tests }
    }

    fn test(&mut self, index: usize, test: Spanned<file::Test>, common: &Common) -> Test {
        let span = test.get_ref().name.span();
        let test = test.into_inner();
        let settings = self.settings(test.settings).over(&common.settings);
        let given = self.given(test.given).after(&common.given);
        let own: Vec<Fault> = test.fault.into_iter().filter_map(|fault| self.fault(fault)).collect();
        let faults = own.into_iter().chain(common.faults.iter().cloned()).collect();
        let single = file::Step {
            name: None,
            component: test.component,
            request: test.request,
            call: test.call,
            run: test.run,
            advance: test.advance,
            expect: None,
        };
        let expect = test.expect.map(|expect| self.expect(expect));
        let (steps, expect, has_steps) = match test.steps {
            None => {
                let step = self.step(single, span.clone(), "a test");
                (vec![Step { expect, ..step }], None, false)
            }
            Some(steps) => {
                if !actions(&single).is_empty() {
                    let help = "make it the first step";
                    self.help(span.clone(), "a test has either `steps`, or one thing that happens", help);
                }
                if steps.is_empty() {
                    self.error(span.clone(), "the test has no steps");
                }
                let steps = steps.into_iter().map(|step| self.step_with_expect(step)).collect();
                (steps, expect, true)
            }
        };
        Test { name: test.name.into_inner(), span, index, settings, given, faults, steps, expect, has_steps }
    }

    fn step_with_expect(&mut self, step: Spanned<file::Step>) -> Step {
        let span = step.span();
        let mut step = step.into_inner();
        let expect = step.expect.take().map(|expect| self.expect(expect));
        Step { expect, ..self.step(step, span, "a step") }
    }

    fn step(&mut self, step: file::Step, span: Span, what: &str) -> Step {
        let given = actions(&step);
        if given.len() != 1 {
            let found = if given.is_empty() { "nothing".to_owned() } else { quoted(&given) };
            let message = format!("{what} has one of `request`, `call`, `run` and `advance`; this one has {found}");
            self.error(span.clone(), message);
        }
        let file::Step { name, component, request, call, run, advance, .. } = step;
        let action = if let Some(request) = request {
            if component.is_some() {
                let help = "send the request to a route of it, or use `call`";
                self.help(span.clone(), "a request goes where the routes of the app lead it", help);
            }
            Action::Request(self.request(request))
        } else if let Some(call) = call {
            Action::Call { component, text: call.into_inner() }
        } else if let Some(arguments) = run {
            Action::Run { component, arguments }
        } else {
            let by = advance.map_or(Duration::ZERO, |advance| self.duration(&advance));
            Action::Advance(by)
        };
        Step { name, span, action, expect: None }
    }

    fn duration(&mut self, text: &Spanned<String>) -> Duration {
        wharf_app::parse_duration(text.get_ref()).unwrap_or_else(|why| {
            let problem = Problem::error(CODE, text.span(), "this is no duration such as \"50ms\", \"10s\" or \"1h\"");
            self.problems.push(problem.with_label(why));
            Duration::ZERO
        })
    }
}

/// What all tests of a file have.
struct Common {
    settings: Settings,
    given: Given,
    faults: Vec<Fault>,
}

fn actions(step: &file::Step) -> Vec<&'static str> {
    let all = [
        ("request", step.request.is_some()),
        ("call", step.call.is_some()),
        ("run", step.run.is_some()),
        ("advance", step.advance.is_some()),
    ];
    all.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
}

impl Settings {
    /// Returns these, and of `other` what these do not say.
    fn over(self, other: &Self) -> Self {
        let mut merged = other.clone();
        merged.variables.extend(self.variables);
        merged.secrets.extend(self.secrets);
        merged.clock = self.clock.or(merged.clock);
        merged.seed = self.seed.or(merged.seed);
        merged.timeout = self.timeout.or(merged.timeout);
        merged
    }
}

impl Given {
    /// Returns what is given in `first`, then this. Of answers of servers, the later ones come first: they are more particular.
    fn after(self, first: &Self) -> Self {
        let mut merged = first.clone();
        merged.keyvalue.extend(self.keyvalue);
        merged.blob.extend(self.blob);
        merged.sql.extend(self.sql);
        merged.http = self.http.into_iter().chain(std::mem::take(&mut merged.http)).collect();
        merged
    }
}

#[cfg(test)]
mod tests;
