//! Runs tests on several threads, each test on one of them from its beginning to its end.
//!
//! In: tests. Out: what came of each, in their order. Next: [`crate::bench`], which puts the app on trial.

use crate::bench::{Bench, Mode};
use crate::capture::{Said, Taken};
use crate::discover::{Found, Tester, Tests};
use crate::faults::Faults;
use crate::observe;
use crate::servers::{Answers, pairs};
use http::Request;
use http::header::HOST;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use wharf_node::{Asked, Messages, Outside, SentMessage, Trial, TrialError};
use wharf_telemetry::log::{Log, Record, Stream};
use wharf_telemetry::{chain, clock};
use wharf_testing::{
    Action, Answer, Case, Exchange, Expect, Learnt, Line, Mismatch, Observed, Outcome, Settings, Test, Verdict, compare,
};

/// What came of a test, and what was learnt from it.
#[derive(Debug)]
pub struct Ran {
    pub(crate) found: Found,
    /// What is told of it.
    pub case: Case,
    /// What came of steps that were not as expected.
    pub(crate) learnt: Vec<Learnt>,
    /// What servers answered.
    pub(crate) recorded: Vec<(String, String, Answer)>,
}

/// Runs tests, and tells each as soon as it and all before it are done.
pub fn run(bench: &Bench, tests: &Tests, wanted: &[Found], jobs: usize, mode: Mode, tell: impl Fn(&Ran)) -> Vec<Ran> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(wanted.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                wharf_runtime::prepare_thread();
                while let Some((number, found)) = take(next, wanted) {
                    let ran = one(bench, tests, found, mode);
                    if sender.send((number, ran)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut done: Vec<Ran> = Vec::new();
        for (number, ran) in receiver {
            waiting.insert(number, ran);
            while let Some(ran) = waiting.remove(&done.len()) {
                tell(&ran);
                done.push(ran);
            }
        }
        done
    })
}

fn take(next: &AtomicUsize, wanted: &[Found]) -> Option<(usize, Found)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    wanted.get(number).map(|found| (number, *found))
}

fn one(bench: &Bench, tests: &Tests, found: Found, mode: Mode) -> Ran {
    let started = clock::now();
    let (said, _listening) = Said::listen();
    let ended = catch_unwind(AssertUnwindSafe(|| on_this_thread(bench, tests, found, mode, &said)));
    let ended = ended.unwrap_or_else(|_| Ended::broken("the runner of tests failed; this is a mistake of Wharf"));
    let settings = tests.in_file(found).map(|(_, test)| test.settings.clone()).unwrap_or_default();
    let line = tests.in_file(found).map(|(file, test)| wharf_app::position(&file.text, test.span.start).0);
    let seed = bench.seed(&settings);
    let place = bench.folder().display();
    let again = format!("wharf test {} {} --seed {seed}", quoted(&place.to_string()), quoted(&tests.id(found)));
    let case = Case {
        file: tests.shown(found),
        line,
        name: tests.name(found),
        took: clock::since(started),
        verdict: ended.verdict,
        log: ended.log,
        seed,
        again,
    };
    Ran { found, case, learnt: ended.learnt, recorded: ended.recorded }
}

/// Returns a text as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// How a test ended.
struct Ended {
    verdict: Verdict,
    log: Vec<String>,
    learnt: Vec<Learnt>,
    recorded: Vec<(String, String, Answer)>,
}

impl Ended {
    fn broken(why: impl Into<String>) -> Self {
        Self { verdict: Verdict::Broken(why.into()), log: Vec::new(), learnt: Vec::new(), recorded: Vec::new() }
    }
}

fn on_this_thread(bench: &Bench, tests: &Tests, found: Found, mode: Mode, said: &Said) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(16).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Ended::broken(format!("cannot start an event loop: {error}")),
    };
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(wharf_runtime::pump());
        match tests.in_file(found) {
            Some((file, test)) => in_file(bench, &file.path, test, mode, said).await,
            None => match tests.tester(found) {
                Some(one) => tester(bench, one, said).await,
                None => Ended::broken("the test went away"),
            },
        }
    })
}

/// Puts the app on trial for a test, with what answers in the place of servers.
fn begin(
    bench: &Bench,
    settings: &Settings,
    test: Option<(&Test, &Path)>,
    mode: Mode,
) -> Result<(Trial, Arc<Answers>, Log), String> {
    let app = bench.filled(settings)?;
    let world = bench.world(settings);
    let (faults, given) = match test {
        Some((test, beside)) => (test.faults.as_slice(), observe::answers(&test.given, beside)?),
        None => (&[][..], Vec::new()),
    };
    let faults = Arc::new(Faults::new(faults, Arc::clone(&world)));
    let answers = Arc::new(Answers::new(given, Arc::clone(&faults), mode));
    let servers: Arc<dyn wharf_node::Servers> = Arc::<Answers>::clone(&answers);
    let log = Log::kept();
    let trial = bench.trial(&app, Outside { world, servers, faults }, log.clone())?;
    Ok((trial, answers, log))
}

