//! One version of an app, ready to answer.

use crate::backends::Backends;
use crate::check;
use crate::error::{ComponentError, Error};
use crate::grants;
use crate::notes;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use wharf_app::{Access, App, Component as Declared, Route, Source, Span, StaticResponse, Target as DeclaredTarget};
use wharf_host::{Outbound, RecipeError};
use wharf_runtime::{Component, Diagnostics, Lane, Limits, Reuse, Runtime, Source as LoadSource};
use wharf_telemetry::log::Log;
use wharf_trigger::http::{StaticAnswer, Target};
use wharf_trigger::{Resolve, SameApp};

/// One version of an app.
pub(crate) struct Live {
    name: String,
    version: String,
    components: Vec<Ready>,
    routes: Vec<(Route, Target)>,
}

struct Ready {
    name: String,
    component: Arc<Component>,
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

    pub(crate) fn running(&self) -> usize {
        self.components.iter().map(|ready| ready.component.running()).sum()
    }

    pub(crate) fn describe(&self) -> Description {
        let routes = self.routes.iter().map(|(route, target)| RouteLine {
            route: route.to_string(),
            target: match target {
                Target::Component(component) => component.identity().component.to_string(),
                Target::Static(answer) => format!("static {}", answer.status.as_u16()),
            },
        });
        let components = self.components.iter().map(|ready| ComponentLine {
            name: ready.name.clone(),
            serves: ready.component.serves(),
            grants: ready.grants.clone(),
            notes: ready.notes.clone(),
            compiled: ready.compiled,
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
}

impl Prepare<'_> {
    /// Reads, checks and loads every component. Reports all that cannot be loaded, not the first.
    pub(crate) fn app(&self, app: &App) -> Result<Live, Error> {
        let family = Family::default();
        let mut components = Vec::new();
        let mut errors = Vec::new();
        for declared in &app.components {
            match self.component(app, declared, &family) {
                Ok(ready) => components.push(ready),
                Err(found) => errors.extend(found),
            }
        }
        if !errors.is_empty() {
            return Err(Error::Components(errors));
        }
        let by_name: HashMap<_, _> =
            components.iter().map(|ready| (ready.name.clone(), Arc::downgrade(&ready.component))).collect();
        let _ = family.0.set(by_name);
        let routes = routes(app, &components);
        Ok(Live { name: app.name.clone(), version: app.version.clone(), components, routes })
    }

    fn component(&self, app: &App, declared: &Declared, family: &Family) -> Result<Ready, Vec<ComponentError>> {
        let path = self.path(&declared.source);
        let span = declared.source_span.clone();
        let component = declared.name.clone();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(vec![ComponentError::Read { component, span, path, source }]),
        };
        let outline = wharf_component::outline(&bytes);
        let digest = wharf_runtime::digest(&bytes);
        // What is in the cache was inspected before it was compiled. That is most of a start with large components.
        let is_concurrent = outline.is_concurrent() || reuse(declared).is_some();
        let lane = if is_concurrent { Lane::Concurrent } else { Lane::Plain };
        let known = self.runtime.has_compiled(&digest, lane);
        if !known {
            check::servable(declared, &bytes, &path).map_err(|error| vec![error])?;
        }
        let mut recipe = grants::recipe(&app.name, declared, self.folder, self.log);
        if let Err(source) = recipe.check() {
            let span = grant_span(declared, self.folder, &source);
            return Err(vec![ComponentError::Grant { component, span, source }]);
        }
        recipe.capabilities = self.backends.bind(app, declared)?;
        recipe.sockets = Arc::new(self.backends.sockets(app, declared));
        let mut granted = granted(declared);
        granted.extend(recipe.capabilities.describe());
        let source = LoadSource {
            app: app.name.as_str().into(),
            component: declared.name.as_str().into(),
            bytes: &bytes,
            digest,
            lane,
            limits: limits(declared),
            reuse: reuse(declared),
            recipe,
            outbound: Outbound::new(
                app.name.as_str().into(),
                declared.name.as_str().into(),
                grants::peers(declared),
                Arc::new(SameApp(family.clone())),
            )
            .with_servers(self.backends.client(app, declared)),
            diagnostics: self.diagnostics.clone(),
        };
        let loaded = match self.runtime.load(source) {
            Ok(loaded) => loaded,
            Err(source) => {
                check::servable(declared, &bytes, &path).map_err(|error| vec![error])?;
                return Err(vec![ComponentError::Load { component, span, path, source }]);
            }
        };
        if known && loaded.component.serves().is_none() {
            check::servable(declared, &bytes, &path).map_err(|error| vec![error])?;
        }
        Ok(Ready {
            name: declared.name.clone(),
            component: loaded.component,
            compiled: loaded.compiled,
            grants: granted,
            notes: notes::of(declared, &outline.capabilities()),
        })
    }

    fn path(&self, source: &Source) -> PathBuf {
        match source {
            Source::File(file) => self.folder.join(file),
            // `app` makes no other kind, and refuses manifests that ask for one.
            other => PathBuf::from(format!("{other:?}")),
        }
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

fn routes(app: &App, components: &[Ready]) -> Vec<(Route, Target)> {
    let find =
        |name: &str| components.iter().find(|ready| ready.name == name).map(|ready| Arc::clone(&ready.component));
    let routed = app.http.iter().filter_map(|trigger| {
        let target = match &trigger.target {
            DeclaredTarget::Component(name) => Target::Component(find(name)?),
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
