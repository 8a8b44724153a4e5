//! What a component was refused: counted each time, logged once, with the line of the manifest that would allow it.

use crate::Who;
use crate::usage::{Counts, Tally, Usage};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Names that a component was refused and that were logged; a guest chooses them, so that they have to end.
const REMEMBERED: usize = 64;

/// Characters of such a name that are shown: as many as a label has.
const SHOWN: usize = 63;

/// The refusals of one component and capability.
#[derive(Debug)]
pub struct Refusals {
    capability: &'static str,
    who: Who,
    logged: Mutex<BTreeSet<String>>,
    /// Calls that name nothing granted.
    strays: Arc<Usage>,
}

impl Refusals {
    /// Returns no refusals. `strays` counts the calls that are refused.
    pub fn new(capability: &'static str, who: Who, strays: Arc<Usage>) -> Self {
        Self { capability, who, logged: Mutex::default(), strays }
    }

    /// Returns whose refusals these are.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// Counts and logs that a guest named what is not granted. `granted` is what is.
    pub fn not_granted<'a>(&self, name: &'a str, granted: impl Iterator<Item = &'a str>, tally: &mut Tally) {
        let (app, component, capability) = (&self.who.app, &self.who.component, self.capability);
        self.count(tally);
        let shown = name.char_indices().nth(SHOWN).map_or(name, |(end, _)| &name[..end]);
        if !self.is_new(shown.to_owned()) {
            return;
        }
        if crate::check_label(name).is_err() {
            let more = if shown.len() < name.len() { "…" } else { "" };
            tracing::warn!(%app, %component, "WHARF-0023: {capability} {shown:?}{more} was refused: that is no label, no manifest can grant it");
            return;
        }
        let flag = if capability == "secrets" { "secret" } else { capability };
        let names: Vec<String> = granted.chain([name]).map(|name| format!("\"{name}\"")).collect();
        let names = names.join(", ");
        tracing::warn!(
            %app, %component,
            "WHARF-0023: {capability} `{name}` was refused: it is not granted. To allow it, write in the manifest:\n\
             \n  [component.{component}.grants]\n  {capability} = [{names}]\n\n\
             or, for a component without a manifest: --{flag} {name}\n"
        );
    }

    /// Counts and logs that a guest tried to change what it may only read.
    pub fn read_only(&self, name: &str, tally: &mut Tally) {
        let (app, component, capability) = (&self.who.app, &self.who.component, self.capability);
        self.count(tally);
        if self.is_new(format!("{name} write")) {
            tracing::warn!(
                %app, %component,
                "WHARF-0024: a change in {capability} `{name}` was refused: only reading is granted. To allow it, write in the manifest:\n\
                 \n  [component.{component}.grants]\n  {capability} = {{ {name} = {{ access = \"read-write\" }} }}\n\n\
                 or, for a component without a manifest: --{capability} {name}\n"
            );
        }
    }

    fn count(&self, tally: &mut Tally) {
        let call = Counts { calls: 1, denied: 1, ..Counts::default() };
        tally.add(&call);
        self.strays.add(&call);
    }

    fn is_new(&self, what: String) -> bool {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.len() < REMEMBERED && logged.insert(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_counted_and_few_are_remembered() {
        let who = Who { app: "shop".into(), component: "api".into() };
        let strays = Arc::new(Usage::default());
        let refusals = Refusals::new("secrets", who, Arc::clone(&strays));
        let mut tally = Tally::default();
        for number in 0..100 {
            refusals.not_granted(&format!("name-{number}"), ["key"].into_iter(), &mut tally);
        }
        refusals.read_only("key", &mut tally);
        assert_eq!((tally.counts().denied, strays.counts().denied), (101, 101));
        assert_eq!(refusals.logged.lock().unwrap().len(), REMEMBERED);
    }

    #[test]
    fn of_a_long_name_only_the_beginning_is_kept() {
        let who = Who { app: "shop".into(), component: "api".into() };
        let refusals = Refusals::new("secrets", who, Arc::default());
        refusals.not_granted(&"ä".repeat(1 << 20), std::iter::empty(), &mut Tally::default());
        assert_eq!(refusals.logged.lock().unwrap().first().map(|name| name.chars().count()), Some(SHOWN));
    }
}
