//! What changed in interfaces.

use wit_parser::{Docs, Function, Interface, InterfaceId, Stability, TypeDefKind, TypeId};

use super::change::Role;
use super::definition::{self, function_name, function_text};
use super::reach::Reach;
use super::same::Pair;
use super::{Audience, Change, ChangeKind, Group, Level};

/// Compares the interfaces of two packages.
pub(crate) fn of_packages(pair: &Pair<'_>) -> Vec<Group> {
    let (old_package, new_package) =
        (&pair.old.resolve.packages[pair.old.package], &pair.new.resolve.packages[pair.new.package]);
    let reach = Reach::new(pair.new.resolve, pair.new.package);
    let mut groups = Vec::new();
    for (name, old) in &old_package.interfaces {
        let group = |changes| Group { name: format!("interface {name}"), changes };
        let old_interface = &pair.old.resolve.interfaces[*old];
        match new_package.interfaces.get(name) {
            Some(new) => {
                let mut changes = gate_of(
                    &format!("interface {name}"),
                    &old_interface.stability,
                    &pair.new.resolve.interfaces[*new].stability,
                );
                changes.extend(contents(pair, *old, *new, Role::INTERFACE, Some(&reach)));
                groups.push(group(changes));
            }
            None => {
                let change = Change::removed(format!("interface {name}"), None);
                let change = change.breaking(&[Audience::Callers], Level::Major);
                groups.push(group(vec![unpromised(change, &old_interface.stability)]));
            }
        }
    }
    for (name, new) in new_package.interfaces.iter().filter(|(name, _)| !old_package.interfaces.contains_key(*name)) {
        // Nobody has it yet, and nobody must: that is what the worlds say.
        let change = Change::added(format!("interface {name}"), None).breaking(&[], Level::Minor);
        let stability = &pair.new.resolve.interfaces[*new].stability;
        groups.push(Group { name: format!("interface {name}"), changes: vec![unpromised(change, stability)] });
    }
    groups
}

/// Compares types and functions of two interfaces.
pub(crate) fn contents(
    pair: &Pair<'_>,
    old: InterfaceId,
    new: InterfaceId,
    role: Role,
    reach: Option<&Reach<'_>>,
) -> Vec<Change> {
    let (old, new) = (&pair.old.resolve.interfaces[old], &pair.new.resolve.interfaces[new]);
    let mut changes = types(pair, old, new, role, reach);
    changes.extend(functions(pair, old, new, role));
    // What is in an interface that was promised to nobody is promised to nobody.
    let mut changes: Vec<Change> = changes.into_iter().map(|change| unpromised(change, &old.stability)).collect();
    changes.extend(documentation("the interface", &old.docs, &new.docs));
    changes
}

fn types(pair: &Pair<'_>, old: &Interface, new: &Interface, role: Role, reach: Option<&Reach<'_>>) -> Vec<Change> {
    let (old_types, new_types) = (&pair.old.resolve.types, &pair.new.resolve.types);
    let mut changes = Vec::new();
    for (name, id) in &old.types {
        let stability = &old_types[*id].stability;
        let Some(new_id) = new.types.get(name) else {
            let item = format!("{} {name}", definition::word(&old_types[*id].kind));
            let change = Change::removed(item, definition::text(pair.old.resolve, *id));
            changes.push(unpromised(change.breaking(role.removed.0, role.removed.1), stability));
            continue;
        };
        let item = format!("{} {name}", definition::word(&new_types[*new_id].kind));
        changes.extend(gate_of(&item, stability, &new_types[*new_id].stability));
        changes.extend(documentation(&item, &old_types[*id].docs, &new_types[*new_id].docs));
        if let Some(mut change) = definition::of_type(pair, name, *id, *new_id) {
            change.reaches = reach.map(|reach| reach.of(*new_id)).unwrap_or_default();
            changes.push(unpromised(change.breaking(role.changed.0, role.changed.1), stability));
        }
    }
    for (name, id) in new.types.iter().filter(|(name, _)| !old.types.contains_key(*name)) {
        changes.push(added_type(pair, name, *id, role));
    }
    changes
}