async fn in_file(bench: &Bench, path: &Path, test: &Test, mode: Mode, said: &Said) -> Ended {
    let (trial, answers, log) = match begin(bench, &test.settings, Some((test, path)), mode) {
        Ok(begun) => begun,
        Err(why) => return Ended::broken(why),
    };
    let messages = match trial.overhear().await {
        Ok(messages) => messages,
        Err(error) => return Ended::broken(chain(&error)),
    };
    let mut course = Course { trial, answers, log, messages, said, path, seen: Seen::default() };
    let limit = Bench::timeout(&test.settings);
    let verdict = match tokio::time::timeout(limit, course.run(test)).await {
        Ok(Ok(mismatches)) if mismatches.is_empty() => Verdict::Passed,
        Ok(Ok(mismatches)) => Verdict::Failed(mismatches),
        Ok(Err(why)) => Verdict::Broken(why),
        Err(_) => Verdict::Broken(too_long(limit)),
    };
    course.notice().await;
    let recorded = course.answers.take_recorded();
    Ended { verdict, log: course.seen.told, learnt: course.seen.learnt, recorded }
}

fn too_long(limit: Duration) -> String {
    format!("it was not done after {} and was ended", wharf_app::format_duration(limit))
}

/// Runs a component that tests.
async fn tester(bench: &Bench, tester: &Tester, said: &Said) -> Ended {
    let settings = Settings { timeout: bench.app().test.timeout, ..Settings::default() };
    let begun = begin(bench, &settings, None, Mode::default());
    let (trial, _answers, log) = match begun {
        Ok(begun) => begun,
        Err(why) => return Ended::broken(why),
    };
    let path = &tester.path;
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Ended::broken(format!("cannot read {}: {error}", path.display())),
    };
    let limit = Bench::timeout(&settings);
    let ran = tokio::time::timeout(limit, trial.run_tester(bench.runtime(), &tester.name, &bytes)).await;
    let verdict = match ran {
        Ok(Ok(0)) => Verdict::Passed,
        Ok(Ok(code)) => Verdict::Broken(format!("it ended with exit code {code}")),
        Ok(Err(error)) => Verdict::Broken(failure_text(&error)),
        Err(_) => Verdict::Broken(too_long(limit)),
    };
    let log = lines(&log).into_iter().map(|line| line.shown()).chain(said.take().lines).collect();
    Ended { verdict, log, learnt: Vec::new(), recorded: Vec::new() }
}

/// A test that is under way.
struct Course<'a> {
    trial: Trial,
    answers: Arc<Answers>,
    log: Log,
    messages: Messages,
    said: &'a Said,
    path: &'a Path,
    seen: Seen,
}

/// What was seen over all steps.
#[derive(Default)]
struct Seen {
    all: Observed,
    /// Lines for the report.
    told: Vec<String>,
    learnt: Vec<Learnt>,
}

type Mismatches = Vec<(Option<String>, Mismatch)>;

