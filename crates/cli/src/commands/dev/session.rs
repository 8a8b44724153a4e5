//! What `wharf dev` knows between two changes, and the work that a change makes: build what is stale, put it in place, tell the pages.
//!
//! In: changed files. Out: a version in place, or the reason why not, in the terminal and in pages. Next: [`crate::building`], `node`.
//!
//! Invariant: work may be dropped while it builds. What it was about is then part of the work that follows.

use super::plain::plain;
use crate::building;
use crate::command_error::CommandError;
use crate::commands::up::watch_out;
use crate::output::talk;
use crate::report;
use crate::serving::{Serving, banner};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use wharf_build::{Changes, Watch};
use wharf_build::{Error, Fingerprint, Sources};
use wharf_gateway::dev::Dev;
use wharf_node::Description;
use wharf_project::Read;
use wharf_telemetry::clock;

/// How often work may be stopped for a newer change before one is done to its end.
const STOPS: u32 = 3;

/// One run of `wharf dev`.
pub(super) struct Session<'a> {
    serving: &'a Serving<'a>,
    dev: Arc<Dev>,
    verbose: bool,
    swapping: Cell<bool>,
    /// How often work was stopped since it was done last.
    stopped: Cell<u32>,
    state: RefCell<State>,
}

struct State {
    /// The app as its manifest says it is; absent while the manifest is broken.
    read: Option<Rc<Read>>,
    /// The app as its manifest said it was when it was not.
    last: Option<Rc<Read>>,
    sources: BTreeMap<String, Sources>,
    /// What the sources were when they were built last without a mistake.
    built: BTreeMap<String, Fingerprint>,
    /// What they were when that was tried last.
    tried: BTreeMap<String, Fingerprint>,
    /// What they were when the work that runs began.
    started: BTreeMap<String, Fingerprint>,
    waiting: Todo,
    running: Todo,
    /// The number of the version in place; zero while there is none.
    version: u64,
}

/// What is to be done.
#[derive(Clone, Default)]
struct Todo {
    /// Files changed, and it is not known yet what that means.
    look: bool,
    build: bool,
    manifest: bool,
    forced: bool,
    /// When the first file changed.
    since: Option<Instant>,
}

impl<'a> Session<'a> {
    pub(super) fn new(serving: &'a Serving<'a>, dev: Arc<Dev>, read: Read, verbose: bool) -> Self {
        let state = State {
            read: None,
            last: None,
            sources: BTreeMap::new(),
            built: BTreeMap::new(),
            tried: BTreeMap::new(),
            started: BTreeMap::new(),
            waiting: Todo::default(),
            running: Todo::default(),
            version: 0,
        };
        let session = Self {
            serving,
            dev,
            verbose,
            swapping: Cell::new(false),
            stopped: Cell::new(0),
            state: RefCell::new(state),
        };
        session.take(read);
        // The first work is about everything.
        session.state.borrow_mut().waiting = Todo::default();
        session
    }

    pub(super) fn serving(&self) -> &'a Serving<'a> {
        self.serving
    }

    /// Returns the name and the version of the app.
    pub(super) fn name(&self) -> (String, String) {
        let state = self.state.borrow();
        state.read.as_ref().map(|read| (read.app.name.clone(), read.app.version.clone())).unwrap_or_default()
    }

    /// Watches what the app is made of.
    pub(super) fn watch(&self, watch: &mut Watch) {
        let state = self.state.borrow();
        watch.set(self.serving.files(state.read.as_deref()), state.sources.values().cloned().collect());
    }

    /// Takes note of changed files.
    pub(super) fn note(&self, changes: &Changes) {
        let is_source = |path| self.state.borrow().sources.values().any(|sources| sources.contains(path));
        let others = changes.everything || changes.paths.iter().any(|path| !is_source(path));
        {
            let mut state = self.state.borrow_mut();
            state.waiting.look = true;
            state.waiting.since = state.waiting.since.or(changes.since);
        }
        if others {
            self.read_again();
        }
    }

    /// Asks for everything to be built again.
    pub(super) fn force(&self) {
        let mut state = self.state.borrow_mut();
        state.waiting.forced = true;
        state.waiting.since.get_or_insert_with(clock::now);
    }

