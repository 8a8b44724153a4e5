//! Where the labels of a node's apps are: the operator's bindings, the open backends, and what components did with them.
//!
//! In: an [`Operator`] and the state folder. Out: for each component, its [`Capabilities`]. Next: `host`.

use crate::error::{ComponentError, Error};
use crate::trial::Outside;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use wharf_app::{Access, App, Component, ConfigGrant, Hidden, LabelGrant, Operator, Span};
use wharf_host::{Capabilities, Sockets};
use wharf_http::{Client, Network, Quota};
use wharf_kit::{
    Backend, Binding, BindingError, Bindings, Bounds, BoundsOverride, Declared, Embedded, Grant, Granted, UsageTable,
    Who,
};
use wharf_secrets::Allowed;

/// The backends of one process. Made once; labels open theirs when an app that is granted them is loaded.
pub struct Backends {
    keyvalue: Bindings<dyn wharf_keyvalue::Store>,
    sql: Bindings<dyn wharf_sql::Database>,
    blobstore: Bindings<dyn wharf_blobstore::Store>,
    messaging: Bindings<dyn wharf_messaging::Messenger>,
    secrets: Bindings<dyn wharf_secrets::Store>,
    network: Arc<Network>,
    /// The connections of each app; of one that is loaded again, the same.
    quotas: Mutex<BTreeMap<String, Arc<Quota>>>,
    usage: UsageTable,
    /// What the apps of tests find in the place of the outside; absent for all others.
    outside: Option<Outside>,
}

impl Backends {
    /// Returns the backends of a node whose state is in `state`. Opens nothing but the certificates that outbound HTTP is told to trust.
    ///
    /// # Errors
    /// [`Error::Http`].
    pub fn new(operator: &Operator, state: &Path) -> Result<Self, Error> {
        use {wharf_blobstore as blobstore, wharf_keyvalue as keyvalue, wharf_messaging as messaging};
        use {wharf_secrets as secrets, wharf_sql as sql};
        let place = Place { operator, state };
        let (network, quotas) = network(operator)?;
        Ok(Self {
            keyvalue: place.bindings(keyvalue::CAPABILITY, keyvalue::backend::BACKENDS, keyvalue::BOUNDS),
            sql: place.bindings(sql::CAPABILITY, sql::BACKENDS, sql::BOUNDS),
            blobstore: place.bindings(blobstore::CAPABILITY, blobstore::BACKENDS, blobstore::BOUNDS),
            messaging: place.bindings(messaging::CAPABILITY, messaging::backend::BACKENDS, messaging::BOUNDS),
            secrets: place.bindings(secrets::CAPABILITY, secrets::BACKENDS, secrets::BOUNDS),
            network: Arc::new(network),
            quotas: Mutex::new(quotas),
            usage: UsageTable::default(),
            outside: None,
        })
    }

    /// Puts something else in the place of the outside, for what is bound from now on.
    pub(crate) fn within(self, outside: Outside) -> Self {
        let faults = || Arc::clone(&outside.faults);
        Self {
            keyvalue: self.keyvalue.intercepted(faults()),
            sql: self.sql.intercepted(faults()),
            blobstore: self.blobstore.intercepted(faults()),
            messaging: self.messaging.intercepted(faults()),
            secrets: self.secrets.intercepted(faults()),
            outside: Some(outside),
            ..self
        }
    }

    /// Returns what stands in the place of the outside, if anything does.
    pub(crate) fn outside(&self) -> Option<&Outside> {
        self.outside.as_ref()
    }

    pub(crate) fn keyvalue_bindings(&self) -> &Bindings<dyn wharf_keyvalue::Store> {
        &self.keyvalue
    }

    pub(crate) fn blobstore_bindings(&self) -> &Bindings<dyn wharf_blobstore::Store> {
        &self.blobstore
    }

    pub(crate) fn messaging_bindings(&self) -> &Bindings<dyn wharf_messaging::Messenger> {
        &self.messaging
    }

    pub(crate) fn sql_bindings(&self) -> &Bindings<dyn wharf_sql::Database> {
        &self.sql
    }

    /// Writes what components did with capabilities, in the text format of Prometheus.
    pub fn write_metrics(&self, out: &mut String) {
        self.usage.write_metrics(out);
    }

    /// Returns the names that an app's store of secrets has; absent if only its server knows. Blocks on files.
    pub fn stored_secrets(&self, app: &str) -> Option<BTreeSet<String>> {
        wharf_secrets::stored(&self.secrets, app)
    }

    /// Binds everything that a component of `app` is granted. Opens files; connects to no server.
    pub(crate) fn bind(&self, app: &App, component: &Component) -> Result<Capabilities, Vec<ComponentError>> {
        let who = who(app, component);
        let mut binder = Binder { usage: &self.usage, who: &who, component, errors: Vec::new() };
        let mut capabilities = Capabilities::none(&who);
        let grants = &component.grants;
        binder.labels(&self.keyvalue, &grants.keyvalue, &mut capabilities.keyvalue);
        binder.labels(&self.sql, &grants.sql, &mut capabilities.sql);
        binder.labels(&self.blobstore, &grants.blobstore, &mut capabilities.blobstore);
        binder.labels(&self.messaging, &grants.messaging, &mut capabilities.messaging);
        binder.secrets(&self.secrets, app, &mut capabilities.secrets);
        capabilities.config = Arc::new(binder.config());
        if binder.errors.is_empty() { Ok(capabilities) } else { Err(binder.errors) }
    }

    /// Returns the sockets of a component of `app`.
    pub(crate) fn sockets(&self, app: &App, component: &Component) -> Sockets {
        let who = who(app, component);
        let usage = self.usage.of(&who.app, &who.component, Sockets::CAPABILITY, "");
        Sockets::new(who, component.grants.net.clone(), Arc::clone(&self.network.resolver), usage)
    }

