//! One version of an app, ready to answer.

use crate::backends::Backends;
use crate::error::{ComponentError, Error};
use crate::files::Files;
use crate::join::{Apart, Joined, Joint, join};
use crate::keep::{self, Stamp};
use crate::{check, grants, notes, uses};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use wharf_app::{
    Access, App, Component as Declared, Hidden, HttpTrigger, Route, Span, StaticResponse, Target as DeclaredTarget,
};
use wharf_host::{Outbound, Recipe, RecipeError};
use wharf_runtime::{Component, Dependency, Diagnostics, Lane, Limits, Reuse, Runtime, Source as LoadSource};
use wharf_telemetry::log::Log;
use wharf_trigger::http::{StaticAnswer, Target};
use wharf_trigger::{Chain, Resolve, SameApp};

/// One version of an app.
pub(crate) struct Live {
    name: String,
    version: String,
    components: Vec<Ready>,
    routes: Vec<(Route, Target)>,
    /// What the version was made of, to tell what the next one changes.
    folder: PathBuf,
    secrets: BTreeMap<String, Hidden>,
    http: Vec<HttpTrigger>,
}

/// A component of a version.
#[derive(Clone)]
pub(crate) struct Ready {
    pub(crate) declared: Declared,
    /// The file that it was read from.
    pub(crate) stamp: Option<Stamp>,
    /// Whether its grants are its own, and not those of a component that depends on it.
    is_own: bool,
    component: Arc<Component>,
    /// Whether it was there in the version before.
    kept: bool,
    compiled: Option<Duration>,
    grants: Vec<String>,
    notes: Vec<String>,
}

/// What is being served, for people.
#[derive(Clone, Debug)]
pub struct Description {
    /// The app's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its routes, in the order of the manifest.
    pub routes: Vec<RouteLine>,
    /// Its components.
    pub components: Vec<ComponentLine>,
}

/// One route, for people.
#[derive(Clone, Debug)]
pub struct RouteLine {
    /// Host, path and methods.
    pub route: String,
    /// The component's name, or `static 404`.
    pub target: String,
}

/// One component, for people.
#[derive(Clone, Debug)]
pub struct ComponentLine {
    /// Its name.
    pub name: String,
    /// The version of `wasi:http` that it serves; absent if it serves none.
    pub serves: Option<&'static str>,
    /// What it may touch; empty for nothing.
    pub grants: Vec<String>,
    /// Where its grants and its imports do not fit, a sentence for each.
    pub notes: Vec<String>,
    /// How long it took to compile; absent if it came from the cache.
    pub compiled: Option<Duration>,
    /// Whether it is the one of the version before: nothing changed for it.
    pub kept: bool,
}

/// The components of one version, as they find each other. Weak: they hold it, and it must not hold them.
#[derive(Clone, Default)]
struct Family(Arc<OnceLock<HashMap<String, Weak<Component>>>>);

impl Resolve for Family {
    fn resolve(&self, component: &str) -> Option<Arc<Component>> {
        self.0.get()?.get(component)?.upgrade()
    }
}

impl Live {
    pub(crate) fn routes(&self) -> Vec<(Route, Target)> {
        self.routes.clone()
    }

    pub(crate) fn component(&self, name: &str) -> Option<Arc<Component>> {
        self.ready(name).map(|ready| Arc::clone(&ready.component))
    }

