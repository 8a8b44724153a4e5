//! Which secrets one component may have: names, one by one, in the one store of its app.
//!
//! In: the names of a grant, values that were given for the app's variables, and the store. Out: values. Next: [`crate::Store`].

use crate::{Error, LABEL, Store, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wharf_kit::{
    Access, BindingError, Bindings, BoundsOverride, Grant, Granted, Label, Refusals, Tally, UsageTable, Who,
};

/// The secrets of one component, shared by all its instances.
pub struct Allowed {
    names: BTreeSet<String>,
    given: BTreeMap<String, Value>,
    store: Option<Arc<Label<dyn Store>>>,
    refusals: Refusals,
}

impl Allowed {
    /// Returns the secrets of a component that may have none.
    pub fn none(who: Who) -> Self {
        let refusals = Refusals::new(crate::CAPABILITY, who, Arc::default());
        Self { names: BTreeSet::new(), given: BTreeMap::new(), store: None, refusals }
    }

    /// Binds the store of an app for a component that is granted `names`. A value in `given` stands before that in the store: it is
    /// what whoever runs the app gave for a variable that is secret. Blocks on files.
    ///
    /// # Errors
    /// When the store cannot be opened.
    pub fn bind(
        bindings: &Bindings<dyn Store>,
        who: Who,
        names: impl IntoIterator<Item = String>,
        given: &BTreeMap<String, Value>,
        usage: &UsageTable,
    ) -> Result<Self, Vec<BindingError>> {
        let names: BTreeSet<String> = names.into_iter().collect();
        let strays = usage.of(&who.app, &who.component, crate::CAPABILITY, "");
        let mut store = None;
        if !names.is_empty() {
            let grant = Grant { label: LABEL.to_owned(), access: Access::Read, bounds: BoundsOverride::default() };
            let granted = Granted::bind(bindings, who.clone(), &[grant], usage)?;
            store = granted.label(LABEL, &mut Tally::default()).map(Arc::clone);
        }
        let given = given.iter().filter(|(name, _)| names.contains(*name));
        let given = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Self { names, given, store, refusals: Refusals::new(crate::CAPABILITY, who, strays) })
    }

    /// Returns the value of a secret that a guest names. One that is not granted is logged once, with the line that would grant it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get(&self, name: &str, tally: &mut Tally) -> Result<Value, Error> {
        let label = self.store.as_ref().filter(|_| self.names.contains(name));
        let Some(label) = label else {
            self.refusals.not_granted(name, self.names.iter().map(String::as_str), tally);
            return Err(Error::Denied);
        };
        let call = async {
            let value = match self.given.get(name) {
                Some(value) => value.clone(),
                None => label.store.get(name).await?,
            };
            label.gate.check_size(value.reveal().as_bytes().len())?;
            Ok(value)
        };
        label.gate.call(tally, "get", name.len(), Error::kind, call).await
    }

    /// Returns a line for people for each secret: its name and where its value is.
    pub fn describe(&self) -> Vec<String> {
        let place = |name: &String| match (self.given.contains_key(name), &self.store) {
            (true, _) => "given as a variable".to_owned(),
            (false, store) => format!("in {}", store.as_ref().map_or("", |label| label.place())),
        };
        self.names.iter().map(|name| format!("{} {name} {}", crate::CAPABILITY, place(name))).collect()
    }
}

/// Returns the names that the store of an app has. Absent if only its server knows, or if it cannot be opened, which is told when a
/// component is [bound](Allowed::bind). Blocks on files.
pub fn stored(bindings: &Bindings<dyn Store>, app: &str) -> Option<BTreeSet<String>> {
    bindings.bind(app, LABEL, BoundsOverride::default()).ok()?.store.names()
}