    /// Tells whether there is something that the work that runs does not do. Reads the sources if files changed.
    pub(super) fn has_new_work(&self) -> bool {
        let mut state = self.state.borrow_mut();
        if state.read.is_none() {
            return false;
        }
        if state.waiting.look && !state.waiting.build {
            let known = |name: &String| state.started.get(name).or_else(|| state.tried.get(name));
            let mut sources = state.sources.iter();
            let stale = sources.any(|(name, sources)| known(name) != Some(&sources.fingerprint()));
            state.waiting.build = stale;
        }
        state.waiting.build || state.waiting.manifest || state.waiting.forced
    }

    /// Tells whether there is anything to do, once nothing is being done.
    pub(super) fn has_work(&self) -> bool {
        self.has_new_work() || (self.state.borrow().waiting.look && self.state.borrow().read.is_some())
    }

    /// Tells whether the work that runs is to be stopped, because what it does is out of date.
    pub(super) fn stops(&self) -> bool {
        // A build that writes among its own sources would stop itself for ever.
        let may_stop = self.state.borrow().waiting.forced || self.stopped.get() < STOPS;
        let stops = self.has_new_work() && may_stop && !self.swapping.get();
        if stops {
            self.stopped.set(self.stopped.get() + 1);
        }
        stops
    }

    /// Lets the pages go.
    pub(super) fn end(&self) {
        self.dev.end();
    }

    /// Builds what is missing or older than its sources, and puts the first version in place.
    pub(super) async fn first(&self) {
        let Some(read) = self.begin(Todo { since: Some(clock::now()), ..Todo::default() }) else { return };
        let built = self.make(&read, None).await;
        self.done(built);
    }

    /// Does what is waiting: builds the components whose sources changed, and puts them in place.
    pub(super) async fn next(&self) {
        let todo = std::mem::take(&mut self.state.borrow_mut().waiting);
        let Some(read) = self.begin(todo) else { return };
        let only = {
            let state = self.state.borrow();
            let is_stale = |name: &&String| state.running.forced || state.built.get(*name) != state.started.get(*name);
            state.sources.keys().filter(is_stale).cloned().collect()
        };
        let (is_look, failed) = {
            let state = self.state.borrow();
            let running = &state.running;
            (!running.build && !running.manifest && !running.forced, state.built != state.tried)
        };
        // A file that changed beside sources that cannot be built says nothing new.
        let built = if is_look && failed { false } else { self.make(&read, Some(only)).await };
        self.done(built);
    }

    /// Begins work. Includes what earlier work did not come to because it was stopped.
    fn begin(&self, todo: Todo) -> Option<Rc<Read>> {
        let mut state = self.state.borrow_mut();
        let stopped = std::mem::take(&mut state.running);
        state.running = Todo {
            look: todo.look || stopped.look,
            build: todo.build || stopped.build,
            manifest: todo.manifest || stopped.manifest,
            forced: todo.forced || stopped.forced,
            since: todo.since.or(stopped.since),
        };
        state.started = state.sources.iter().map(|(name, sources)| (name.clone(), sources.fingerprint())).collect();
        state.read.clone()
    }

    fn done(&self, built: bool) {
        let mut state = self.state.borrow_mut();
        self.stopped.set(0);
        state.tried = std::mem::take(&mut state.started);
        if built {
            state.built = state.tried.clone();
        }
        state.running = Todo::default();
    }

    /// Builds `only` these components, or those that are stale, and puts the app in place. Tells whether the builds succeeded.
    async fn make(&self, read: &Rc<Read>, only: Option<BTreeSet<String>>) -> bool {
        let (since, manifest) = {
            let state = self.state.borrow();
            (state.running.since.unwrap_or_else(clock::now), state.running.manifest)
        };
        let has_builds = only.as_ref().is_none_or(|only| !only.is_empty());
        let mut commands = Duration::ZERO;
        if has_builds && !self.serving.args.no_build {
            self.dev.building();
            match self.build(read, only).await {
                Ok(took) => commands = took,
                Err(()) => return false,
            }
        }
        self.swapping.set(true);
        let (node, app, folder) = (Arc::clone(&self.serving.node), read.app.clone(), self.serving.project.folder());
        let swapped = tokio::task::spawn_blocking(move || node.swap(&app, &folder)).await;
        self.swapping.set(false);
        match swapped {
            Ok(Ok((description, old))) => {
                watch_out(old);
                self.in_place(&description, manifest, clock::since(since), commands);
            }
            Ok(Err(error)) => self.failed(&report::load_error(&error, read.text.as_ref()), ""),
            Err(error) => self.failed(&CommandError::failed(format!("the swap was broken off: {error}")), ""),
        }
        true
    }