/// Only a resource has to be implemented; other types are there with the functions that use them.
fn added_type(pair: &Pair<'_>, name: &str, id: TypeId, role: Role) -> Change {
    let ty = &pair.new.resolve.types[id];
    let is_resource = matches!(ty.kind, TypeDefKind::Resource);
    let breaks = if is_resource { role.added.0 } else { &[] };
    let level = if is_resource { role.added.1 } else { Level::Minor };
    let text = definition::text(pair.new.resolve, id);
    let change = Change::added(format!("{} {name}", definition::word(&ty.kind)), text).breaking(breaks, level);
    unpromised(since(change, &ty.stability, pair), &ty.stability)
}

fn functions(pair: &Pair<'_>, old: &Interface, new: &Interface, role: Role) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, function) in &old.functions {
        match new.functions.get(name) {
            Some(other) => changes.extend(of_function(pair, function, other, role)),
            None => {
                let text = function_text(pair.old.resolve, function);
                let change = Change::removed(function_name(function), Some(text));
                changes.push(unpromised(change.breaking(role.removed.0, role.removed.1), &function.stability));
            }
        }
    }
    for (_, function) in new.functions.iter().filter(|(name, _)| !old.functions.contains_key(*name)) {
        let text = function_text(pair.new.resolve, function);
        let change = Change::added(function_name(function), Some(text)).breaking(role.added.0, role.added.1);
        changes.push(unpromised(since(change, &function.stability, pair), &function.stability));
    }
    changes
}

/// Compares two functions of one name.
pub(crate) fn of_function(pair: &Pair<'_>, old: &Function, new: &Function, role: Role) -> Vec<Change> {
    let item = function_name(new);
    let mut changes = gate_of(&item, &old.stability, &new.stability);
    changes.extend(documentation(&item, &old.docs, &new.docs));
    let change = definition::of_function(pair, old, new);
    changes.extend(change.map(|change| unpromised(change.breaking(role.changed.0, role.changed.1), &old.stability)));
    changes
}

/// Returns the change of a feature gate: what is gated as unstable is promised to nobody.
pub(crate) fn gate_of(item: &str, old: &Stability, new: &Stability) -> Vec<Change> {
    let is_unstable = |stability: &Stability| matches!(stability, Stability::Unstable { .. });
    let mut changes = Vec::new();
    let change = || Change::new(ChangeKind::Changed, item);
    match (is_unstable(old), is_unstable(new)) {
        (true, false) => changes.push(change().detail("is stable now").breaking(&[], Level::Minor)),
        (false, true) => {
            let breaks = [Audience::Callers, Audience::Implementers];
            changes.push(
                change()
                    .detail("is unstable now: only who asks for the feature has it")
                    .breaking(&breaks, Level::Major),
            );
        }
        _ => {}
    }
    let deprecated = |stability: &Stability| match stability {
        Stability::Unstable { deprecated, .. } | Stability::Stable { deprecated, .. } => deprecated.is_some(),
        Stability::Unknown => false,
    };
    if deprecated(new) && !deprecated(old) {
        changes.push(change().detail("is deprecated now").breaking(&[], Level::Minor));
    }
    changes
}

/// Takes back what a change breaks when the item was gated as unstable.
pub(crate) fn unpromised(change: Change, stability: &Stability) -> Change {
    match stability {
        Stability::Unstable { feature, .. } if change.level > Level::Patch => {
            let feature = feature.clone();
            change.breaking(&[], Level::Patch).detail(format!("unstable (feature {feature}): promised to nobody"))
        }
        _ => change,
    }
}

/// Says when a new item claims to be older than it is.
fn since(change: Change, stability: &Stability, pair: &Pair<'_>) -> Change {
    let old = pair.old.resolve.packages[pair.old.package].name.version.as_ref();
    match (stability, old) {
        (Stability::Stable { since, .. }, Some(old)) if since <= old && pair.old.world.is_none() => {
            change.detail(format!("says `@since(version = {since})`, and {old} did not have it"))
        }
        _ => change,
    }
}

/// Components carry no documentation: that is no change of it.
fn documentation(item: &str, old: &Docs, new: &Docs) -> Option<Change> {
    if old.contents == new.contents || old.is_empty() || new.is_empty() {
        return None;
    }
    Some(Change::new(ChangeKind::Changed, item).detail("its documentation changed"))
}