    pub(crate) fn ready(&self, name: &str) -> Option<&Ready> {
        own(&self.components, name)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn secrets(&self) -> &BTreeMap<String, Hidden> {
        &self.secrets
    }

    pub(crate) fn http(&self) -> &[HttpTrigger] {
        &self.http
    }

    /// Tells whether a component is there that was seen to serve HTTP.
    pub(crate) fn serves(&self, name: &str) -> bool {
        self.ready(name).is_some_and(|ready| ready.component.serves().is_some())
    }

    pub(crate) fn running(&self) -> usize {
        self.components.iter().map(|ready| ready.component.running()).sum()
    }

    pub(crate) fn describe(&self) -> Description {
        let routes = self.routes.iter().map(|(route, target)| RouteLine {
            route: route.to_string(),
            target: match target {
                Target::Component(component) => component.identity().component.to_string(),
                Target::Chain(chain) => chain.names().join(" → "),
                Target::Static(answer) => format!("static {}", answer.status.as_u16()),
            },
        });
        let components = self.components.iter().map(|ready| ComponentLine {
            name: ready.declared.name.clone(),
            serves: ready.component.serves(),
            grants: ready.grants.clone(),
            notes: ready.notes.clone(),
            compiled: ready.compiled,
            kept: ready.kept,
        });
        Description {
            name: self.name.clone(),
            version: self.version.clone(),
            routes: routes.collect(),
            components: components.collect(),
        }
    }
}

/// What preparing needs.
pub(crate) struct Prepare<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) log: &'a Log,
    pub(crate) backends: &'a Backends,
    pub(crate) folder: &'a Path,
    pub(crate) diagnostics: &'a Diagnostics,
    /// The version that is there.
    pub(crate) before: Option<&'a Live>,
}

impl Prepare<'_> {
    /// Reads, checks and loads every component that is not the one of the version before. Reports all that cannot be loaded, not the first.
    pub(crate) fn app(&self, app: &App) -> Result<Live, Error> {
        let mut loading = Loading {
            prepare: self,
            app,
            files: Files::new(self.folder),
            family: Family::default(),
            loaded: Vec::new(),
            ready: Vec::new(),
        };
        let mut errors = Vec::new();
        loading.keep(self.before);
        for declared in app.components.iter().filter(|declared| uses::stands_alone(app, declared)) {
            if let Err(found) = loading.component(Cow::Borrowed(declared)) {
                errors.extend(found);
            }
            loading.files.forget();
        }
        if !errors.is_empty() {
            return Err(Error::Components(errors));
        }
        let Loading { family, ready: components, .. } = loading;
        let own = components.iter().filter(|ready| ready.is_own);
        let by_name = own.map(|ready| (ready.declared.name.clone(), Arc::downgrade(&ready.component))).collect();
        let _ = family.0.set(by_name);
        let routes = routes(app, &components);
        Ok(Live {
            name: app.name.clone(),
            version: app.version.clone(),
            components,
            routes,
            folder: self.folder.to_owned(),
            secrets: app.secrets.clone(),
            http: app.http.clone(),
        })
    }
}

/// The components of one version, as they become ready: each after those that it depends on.
struct Loading<'a, 'p> {
    prepare: &'p Prepare<'p>,
    app: &'a App,
    files: Files<'p>,
    family: Family,
    /// Those that were asked for, with the grants that they have there; no component for one that failed: its errors were reported.
    loaded: Vec<(Cow<'a, Declared>, Option<Arc<Component>>)>,
    ready: Vec<Ready>,
}

impl<'a> Loading<'a, '_> {
    /// Takes over what nothing changed for.
    fn keep(&mut self, before: Option<&Live>) {
        let Some(before) = before else { return };
        let kept = keep::of(before, self.app, self.prepare.folder, |declared| self.files.path(&declared.source));
        for declared in self.app.components.iter().filter(|declared| kept.contains(&declared.name)) {
            let Some(ready) = before.ready(&declared.name) else { continue };
            self.loaded.push((Cow::Borrowed(declared), Some(Arc::clone(&ready.component))));
            // Its places in the manifest may have moved.
            self.ready.push(Ready { declared: declared.clone(), kept: true, compiled: None, ..ready.clone() });
        }
    }

    /// Returns a component, loaded when it is first asked for. The same component with other grants, which it inherits, is another one.
    fn component(&mut self, declared: Cow<'a, Declared>) -> Result<Arc<Component>, Vec<ComponentError>> {
        if let Some((_, known)) = self.loaded.iter().find(|(known, _)| *known == declared) {
            return known.clone().ok_or_else(Vec::new);
        }
        let loaded = self.load(declared.clone());
        self.loaded.push((declared, loaded.as_ref().ok().map(|ready| Arc::clone(&ready.component))));
        let ready = loaded?;
        let component = Arc::clone(&ready.component);
        self.ready.push(ready);
        Ok(component)
    }