impl Course<'_> {
    async fn run(&mut self, test: &Test) -> Result<Mismatches, String> {
        observe::fill(&self.trial.state(), &test.given, self.path).await?;
        let mut mismatches = Mismatches::new();
        for (number, step) in test.steps.iter().enumerate() {
            let outcome = self.act(&step.action).await?;
            let observed = self.observe(outcome, step.expect.as_ref()).await?;
            let name = test.has_steps.then(|| step.name.clone().unwrap_or_else(|| format!("step {}", number + 1)));
            let mut found = compare(step.expect.as_ref(), &observed);
            if !found.is_empty() || step.expect.is_none() {
                let step = test.has_steps.then_some(number);
                let Observed { outcome, stdout, .. } = observed;
                self.seen.learnt.push(Learnt { test: test.index, step, outcome, stdout });
            }
            found.extend(self.answers.take_unmatched().iter().map(unmatched));
            let is_over = !found.is_empty();
            mismatches.extend(found.into_iter().map(|mismatch| (name.clone(), mismatch)));
            // What comes later builds on what came before.
            if is_over {
                return Ok(mismatches);
            }
        }
        if let Some(expect) = &test.expect {
            let mut all = std::mem::take(&mut self.seen.all);
            if expect.trap.is_none() {
                // Each step was asked for its own.
                all.failures.clear();
            }
            observe::look(&self.trial.state(), expect, self.path, &mut all).await?;
            mismatches.extend(compare(Some(expect), &all).into_iter().map(|mismatch| (None, mismatch)));
        }
        Ok(mismatches)
    }

    async fn act(&self, action: &Action) -> Result<Outcome, String> {
        match action {
            Action::Request(request) => {
                let mut built = Request::builder().method(request.method.as_str()).uri(request.path.as_str());
                built = built.header(HOST, request.host.as_str());
                for (name, value) in &request.headers {
                    built = built.header(name, value);
                }
                let body = observe::bytes(&request.body, self.path)?;
                if !body.is_empty() {
                    built = built.header(http::header::CONTENT_LENGTH, body.len());
                }
                let built = built.body(body).map_err(|error| format!("the request cannot be sent: {error}"))?;
                let Asked { response, body, broken } = self.trial.ask(built).await;
                let headers = pairs(response.headers());
                Ok(Outcome::Answer(Answer { status: response.status().as_u16(), headers, body: body.to_vec(), broken }))
            }
            Action::Call { component, text } => match self.trial.call(component.as_deref(), text).await {
                Ok(results) => Ok(Outcome::Returned(results.join(", "))),
                Err(error @ (TrialError::Failed(_) | TrialError::Call(_))) => Ok(Outcome::Failed(failure_text(&error))),
                Err(error) => Err(chain(&error)),
            },
            Action::Run { component, arguments } => match self.trial.run(component.as_deref(), arguments).await {
                Ok(code) => Ok(Outcome::Exit(code)),
                Err(error @ TrialError::Failed(_)) => Ok(Outcome::Failed(failure_text(&error))),
                Err(error) => Err(chain(&error)),
            },
            Action::Advance(by) => {
                self.trial.world().advance(*by);
                Ok(Outcome::Nothing)
            }
        }
    }

    /// Takes note of what was said and sent since the last time, and looks up what a step asks for.
    async fn observe(&mut self, outcome: Outcome, expect: Option<&Expect>) -> Result<Observed, String> {
        let mut observed = self.notice().await;
        observed.outcome = outcome;
        if let Some(expect) = expect {
            observe::look(&self.trial.state(), expect, self.path, &mut observed).await?;
        }
        Ok(observed)
    }

    async fn notice(&mut self) -> Observed {
        let lines = lines(&self.log);
        let Taken { lines: said, failures } = self.said.take();
        self.seen.told.extend(lines.iter().map(GuestLine::shown).chain(said.iter().cloned()));
        let stdout = lines.iter().filter(|line| line.is_stdout).map(|line| line.text.clone()).collect::<Vec<_>>();
        let log = lines.into_iter().map(|line| line.text).chain(said).collect::<Vec<_>>();
        let http_requests = self.answers.take_sent();
        let message = |sent: SentMessage| Exchange {
            kind: sent.label,
            to: sent.topic,
            headers: Vec::new(),
            body: sent.data.to_vec(),
        };
        let messages: Vec<Exchange> = self.messages.take().await.into_iter().map(message).collect();
        let all = &mut self.seen.all;
        all.stdout.extend(stdout.iter().cloned());
        all.log.extend(log.iter().cloned());
        all.failures.extend(failures.iter().cloned());
        all.http_requests.extend(http_requests.iter().cloned());
        all.messages.extend(messages.iter().cloned());
        Observed { stdout, log, failures, http_requests, messages, ..Observed::default() }
    }
}

/// A line that a guest printed.
struct GuestLine {
    component: String,
    text: String,
    is_stdout: bool,
}

impl GuestLine {
    fn shown(&self) -> String {
        format!("{}: {}", self.component, self.text)
    }
}

fn lines(log: &Log) -> Vec<GuestLine> {
    let (records, dropped) = log.take();
    let line = |record: Record| match record {
        Record::Guest(line) => Some(GuestLine {
            component: line.component.to_string(),
            text: line.shown().into_owned(),
            is_stdout: line.stream == Stream::Stdout,
        }),
        Record::Access(_) => None,
    };
    let mut lines: Vec<GuestLine> = records.into_iter().filter_map(line).collect();
    if dropped > 0 {
        let text = format!("{dropped} more lines were printed and are left out");
        lines.push(GuestLine { component: "log".to_owned(), text, is_stdout: false });
    }
    lines
}

fn failure_text(error: &TrialError) -> String {
    let failure = match error {
        TrialError::Failed(failure) => failure,
        TrialError::Call(wharf_runtime::invoke::call::CallError::Failed(failure)) => failure,
        other => return chain(other),
    };
    let detail = failure.detail.as_deref().map_or_else(String::new, |detail| format!("\n{detail}"));
    format!("{}: {failure}{detail}", failure.cause.code())
}

fn unmatched((method, url): &(String, String)) -> Mismatch {
    let add = wharf_testing::exchange_as_toml(method, url);
    let notes = ["add to the test file, or run with --record:", ""].into_iter().chain(add.lines());
    Mismatch {
        what: format!("[{}] {method} {url}: the test has no answer for this request", wharf_testing::UNMATCHED),
        lines: notes.map(|line| Line::Note(line.to_owned())).collect(),
    }
}
