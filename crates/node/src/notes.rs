//! Where what a component imports and what it is granted do not fit: nothing is wrong with either, and one of them is a mistake.

use std::collections::BTreeSet;
use wharf_app::Component;
use wharf_component::Capability;

/// Returns a sentence for each import that no grant serves, and for each grant that no import uses.
///
/// Files, environment and sockets are only looked at from the grant's side: the standard libraries of most languages import them whether
/// a program uses them or not.
pub(crate) fn of(declared: &Component, imports: &BTreeSet<Capability>) -> Vec<String> {
    let grants = &declared.grants;
    let name = &declared.name;
    let all = [
        (Capability::KeyValue, "keyvalue", !grants.keyvalue.is_empty(), true),
        (Capability::Sql, "sql", !grants.sql.is_empty(), true),
        (Capability::Blobs, "blobstore", !grants.blobstore.is_empty(), true),
        (Capability::Messaging, "messaging", !grants.messaging.is_empty(), true),
        (Capability::Config, "config", !grants.config.is_empty(), true),
        (Capability::Secrets, "secrets", !grants.secrets.is_empty(), true),
        (Capability::CallHttp, "http", !grants.http.is_empty(), true),
        (Capability::Network, "net", !grants.net.is_empty(), false),
        (Capability::Files, "files", !grants.files.is_empty(), false),
        (Capability::Environment, "environment", !grants.environment.is_empty(), false),
    ];
    let mut notes = Vec::new();
    for (capability, key, granted, only_if_used) in all {
        let imported = imports.contains(&capability);
        if imported && !granted && only_if_used {
            let refused =
                format!("{name} can {} and nothing grants it: calls are refused. To allow it,", capability.words());
            // An app without a manifest has no places in it.
            let flag = capability.grant_flag().filter(|_| declared.name_span.is_empty());
            let line = capability.grant_line().unwrap_or_default();
            notes.push(match flag {
                Some(flag) => format!("{refused} give it as a flag: {flag}"),
                None => format!("{refused} add to [component.{name}.grants]: {line}"),
            });
        }
        if granted && !imported {
            notes.push(format!("{name} is granted `{key}` and imports nothing of it: the grant has no effect"));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use wharf_app::{App, LabelGrant};

    #[test]
    fn an_import_without_a_grant_and_a_grant_without_an_import_are_noted() {
        let mut app = App::implicit("api", "api.wasm");
        app.components[0].grants.sql.push(LabelGrant::full("orders", 0..0));
        let imports = BTreeSet::from([Capability::KeyValue, Capability::Files, Capability::Clock]);
        assert_eq!(
            of(&app.components[0], &imports),
            [
                "api can keep key-value state and nothing grants it: calls are refused. To allow it, give it as a flag: \
                 --keyvalue default",
                "api is granted `sql` and imports nothing of it: the grant has no effect",
            ]
        );
        app.components[0].name_span = 12..15;
        let said = "To allow it, add to [component.api.grants]: keyvalue = [\"default\"]";
        assert!(of(&app.components[0], &imports)[0].ends_with(said));
        app.components[0].grants.keyvalue.push(LabelGrant::full("default", 0..0));
        assert_eq!(of(&app.components[0], &BTreeSet::from([Capability::KeyValue, Capability::Sql])), [""; 0]);
    }
}
