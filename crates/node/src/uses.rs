//! Which components of an app are used for what.

use wharf_app::{App, Component, Link, Supplier, Target};

/// Tells whether a component is loaded on its own: all are but those that are only parts of others.
pub(crate) fn stands_alone(app: &App, component: &Component) -> bool {
    serves(app, component) || !is_dependency(app, component, Link::Fused)
}

/// Tells whether a component has to serve HTTP: it is what a trigger calls, or stands before that, or others call it in process.
pub(crate) fn serves(app: &App, component: &Component) -> bool {
    let name = &component.name;
    let is_triggered = app.http.iter().any(|trigger| {
        matches!(&trigger.target, Target::Component(target) if target == name)
            || trigger.middleware.iter().any(|middleware| middleware.component == *name)
    });
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
