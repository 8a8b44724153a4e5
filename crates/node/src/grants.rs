//! What the manifest grants, as what the host gives: nothing is added on the way.

use std::collections::BTreeSet;
use std::path::Path;
use wharf_app::{Access, Component, EnvGrant, HttpGrant};
use wharf_host::{Folder, Recipe, Stdio};
use wharf_telemetry::log::Log;

/// Returns what each instance of `component` gets.
pub(crate) fn recipe(app: &str, component: &Component, folder: &Path, log: &Log) -> Recipe {
    let mut recipe = Recipe::bare(app, component.name.as_str(), Stdio::Log(log.clone()));
    recipe.clock_resolution = component.limits.clock_resolution;
    grant(&mut recipe, &component.grants, folder);
    recipe
}

/// Adds grants to a recipe. Relative folders start at `folder`.
pub(crate) fn grant(recipe: &mut Recipe, grants: &wharf_app::Grants, folder: &Path) {
    // Variables are filled in before an app gets here.
    let value = |variable: &EnvGrant| variable.value.text().unwrap_or_default().to_owned();
    recipe.environment.extend(grants.environment.iter().map(|variable| (variable.name.clone(), value(variable))));
    recipe.folders.extend(grants.files.iter().map(|files| Folder {
        host: folder.join(&files.host),
        guest: files.guest.clone(),
        writable: files.access == Access::ReadWrite,
    }));
}

/// Returns the components that `component` may call.
pub(crate) fn peers(component: &Component) -> BTreeSet<String> {
    let internal = component.grants.http.iter().filter_map(|grant| match grant {
        HttpGrant::Internal { component } => Some(component.clone()),
        HttpGrant::External(_) => None,
    });
    internal.collect()
}