    fn load(&mut self, declared: Cow<'a, Declared>) -> Result<Ready, Vec<ComponentError>> {
        let runtime = self.prepare.runtime;
        let joined = join(self.app, &self.files, declared.clone(), Apart::Yes).map_err(|error| vec![error])?;
        let declared = &*declared;
        let is_own = self.app.component(&declared.name) == Some(declared);
        let must_serve = is_own && uses::serves(self.app, declared);
        let dependencies = self.dependencies(&joined)?;
        let path = self.files.path(&declared.source);
        let span = declared.source_span.clone();
        let stamp = self.files.stamp(&path);
        let digest = wharf_runtime::digest(&joined.bytes);
        // What is in the cache was inspected before it was compiled. That is most of a start with large components.
        let is_concurrent = joined.is_concurrent || reuse(declared).is_some();
        let lane = match (self.prepare.diagnostics.debugger(&declared.name), is_concurrent) {
            (Some(_), _) => Lane::Debug,
            (None, true) => Lane::Concurrent,
            (None, false) => Lane::Plain,
        };
        let limits = limits(declared);
        let known = runtime.has_compiled(&digest, lane, limits.stack_bytes);
        if !known {
            self.check(&joined, must_serve)?;
        }
        let mut recipe = self.recipe(declared)?;
        for member in &joined.members {
            recipe.members.push((Arc::new(self.recipe(&member.declared)?), Arc::new(self.outbound(&member.declared))));
        }
        let mut granted = granted(declared);
        granted.extend(recipe.capabilities.describe());
        let mut notes = notes::of(declared, &joined.capabilities);
        notes.extend(uses::middleware_note(self.app, declared, &joined.capabilities));
        notes.extend(joined.members.iter().flat_map(|member| notes::of(&member.declared, &member.capabilities)));
        let source = LoadSource {
            app: self.app.name.as_str().into(),
            component: declared.name.as_str().into(),
            bytes: &joined.bytes,
            digest,
            lane,
            limits,
            reuse: reuse(declared),
            recipe,
            outbound: self.outbound(declared),
            dependencies,
            diagnostics: self.prepare.diagnostics.clone(),
        };
        let loaded = match runtime.load(source) {
            Ok(loaded) => loaded,
            Err(source) => {
                self.check(&joined, must_serve)?;
                let component = declared.name.clone();
                return Err(vec![ComponentError::Load { component, span, path, source }]);
            }
        };
        if known && must_serve && loaded.component.serves().is_none() {
            self.check(&joined, must_serve)?;
        }
        Ok(Ready {
            declared: declared.clone(),
            stamp,
            is_own,
            component: loaded.component,
            kept: false,
            compiled: loaded.compiled,
            grants: granted,
            notes,
        })
    }

    /// Loads what stays outside of a component and is linked to it.
    fn dependencies(&mut self, joined: &Joined<'a>) -> Result<Vec<Dependency>, Vec<ComponentError>> {
        let mut dependencies = Vec::new();
        for isolated in &joined.isolated {
            let supplier = self.component(isolated.supplier.clone())?;
            let (import, export) = (isolated.import.clone(), isolated.export.clone());
            dependencies.push(Dependency { import, export, supplier });
        }
        Ok(dependencies)
    }

    fn recipe(&self, declared: &Declared) -> Result<Recipe, Vec<ComponentError>> {
        let Prepare { folder, log, backends, .. } = *self.prepare;
        let mut recipe = grants::recipe(&self.app.name, declared, folder, log);
        if let Err(source) = recipe.check() {
            let span = grant_span(declared, folder, &source);
            return Err(vec![ComponentError::Grant { component: declared.name.clone(), span, source }]);
        }
        recipe.capabilities = backends.bind(self.app, declared)?;
        recipe.sockets = Arc::new(backends.sockets(self.app, declared));
        recipe.simulation = backends.outside().map(|outside| Arc::clone(&outside.world));
        Ok(recipe)
    }

    fn outbound(&self, declared: &Declared) -> Outbound {
        let peers = Arc::new(SameApp(self.family.clone()));
        let (app, component) = (self.app.name.as_str().into(), declared.name.as_str().into());
        let backends = self.prepare.backends;
        let outbound = Outbound::new(app, component, grants::peers(declared), peers)
            .with_servers(backends.client(self.app, declared));
        match backends.outside() {
            None => outbound,
            Some(outside) => outbound.standing_in(Arc::clone(&outside.servers)),
        }
    }

