//! What a dependency may touch: its own grants, with those that it inherits in the place of its own.
//!
//! In: a dependency of a component. Out: the component that satisfies it, as if the manifest had written it so. Next: [`crate::join`].

use std::borrow::Cow;
use wharf_app::{App, Component, Dependency, GrantKind, Grants, Supplier};

/// Returns what satisfies a dependency. Nothing if the app has no such component, which [`wharf_app::parse`] has checked.
pub(crate) fn supplier<'a>(
    app: &'a App,
    dependant: &Component,
    dependency: &'a Dependency,
) -> Option<Cow<'a, Component>> {
    let supplier = match &dependency.supplier {
        Supplier::Component(name) => Cow::Borrowed(app.component(name)?),
        Supplier::Source(source) => {
            let mut component = App::implicit(&dependant.name, "").components.pop()?;
            component.name = format!("{}/{}", dependant.name, dependency.import.path());
            component.source = source.clone();
            component.name_span = dependency.span.clone();
            component.source_span = dependency.supplier_span.clone();
            Cow::Owned(component)
        }
    };
    let inherited: Vec<GrantKind> = GrantKind::ALL.into_iter().filter(|kind| dependency.inherit.has(*kind)).collect();
    if inherited.is_empty() {
        return Some(supplier);
    }
    let mut supplier = supplier.into_owned();
    for kind in inherited {
        take(&mut supplier.grants, &dependant.grants, kind);
        if kind == GrantKind::Files {
            supplier.files_spans.clone_from(&dependant.files_spans);
        }
    }
    Some(Cow::Owned(supplier))
}

/// Puts the grants of one kind in the place of those that are there.
fn take(grants: &mut Grants, from: &Grants, kind: GrantKind) {
    match kind {
        GrantKind::Environment => grants.environment.clone_from(&from.environment),
        GrantKind::Files => grants.files.clone_from(&from.files),
        GrantKind::Http => grants.http.clone_from(&from.http),
        GrantKind::Net => grants.net.clone_from(&from.net),
        GrantKind::Keyvalue => grants.keyvalue.clone_from(&from.keyvalue),
        GrantKind::Sql => grants.sql.clone_from(&from.sql),
        GrantKind::Blobstore => grants.blobstore.clone_from(&from.blobstore),
        GrantKind::Messaging => grants.messaging.clone_from(&from.messaging),
        GrantKind::Config => grants.config.clone_from(&from.config),
        GrantKind::Secrets => grants.secrets.clone_from(&from.secrets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "name = \"n\"\n[component.a]\nsource = \"a\"\n[component.a.grants]\nkeyvalue = [\"a\"]\nhttp = [\"https://a.example\"]\n\
                       [component.b]\nsource = \"b\"\n[component.b.grants]\nkeyvalue = [\"b\"]\nsql = [\"b\"]\n";

    #[track_caller]
    fn granted(dependency: &str) -> (Vec<String>, usize, usize) {
        let text = format!("{APP}[component.a.dependencies]\n\"x:y\" = {dependency}\n");
        let app = wharf_app::parse(&text).0.unwrap();
        let dependant = app.component("a").unwrap();
        let found = supplier(&app, dependant, &dependant.dependencies[0]).unwrap();
        let labels = found.grants.keyvalue.iter().map(|grant| grant.label.clone()).collect();
        (labels, found.grants.http.len(), found.grants.sql.len())
    }

    #[test]
    fn a_dependency_has_its_own_grants_unless_it_inherits() {
        assert_eq!(granted("{ component = \"b\" }"), (vec!["b".to_owned()], 0, 1));
        assert_eq!(granted("{ component = \"b\", inherit = [\"http\"] }"), (vec!["b".to_owned()], 1, 1));
        assert_eq!(granted("{ component = \"b\", inherit = true }"), (vec!["a".to_owned()], 1, 0));
    }

    #[test]
    fn what_is_no_part_of_the_app_has_nothing_of_its_own() {
        assert_eq!(granted("{ path = \"c.wasm\" }"), (vec![], 0, 0));
        assert_eq!(granted("{ path = \"c.wasm\", inherit = [\"keyvalue\"] }"), (vec!["a".to_owned()], 0, 0));
    }
}
