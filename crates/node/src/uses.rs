//! Which components of an app are used for what.

use std::collections::BTreeSet;
use wharf_app::{App, Component, HttpTrigger, Link, Supplier, Target};
use wharf_component::Capability;

/// Tells whether a component is loaded on its own: all are but those that are only parts of others.
pub(crate) fn stands_alone(app: &App, component: &Component) -> bool {
    serves(app, component) || !is_dependency(app, component, Link::Fused)
}

/// Tells whether a component has to serve HTTP: it is what a trigger calls, or stands before that, or others call it in process.
pub(crate) fn serves(app: &App, component: &Component) -> bool {
    let name = &component.name;
    let is_triggered =
        app.http.iter().any(|trigger| matches!(&trigger.target, Target::Component(target) if target == name))
            || is_middleware(&app.http, name);
    let is_called = app.components.iter().any(|caller| caller.grants.allow_call(name));
    is_triggered || is_called
}

/// Tells whether another component depends on this one in that way.
fn is_dependency(app: &App, component: &Component, link: Link) -> bool {
    let dependencies = app.components.iter().flat_map(|other| &other.dependencies);
    let mut of_this = dependencies
        .filter(|dependency| matches!(&dependency.supplier, Supplier::Component(name) if *name == component.name));
    of_this.any(|dependency| dependency.link == link)
}

/// Tells whether a component stands before another one.
pub(crate) fn is_middleware(triggers: &[HttpTrigger], name: &str) -> bool {
    triggers.iter().flat_map(|trigger| &trigger.middleware).any(|middleware| middleware.component == name)
}

/// Returns what to say of middleware that cannot pass a request on.
pub(crate) fn middleware_note(app: &App, component: &Component, imports: &BTreeSet<Capability>) -> Option<String> {
    let name = &component.name;
    (is_middleware(&app.http, name) && !imports.contains(&Capability::NextHandler))
        .then(|| format!("{name} is middleware and imports no handler: it answers every request itself"))
}