    async fn build(&self, read: &Read, only: Option<BTreeSet<String>>) -> Result<Duration, ()> {
        let mut options = building::options(&self.serving.project.folder());
        options.force = only.is_some();
        options.only = only;
        let (outcomes, took) = building::shown(&read.app, &options, self.verbose).await;
        let with_build = |name: &str| read.app.component(name).is_some_and(|component| component.build.is_some());
        let errors = outcomes.iter().filter(|outcome| with_build(&outcome.component));
        let errors: Vec<&Error> = errors.filter_map(|outcome| outcome.result.as_ref().err()).collect();
        let said: Vec<&str> = errors.iter().map(|error| error.said()).filter(|said| !said.is_empty()).collect();
        match building::error(&errors) {
            Some(error) => {
                self.failed(&error, &said.join("\n"));
                Err(())
            }
            None => Ok(took),
        }
    }

    /// Tells the user and the pages what is in place now, if that is something else.
    fn in_place(&self, description: &Description, manifest: bool, took: Duration, commands: Duration) {
        let new: Vec<&str> =
            description.components.iter().filter(|line| !line.kept).map(|line| line.name.as_str()).collect();
        let mut state = self.state.borrow_mut();
        let is_first = state.version == 0;
        if !is_first && new.is_empty() && !manifest {
            self.dev.unchanged();
            return;
        }
        let now = clock::wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // Pages that outlive this process meet larger numbers in the next one.
        state.version = u64::try_from(now.as_millis()).unwrap_or(u64::MAX).max(state.version.saturating_add(1));
        self.dev.ready(state.version);
        if self.serving.args.quiet {
            return;
        }
        if is_first || manifest {
            talk(&banner::details(description));
        }
        let what = if new.is_empty() { "the manifest".to_owned() } else { new.join(", ") };
        let ours = took.saturating_sub(commands);
        talk(&format!(
            "in place after {:.3} s (build {:.3} s, wharf {:.3} s): {what}\n",
            took.as_secs_f64(),
            commands.as_secs_f64(),
            ours.as_secs_f64()
        ));
    }

    fn failed(&self, error: &CommandError, said: &str) {
        let has_version = self.state.borrow().version > 0;
        let goes_on = if has_version { "the version that is there goes on\n" } else { "waiting for a change\n" };
        talk(&format!("{}{goes_on}", error.text()));
        self.dev.failed(plain(&format!("{said}\n{}", error.text())).trim());
    }

    fn read_again(&self) {
        match self.serving.read_again() {
            Ok(read) => self.take(read),
            Err(error) => {
                self.state.borrow_mut().read = None;
                self.failed(&error, "");
            }
        }
    }

    /// Takes the app as it was read.
    fn take(&self, read: Read) {
        let folder = self.serving.project.folder();
        let mut sources = BTreeMap::new();
        for component in read.app.components.iter().filter(|_| !self.serving.args.no_build) {
            let Some(build) = &component.build else { continue };
            match Sources::of(component, build, &folder) {
                Ok(found) => _ = sources.insert(component.name.clone(), found),
                // The build will say so.
                Err(error) => tracing::debug!("{error}"),
            }
        }
        let mut state = self.state.borrow_mut();
        let last = state.last.take();
        let was_broken = state.read.is_none();
        let is_other = last.as_ref().is_none_or(|last| last.app != read.app);
        // What another command makes of the same sources is another thing.
        let is_built_alike = |name: &String, _: &mut Fingerprint| {
            let old = last.as_ref().and_then(|last| last.app.component(name));
            let new = read.app.component(name);
            old.zip(new).is_none_or(|(old, new)| new.build == old.build && new.source == old.source)
        };
        state.built.retain(is_built_alike);
        state.tried.retain(is_built_alike);
        state.waiting.look |= was_broken;
        state.waiting.manifest |= (is_other || was_broken) && state.version > 0;
        state.sources = sources;
        let read = Rc::new(read);
        state.last = Some(Rc::clone(&read));
        state.read = Some(read);
    }
}