    /// Says in the words of people why a component cannot be used, if it cannot. Before the engine sees its bytes: the inspection
    /// refuses files that would exhaust the stack of a parser.
    fn check(&self, joined: &Joined<'_>, must_serve: bool) -> Result<(), Vec<ComponentError>> {
        let check = |(place, part): (usize, &Joint<'_>)| {
            check::part(part, &self.files.path(&part.declared.source), must_serve && place == 0).err()
        };
        let errors: Vec<ComponentError> = joined.parts.iter().enumerate().filter_map(check).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// Returns where the manifest has the grant that cannot be kept; the component's name, if the grant came by a flag.
fn grant_span(declared: &Declared, folder: &Path, error: &RecipeError) -> Span {
    let files = &declared.grants.files;
    let at = match error {
        RecipeError::Folder { host, .. } => files.iter().position(|files| folder.join(&files.host) == *host),
        _ => None,
    };
    at.and_then(|at| declared.files_spans.get(at)).unwrap_or(&declared.name_span).clone()
}

/// Returns the component of that name with its own grants.
fn own<'a>(components: &'a [Ready], name: &str) -> Option<&'a Ready> {
    components.iter().find(|ready| ready.is_own && ready.declared.name == name)
}

fn routes(app: &App, components: &[Ready]) -> Vec<(Route, Target)> {
    let find = |name: &str| own(components, name).map(|ready| Arc::clone(&ready.component));
    let routed = app.http.iter().filter_map(|trigger| {
        let target = match &trigger.target {
            DeclaredTarget::Component(name) => {
                let target = find(name)?;
                let middleware: Option<Vec<_>> =
                    trigger.middleware.iter().map(|middleware| find(&middleware.component)).collect();
                Chain::new(middleware?, Arc::clone(&target)).map_or(Target::Component(target), Target::Chain)
            }
            DeclaredTarget::Static(response) => Target::Static(Arc::new(static_answer(response))),
        };
        Some((trigger.route.clone()?, target))
    });
    routed.collect()
}

fn static_answer(response: &StaticResponse) -> StaticAnswer {
    let header = |(name, value): &(String, String)| {
        Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value.as_str()).ok()?))
    };
    StaticAnswer {
        status: StatusCode::from_u16(response.status).unwrap_or(StatusCode::OK),
        headers: response.headers.iter().filter_map(header).collect::<HeaderMap>(),
        body: Bytes::from(response.body.clone()),
    }
}

fn limits(declared: &Declared) -> Limits {
    let limits = &declared.limits;
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    Limits {
        memory_bytes: size(limits.memory_bytes),
        stack_bytes: size(limits.stack_bytes),
        cpu: limits.cpu,
        wall: limits.wall,
        concurrency: limits.concurrency as usize,
        queue: limits.queue as usize,
        request_body_bytes: limits.request_body_bytes,
        response_body_bytes: limits.response_body_bytes,
        handles: limits.handles as usize,
        hostcall_bytes: size(limits.hostcall_bytes),
    }
}

fn reuse(declared: &Declared) -> Option<Reuse> {
    match declared.reuse {
        wharf_app::Reuse::Never => None,
        wharf_app::Reuse::Bounded { requests, concurrent, idle } => {
            Some(Reuse { requests: requests as usize, concurrent: concurrent as usize, idle })
        }
    }
}

/// What the component may touch, a phrase for each grant. Values of environment variables are not shown.
fn granted(declared: &Declared) -> Vec<String> {
    let grants = &declared.grants;
    let mut lines = Vec::new();
    lines.extend(grants.environment.iter().map(|variable| format!("environment {}", variable.name)));
    lines.extend(grants.files.iter().map(|files| {
        let access = if files.access == Access::ReadWrite { "read and write" } else { "read" };
        format!("files {} as {} ({access})", files.host, files.guest)
    }));
    lines.extend(grants.http.iter().map(|pattern| format!("http {pattern}")));
    lines.extend(grants.net.iter().map(|pattern| format!("net {pattern}")));
    lines
}
