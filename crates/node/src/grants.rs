//! What the manifest grants, as what the host gives: nothing is added on the way.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use wharf_app::{Access, Component, EnvGrant, HostPattern, HttpGrant, NetPattern, is_public};
use wharf_host::{Folder, NetworkCheck, Recipe, Stdio};
use wharf_telemetry::log::Log;

/// Returns what each instance of `component` gets.
pub(crate) fn recipe(app: &str, component: &Component, folder: &Path, log: &Log) -> Recipe {
    let mut recipe = Recipe::bare(app, component.name.as_str(), Stdio::Log(log.clone()));
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
    recipe.network = network(&grants.net);
}

/// Returns the components that `component` may call.
pub(crate) fn peers(component: &Component) -> BTreeSet<String> {
    let internal = component.grants.http.iter().filter_map(|grant| match grant {
        HttpGrant::Internal { component } => Some(component.clone()),
        HttpGrant::External(_) => None,
    });
    internal.collect()
}

fn network(patterns: &[NetPattern]) -> Option<NetworkCheck> {
    if patterns.is_empty() {
        return None;
    }
    let patterns = patterns.to_vec();
    Some(Arc::new(move |address: SocketAddr| patterns.iter().any(|pattern| allows(pattern, address))))
}

/// `*` means the public internet: what is inside the operator's network is granted by its address or not at all.
fn allows(pattern: &NetPattern, address: SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    let host = match &pattern.host {
        HostPattern::Any => is_public(ip),
        host => host.matches_address(ip),
    };
    host && pattern.ports.contains(address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(patterns: &[&str], address: &str) -> bool {
        let patterns: Vec<_> = patterns.iter().map(|text| NetPattern::parse(text).unwrap()).collect();
        network(&patterns).is_some_and(|check| check(address.parse().unwrap()))
    }

    #[test]
    fn nothing_is_allowed_without_a_grant() {
        assert!(!allowed(&[], "93.184.216.34:443"));
    }

    #[test]
    fn everything_means_the_public_internet() {
        for public in ["93.184.216.34:443", "[2606:4700::1]:53"] {
            assert!(allowed(&["*"], public), "{public}");
        }
        for inside in [
            "127.0.0.1:80",
            "10.1.2.3:80",
            "169.254.169.254:80",
            "192.168.0.1:80",
            "100.64.0.1:80",
            "0.0.0.0:80",
            "224.0.0.1:80",
            "[::1]:80",
            "[fe80::1]:80",
            "[fd00::1]:80",
            "[::ffff:10.0.0.1]:80",
            "[2002:a00:1::]:80",
            "[64:ff9b::a00:1]:80",
        ] {
            assert!(!allowed(&["*"], inside), "{inside}");
        }
    }

    #[test]
    fn an_inside_address_is_allowed_when_it_is_named() {
        assert!(allowed(&["127.0.0.1:8080"], "127.0.0.1:8080"));
        assert!(allowed(&["10.0.0.0/8:5432-5433"], "10.9.9.9:5433"));
        assert!(!allowed(&["10.0.0.0/8:5432"], "10.9.9.9:5433"));
        assert!(!allowed(&["127.0.0.1:8080"], "127.0.0.2:8080"));
    }
}
