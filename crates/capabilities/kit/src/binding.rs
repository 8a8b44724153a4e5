//! Where labels live: what the operator binds them to, or the embedded backend.
//!
//! In: labels that a manifest grants. Out: stores. Next: [`crate::Granted`].

use crate::backend::{Backend, BackendError, Embedded, Opened};
use crate::{Bounds, BoundsOverride, Interceptor, LabelError, Namespace, check_label};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What an operator binds a label to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Binding {
    /// The backend's name.
    pub backend: String,
    /// The name of a namespace that several labels may share; absent for one of its own for each app and label.
    pub namespace: Option<String>,
    /// What calls may use.
    pub bounds: BoundsOverride,
    /// What the backend reads.
    pub settings: toml::Table,
}

/// The bindings of one capability in `node.toml`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// `[keyvalue.LABEL]`: for every app.
    pub every: BTreeMap<String, Binding>,
    /// `[app.APP.keyvalue.LABEL]`: for one app; it decides before the other.
    pub app: BTreeMap<(String, String), Binding>,
}

/// A label that cannot be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindingError {
    /// The label, or the name of a namespace, is none.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// There is no such backend.
    #[error("{capability} `{label}` is bound to the backend `{backend}`, which is none of {}", known.join(", "))]
    Unknown {
        /// The capability.
        capability: &'static str,
        /// The label.
        label: String,
        /// What the operator wrote.
        backend: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// The backend cannot be opened.
    #[error("cannot open {capability} `{label}` with the backend `{backend}`")]
    Open {
        /// The capability.
        capability: &'static str,
        /// The label.
        label: String,
        /// The backend.
        backend: &'static str,
        /// Why.
        source: BackendError,
    },
}

/// A label's store, and what is known about it.
pub struct Bound<S: ?Sized> {
    /// The store.
    pub store: Arc<S>,
    /// Within which every call stays.
    pub bounds: Bounds,
    /// The backend's name and where the data is, for people.
    pub place: String,
}

/// The open backends of one capability, over all apps of a process: two labels that are bound to one server share its connections.
pub struct Bindings<S: ?Sized + 'static> {
    capability: &'static str,
    backends: &'static [Backend<S>],
    bounds: Bounds,
    embedded: Embedded,
    declared: Declared,
    interceptor: Option<Arc<dyn Interceptor>>,
    open: Mutex<Open<S>>,
}

struct Open<S: ?Sized> {
    backends: BTreeMap<String, Arc<dyn Opened<S>>>,
    /// Weak, so that the file of an app that is gone is closed.
    stores: BTreeMap<(String, Namespace), Weak<S>>,
}

impl<S: ?Sized + 'static> Bindings<S> {
    /// Returns the bindings of a capability. `backends` begins with the one that labels get without an operator's word.
    pub fn new(
        capability: &'static str,
        backends: &'static [Backend<S>],
        bounds: Bounds,
        embedded: Embedded,
        declared: Declared,
    ) -> Self {
        let open = Mutex::new(Open { backends: BTreeMap::new(), stores: BTreeMap::new() });
        Self { capability, backends, bounds, embedded, declared, interceptor: None, open }
    }

    /// Asks `interceptor` before each call to a label that is bound from now on.
    #[must_use]
    pub fn intercepted(self, interceptor: Arc<dyn Interceptor>) -> Self {
        Self { interceptor: Some(interceptor), ..self }
    }

    /// Returns who is asked before each call, if anybody is.
    pub(crate) fn interceptor(&self) -> Option<&Arc<dyn Interceptor>> {
        self.interceptor.as_ref()
    }

    /// Returns the capability's name, which is the key of its grants.
    pub fn capability(&self) -> &'static str {
        self.capability
    }

    /// Returns the store of a label. Opens its backend if nobody did. Blocks on files; never on the network.
    ///
    /// # Errors
    /// See [`BindingError`].
    pub fn bind(&self, app: &str, label: &str, grant: BoundsOverride) -> Result<Bound<S>, BindingError> {
        check_label(label)?;
        let own = (app.to_owned(), label.to_owned());
        let binding = self.declared.app.get(&own).or_else(|| self.declared.every.get(label));
        let namespace = match binding.and_then(|binding| binding.namespace.as_deref()) {
            Some(name) => {
                check_label(name)?;
                Namespace::shared(name)
            }
            None => Namespace::own(app, label),
        };
        let backend = self.backend(label, binding)?;
        let settings = binding.map(|binding| binding.settings.clone()).unwrap_or_default();
        let open_error = |source| BindingError::Open {
            capability: self.capability,
            label: label.to_owned(),
            backend: backend.name,
            source,
        };
        let (opened, store) = self.open(backend, settings, &namespace).map_err(open_error)?;
        let operator = binding.map(|binding| binding.bounds).unwrap_or_default();
        let place = format!("{} {}", backend.name, opened.place(&namespace));
        Ok(Bound { store, bounds: self.bounds.within(operator, grant), place })
    }

    fn backend(&self, label: &str, binding: Option<&Binding>) -> Result<&'static Backend<S>, BindingError> {
        let wanted = binding.map(|binding| binding.backend.as_str());
        let found = match wanted {
            Some(name) => self.backends.iter().find(|backend| backend.name == name),
            None => self.backends.first(),
        };
        found.ok_or_else(|| BindingError::Unknown {
            capability: self.capability,
            label: label.to_owned(),
            backend: wanted.unwrap_or_default().to_owned(),
            known: self.backends.iter().map(|backend| backend.name).collect(),
        })
    }

    #[expect(clippy::type_complexity, reason = "a pair that its one caller takes apart")]
    fn open(
        &self,
        backend: &Backend<S>,
        settings: toml::Table,
        namespace: &Namespace,
    ) -> Result<(Arc<dyn Opened<S>>, Arc<S>), BackendError> {
        let key = format!("{}\n{settings}", backend.name);
        // Held while files are opened, so that one file is not opened twice.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match open.backends.get(&key) {
            Some(opened) => Arc::clone(opened),
            None => {
                let opened = (backend.open)(settings, &self.embedded)?;
                open.backends.insert(key.clone(), Arc::clone(&opened));
                opened
            }
        };
        let place = (key, namespace.clone());
        if let Some(store) = open.stores.get(&place).and_then(Weak::upgrade) {
            return Ok((opened, store));
        }
        let store = opened.store(namespace)?;
        open.stores.insert(place, Arc::downgrade(&store));
        Ok((opened, store))
    }
}

#[cfg(test)]
mod tests;
