//! What all tests of a run share: the app, its folder, and compiled code.
//!
//! In: an app as it was read. Out: for each test, the app with that test's variables and secrets, on trial. Next: [`wharf_node::Trial`].

use crate::discover::{Found, Tests};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use wharf_app::{App, Given, Hidden, nearest, render_without_text};
use wharf_node::{Outside, Simulation, Trial};
use wharf_runtime::Runtime;
use wharf_telemetry::chain;
use wharf_telemetry::log::Log;
use wharf_testing::{Fault, Settings};

/// What the wall clock says at the start where a test says nothing: 2026-01-01T00:00:00Z, since 1970.
const START: Duration = Duration::from_secs(1_767_225_600);

/// How long a test may take where it says nothing: longer than a component may by default.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What all tests share.
pub struct Bench {
    app: App,
    folder: PathBuf,
    runtime: Runtime,
    seed: Option<u64>,
}

/// How tests are run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// Whether requests without an answer go to the servers.
    pub record: bool,
}

impl Bench {
    /// Returns what the tests of an app share: `folder` is where its files are, `state` where compiled components are kept, and `seed` comes
    /// in the place of those that tests name.
    pub fn new(app: App, folder: PathBuf, state: &Path, seed: Option<u64>) -> Self {
        let runtime = Trial::runtime(state);
        Self { app, folder, runtime, seed }
    }

    /// Returns the app.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Returns the folder at which paths of the app start.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(crate) fn seed(&self, settings: &Settings) -> u64 {
        self.seed.or(settings.seed).unwrap_or(0)
    }

    pub(crate) fn timeout(settings: &Settings) -> Duration {
        settings.timeout.unwrap_or(TIMEOUT)
    }

    /// Loads the app once, so that each component is compiled once, and what is wrong with the app is told once and not by each test.
    ///
    /// # Errors
    /// When the app cannot be loaded.
    pub fn warm_up(&self, tests: &Tests, wanted: &[Found]) -> Result<(), wharf_node::Error> {
        let settings = wanted.iter().find_map(|found| tests.in_file(*found)).map(|(_, test)| test.settings.clone());
        // Variables that a test does not give are that test's failure.
        let Ok(app) = self.filled(&settings.unwrap_or_default()) else { return Ok(()) };
        let outside = Nothing::outside();
        Trial::new(&self.runtime, &app, &self.folder, outside, Log::discard()).map(drop)
    }

    /// Returns the app with a test's variables and secrets, or why it cannot be run with these.
    pub(crate) fn filled(&self, settings: &Settings) -> Result<App, String> {
        let app = &self.app;
        for name in settings.variables.keys() {
            if app.variable(name).is_none() {
                let meant =
                    app.nearest_variable(name).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
                return Err(format!(
                    "the test gives a value for `{name}`, and the app has no variable of that name{meant}"
                ));
            }
        }
        let granted: Vec<&str> = app
            .components
            .iter()
            .flat_map(|component| &component.grants.secrets)
            .map(|secret| secret.name.as_str())
            .collect();
        for name in settings.secrets.keys() {
            if !granted.contains(&name.as_str()) {
                let meant = nearest(name, granted.iter().copied());
                let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
                return Err(format!(
                    "the test gives the secret `{name}`, which no component of the app is granted{meant}"
                ));
            }
        }
        let hidden = |(name, value): (&String, &String)| (name.clone(), Hidden::new(value.clone()));
        let secrets: BTreeMap<String, Hidden> = settings.secrets.iter().map(hidden).collect();
        let declared = secrets.iter().filter(|(name, _)| app.variable(name).is_some());
        let declared = declared.map(|(name, value)| (name.clone(), value.clone()));
        let flags = settings.variables.iter().map(hidden).chain(declared).collect();
        let given = Given { flags, ..Given::default() };
        let mut filled = app.clone().fill(&given).map_err(|problems| {
            let text = render_without_text(&problems);
            format!("{}\ngive it in the test file: [settings] variables = {{ NAME = \"value\" }}", text.trim_end())
        })?;
        filled.secrets.extend(secrets);
        Ok(filled)
    }

    /// Puts the app on trial.
    pub(crate) fn trial(&self, app: &App, outside: Outside, log: Log) -> Result<Trial, String> {
        Trial::new(&self.runtime, app, &self.folder, outside, log).map_err(|error| match &error {
            wharf_node::Error::Components(errors) => {
                errors.iter().map(|error| chain(error)).collect::<Vec<_>>().join("\n")
            }
            _ => chain(&error),
        })
    }

    /// Returns the clocks of a test.
    pub(crate) fn world(&self, settings: &Settings) -> Arc<Simulation> {
        Arc::new(Simulation::new(settings.clock.unwrap_or(START), self.seed(settings)))
    }
}

/// An outside that nobody asks.
struct Nothing;

impl Nothing {
    fn outside() -> Outside {
        let world = Arc::new(Simulation::new(START, 0));
        let faults = Arc::new(crate::faults::Faults::new(&[] as &[Fault], Arc::clone(&world)));
        let servers = Arc::new(crate::servers::Answers::new(Vec::new(), Arc::clone(&faults), Mode::default()));
        Outside { world, servers, faults }
    }
}
