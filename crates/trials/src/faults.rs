//! Calls that a test makes fail, or slow.
//!
//! In: which call it is. Out: whether it is made. Next: the gate of the capability, or [`crate::servers`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wharf_node::{Intercepted, Interceptor, Kind, Pass, Refused, Simulation, Site};
use wharf_testing::{Error, Fault};

/// The faults of one test, and how often each was fitting.
pub(crate) struct Faults {
    faults: Vec<(Fault, AtomicU64)>,
    world: Arc<Simulation>,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) error: Option<Error>,
    pub(crate) delay: Option<Duration>,
}

impl Faults {
    pub(crate) fn new(faults: &[Fault], world: Arc<Simulation>) -> Self {
        Self { faults: faults.iter().map(|fault| (fault.clone(), AtomicU64::new(0))).collect(), world }
    }

    pub(crate) fn world(&self) -> &Arc<Simulation> {
        &self.world
    }

    /// Counts a request to a server, and says what happens to it.
    pub(crate) fn of_request(&self, url: &str) -> Effect {
        let fits = |fault: &Fault| {
            let is_it = fault.url.as_ref().is_none_or(|pattern| wharf_testing::url_matches(pattern, url));
            fault.capability == "http" && is_it
        };
        self.effect(fits)
    }

    fn of_call(&self, site: &Site<'_>) -> Effect {
        self.effect(|fault| {
            fault.capability == site.capability
                && fault.operation.as_ref().is_none_or(|operation| operation == site.operation)
                && fault.label.as_ref().is_none_or(|label| label == site.label)
        })
    }

    /// Every fault counts the calls that fit it; the first one whose turn it is has its effect.
    fn effect(&self, fits: impl Fn(&Fault) -> bool) -> Effect {
        let mut effect = None;
        for (fault, count) in self.faults.iter().filter(|(fault, _)| fits(fault)) {
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            if fault.nth.is_none_or(|nth| nth == number) {
                effect = effect.or(Some(Effect { error: fault.error, delay: fault.delay }));
            }
        }
        effect.unwrap_or_default()
    }
}

impl Interceptor for Faults {
    fn before<'a>(&'a self, site: Site<'a>) -> Intercepted<'a> {
        let effect = self.of_call(&site);
        Box::pin(async move {
            let timeout = site.bounds.timeout;
            if let Some(delay) = effect.delay {
                self.world.sleep(delay.min(timeout)).await;
                if delay >= timeout {
                    return Err(Refused::Deadline(timeout));
                }
            }
            match effect.error {
                None => Ok(Box::new(self.world.busy()) as Pass),
                Some(Error::Timeout) => {
                    self.world.sleep(timeout.saturating_sub(effect.delay.unwrap_or_default())).await;
                    Err(Refused::Deadline(timeout))
                }
                Some(Error::Busy) => Err(Refused::Busy(site.bounds.concurrency)),
                Some(Error::Unavailable) => {
                    Err(Refused::Fault { kind: Kind::Unavailable, why: "the backend is not available" })
                }
                Some(Error::Failed) => Err(Refused::Fault { kind: Kind::Backend, why: "the backend failed" }),
            }
        })
    }
}
