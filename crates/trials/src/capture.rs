//! What the host says during a test, kept for that test instead of printed.
//!
//! In: events of the thread that runs the test. Out: lines, and failures of components among them. Next: the report.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Events that are kept of one test.
const EVENTS_MAX: usize = 1000;

/// What the host said.
#[derive(Clone, Default)]
pub(crate) struct Said(Arc<Mutex<Vec<(Level, String)>>>);

/// What the host said since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// All lines.
    pub(crate) lines: Vec<String>,
    /// Those that say why a component failed.
    pub(crate) failures: Vec<String>,
}

impl Said {
    /// Keeps what the host says on this thread, until what is returned is dropped.
    pub(crate) fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        let said = Self::default();
        // Others than our crates speak of what the engine does with guests, which is no news for a test.
        let filter = Targets::new().with_default(LevelFilter::ERROR).with_target("wharf", LevelFilter::WARN);
        let subscriber = Registry::default().with(Keep(said.clone()).with_filter(filter));
        (said, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn take(&self) -> Taken {
        let events = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let failures = events.iter().filter(|(level, _)| *level == Level::ERROR).map(|(_, text)| text.clone());
        Taken { failures: failures.collect(), lines: events.into_iter().map(|(_, text)| text).collect() }
    }
}

struct Keep(Said);

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let mut events = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() < EVENTS_MAX {
            events.push((*event.metadata().level(), text.line()));
        }
    }
}

/// An event as a line: the component, then what is said.
#[derive(Default)]
struct Text {
    component: Option<String>,
    message: String,
}

impl Text {
    fn line(self) -> String {
        match self.component {
            Some(component) => format!("{component}: {}", self.message),
            None => self.message,
        }
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => {
                let _ = write!(self.message, "{value:?}");
            }
            "component" => self.component = Some(format!("{value:?}")),
            _ => {}
        }
    }
}
