//! What one component may touch of one capability, deny by default, and what it is told otherwise.
//!
//! In: grants of a manifest and [`Bindings`]. Out: labels with their stores and gates. Next: [`crate::Gate`].

use crate::binding::{BindingError, Bindings};
use crate::usage::{Tally, UsageTable};
use crate::{BoundsOverride, Gate, Refusals};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose calls these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The app.
    pub app: Arc<str>,
    /// The component.
    pub component: Arc<str>,
}

/// What a component may do with a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Read and list.
    Read,
    /// Everything.
    #[default]
    ReadWrite,
}

/// One label of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The label.
    pub label: String,
    /// What may be done.
    pub access: Access,
    /// What calls may use.
    pub bounds: BoundsOverride,
}

/// A granted label: the only way to a store.
pub struct Label<S: ?Sized> {
    /// The label.
    pub name: String,
    /// What may be done.
    pub access: Access,
    /// The store behind it.
    pub store: Arc<S>,
    /// What every call passes.
    pub gate: Gate,
    place: String,
}

impl<S: ?Sized> Label<S> {
    /// Returns the backend's name and where the data is, for people. Without passwords.
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// Everything that one component may touch of one capability, shared by all its instances.
pub struct Granted<S: ?Sized> {
    capability: &'static str,
    labels: BTreeMap<String, Arc<Label<S>>>,
    refusals: Refusals,
}

impl<S: ?Sized + 'static> Granted<S> {
    /// Returns the grants of a component that has none of this capability.
    pub fn none(capability: &'static str, who: Who) -> Self {
        let refusals = Refusals::new(capability, who, Arc::default());
        Self { capability, labels: BTreeMap::new(), refusals }
    }

    /// Binds every granted label. Blocks on files.
    ///
    /// # Errors
    /// Every label that cannot be bound.
    pub fn bind(
        bindings: &Bindings<S>,
        who: Who,
        grants: &[Grant],
        usage: &UsageTable,
    ) -> Result<Self, Vec<BindingError>> {
        let capability = bindings.capability();
        let strays = usage.of(&who.app, &who.component, capability, "");
        let mut granted =
            Self { capability, labels: BTreeMap::new(), refusals: Refusals::new(capability, who.clone(), strays) };
        let mut errors = Vec::new();
        for grant in grants {
            match bindings.bind(&who.app, &grant.label, grant.bounds) {
                Ok(bound) => {
                    let usage = usage.of(&who.app, &who.component, capability, &grant.label);
                    let gate = Gate::new(bound.bounds, usage);
                    let gate = match bindings.interceptor() {
                        None => gate,
                        Some(interceptor) => gate.intercepted(Arc::clone(interceptor), capability, &grant.label),
                    };
                    let label = Label {
                        name: grant.label.clone(),
                        access: grant.access,
                        store: bound.store,
                        gate,
                        place: bound.place,
                    };
                    granted.labels.insert(grant.label.clone(), Arc::new(label));
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(granted) } else { Err(errors) }
    }

    /// Returns the label that a guest names. Absent if it is not granted, which is counted, and logged once with the line that would
    /// grant it.
    pub fn label(&self, name: &str, tally: &mut Tally) -> Option<&Arc<Label<S>>> {
        let found = self.labels.get(name);
        if found.is_none() {
            self.refusals.not_granted(name, self.labels.keys().map(String::as_str), tally);
        }
        found
    }

    /// Counts and logs that a guest tried to change what it may only read.
    pub fn refuse_write(&self, label: &Label<S>, tally: &mut Tally) {
        self.refusals.read_only(&label.name, tally);
    }

    /// Returns a line for people for each label: what it is and where it is bound.
    pub fn describe(&self) -> Vec<String> {
        let line = |label: &Arc<Label<S>>| {
            let access = if label.access == Access::Read { " (read)" } else { "" };
            format!("{} {}{access} in {}", self.capability, label.name, label.place)
        };
        self.labels.values().map(line).collect()
    }

    /// Returns whose grants these are.
    pub fn who(&self) -> &Who {
        self.refusals.who()
    }
}