    /// Returns the outbound HTTP of a component of `app`. Connects to nothing.
    pub(crate) fn client(&self, app: &App, component: &Component) -> Client {
        let who = who(app, component);
        let usage = self.usage.of(&who.app, &who.component, wharf_http::CAPABILITY, "");
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let places = self.network.settings.limits.connections;
        let quota = quotas.entry(app.name.clone()).or_insert_with(|| Arc::new(Quota::new(places)));
        Client::new(Arc::clone(&self.network), who, component.grants.http.clone(), Arc::clone(quota), usage)
    }
}

fn who(app: &App, component: &Component) -> Who {
    Who { app: app.name.as_str().into(), component: component.name.as_str().into() }
}

/// Returns what outbound HTTP is made with, and the connections of the apps that the operator names.
fn network(operator: &Operator) -> Result<(Network, BTreeMap<String, Arc<Quota>>), Error> {
    let refused = |table: String| |source| Error::Http { table, source };
    let network = Network::configured(operator.http.clone()).map_err(refused("http".to_owned()))?;
    let quotas = operator.app_http.iter().map(|(app, table)| {
        let quota = network.quota(table.clone()).map_err(refused(format!("app.{app}.http")))?;
        Ok((app.clone(), Arc::new(quota)))
    });
    let quotas = quotas.collect::<Result<_, Error>>()?;
    Ok((network, quotas))
}

struct Place<'a> {
    operator: &'a Operator,
    state: &'a Path,
}

impl Place<'_> {
    fn bindings<S: ?Sized>(
        &self,
        capability: &'static str,
        backends: &'static [Backend<S>],
        bounds: Bounds,
    ) -> Bindings<S> {
        let mut declared = Declared { every: BTreeMap::new(), app: BTreeMap::new() };
        for one in self.operator.bindings.iter().filter(|one| one.capability == capability) {
            let binding = Binding {
                backend: one.backend.clone(),
                namespace: one.namespace.clone(),
                bounds: bounds_of(one.timeout, one.concurrency, one.size_bytes),
                settings: one.settings.clone(),
            };
            match &one.app {
                Some(app) => declared.app.insert((app.clone(), one.label.clone()), binding),
                None => declared.every.insert(one.label.clone(), binding),
            };
        }
        Bindings::new(capability, backends, bounds, Embedded::new(self.state, capability), declared)
    }
}

/// Binds the labels of one component and collects what cannot be bound.
struct Binder<'a> {
    usage: &'a UsageTable,
    who: &'a Who,
    component: &'a Component,
    errors: Vec<ComponentError>,
}

impl Binder<'_> {
    fn labels<S: ?Sized>(&mut self, bindings: &Bindings<S>, labels: &[LabelGrant], granted: &mut Arc<Granted<S>>) {
        let grants: Vec<Grant> = labels.iter().map(grant).collect();
        match Granted::bind(bindings, self.who.clone(), &grants, self.usage) {
            Ok(bound) => *granted = Arc::new(bound),
            Err(errors) => {
                for source in errors {
                    let span = labels.iter().find(|grant| names(&source, &grant.label)).map(|grant| grant.span.clone());
                    self.fail(source, span);
                }
            }
        }
    }

    fn secrets(&mut self, bindings: &Bindings<dyn wharf_secrets::Store>, app: &App, allowed: &mut Arc<Allowed>) {
        let secrets = &self.component.grants.secrets;
        let names = secrets.iter().map(|secret| secret.name.clone());
        let value = |hidden: &Hidden| wharf_secrets::Value::text(hidden.reveal().to_owned().into());
        let given = app.secrets.iter().map(|(name, hidden)| (name.clone(), value(hidden)));
        match Allowed::bind(bindings, self.who.clone(), names, &given.collect(), self.usage) {
            Ok(bound) => *allowed = Arc::new(bound),
            Err(errors) => {
                let span = secrets.first().map(|secret| secret.span.clone());
                errors.into_iter().for_each(|source| self.fail(source, span.clone()));
            }
        }
    }

    fn config(&self) -> wharf_config::Values {
        let Who { app, component } = self.who;
        // Variables are filled in before an app gets here.
        let value = |grant: &ConfigGrant| (grant.key.clone(), grant.value.text().unwrap_or_default().to_owned());
        let values = self.component.grants.config.iter().map(value).collect();
        wharf_config::Values::new(values, self.usage.of(app, component, wharf_config::CAPABILITY, ""))
    }

    fn fail(&mut self, source: BindingError, span: Option<Span>) {
        let span = span.unwrap_or_else(|| self.component.name_span.clone());
        self.errors.push(ComponentError::Binding {
            component: self.component.name.clone(),
            span,
            source: Box::new(source),
        });
    }
}

fn names(error: &BindingError, wanted: &str) -> bool {
    match error {
        BindingError::Unknown { label, .. } | BindingError::Open { label, .. } => label == wanted,
        _ => false,
    }
}

fn grant(grant: &LabelGrant) -> Grant {
    let access = if grant.access == Access::ReadOnly { wharf_kit::Access::Read } else { wharf_kit::Access::ReadWrite };
    let bounds = bounds_of(grant.timeout, grant.concurrency, grant.size_bytes);
    Grant { label: grant.label.clone(), access, bounds }
}

fn bounds_of(
    timeout: Option<std::time::Duration>,
    concurrency: Option<u32>,
    size_bytes: Option<u64>,
) -> BoundsOverride {
    BoundsOverride {
        timeout,
        concurrency: concurrency.map(|calls| calls as usize),
        size_bytes: size_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
    }
}
