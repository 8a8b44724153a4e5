//! What changed in worlds, and between two components.

use wit_parser::{Resolve, World, WorldId, WorldItem, WorldKey};

use super::change::Role;
use super::interface::{contents, gate_of, of_function, unpromised};
use super::reach::Reach;
use super::same::{Pair, track};
use super::{Audience, Change, Group, Level, Side, definition};

/// One import or export.
struct Item<'a> {
    /// What both versions call it: the name without what compatible versions differ in.
    path: String,
    /// Its full name.
    name: String,
    item: &'a WorldItem,
}

/// Compares the worlds of two packages.
pub(crate) fn of_packages(pair: &Pair<'_>) -> Vec<Group> {
    let worlds = |side: Side<'_>| side.resolve.packages[side.package].worlds.clone();
    let (old_worlds, new_worlds) = (worlds(pair.old), worlds(pair.new));
    let mut groups = Vec::new();
    for (name, old) in &old_worlds {
        let title = format!("world {name}");
        let old_world = &pair.old.resolve.worlds[*old];
        let changes = match new_worlds.get(name) {
            None => {
                let change = Change::removed(title.as_str(), None);
                let change = change.breaking(&[Audience::Components, Audience::Hosts], Level::Major);
                vec![unpromised(change, &old_world.stability)]
            }
            Some(new) => {
                let new_world = &pair.new.resolve.worlds[*new];
                let mut changes = gate_of(&title, &old_world.stability, &new_world.stability);
                changes.extend(of_worlds(pair, old_world, new_world));
                changes.into_iter().map(|change| unpromised(change, &old_world.stability)).collect()
            }
        };
        groups.push(Group { name: title, changes });
    }
    for name in new_worlds.keys().filter(|name| !old_worlds.contains_key(*name)) {
        let title = format!("world {name}");
        let change = Change::added(title.as_str(), None).breaking(&[], Level::Minor);
        groups.push(Group { name: title, changes: vec![change] });
    }
    groups
}

fn of_worlds(pair: &Pair<'_>, old: &World, new: &World) -> Vec<Change> {
    let mut changes = Vec::new();
    for (word, role) in [("import", Role::WORLD_IMPORT), ("export", Role::WORLD_EXPORT)] {
        let (old, new) = match word {
            "import" => (&old.imports, &new.imports),
            _ => (&old.exports, &new.exports),
        };
        let (old, new) = (items(pair.old, old), items(pair.new, new));
        for item in &old {
            match new.iter().find(|other| other.path == item.path) {
                Some(other) => changes.extend(of_items(pair, word, item, other, role)),
                None => changes.push(removed(word, item, role, pair.old.resolve)),
            }
        }
        let known = |item: &&Item<'_>| !old.iter().any(|other| other.path == item.path);
        changes.extend(new.iter().filter(known).map(|item| added(word, item, role, pair.new.resolve)));
    }
    changes
}

/// Compares what two components import and export, down to each function.
pub(crate) fn of_components(pair: &Pair<'_>, old: WorldId, new: WorldId) -> Vec<Group> {
    let (old, new) = (&pair.old.resolve.worlds[old], &pair.new.resolve.worlds[new]);
    let mut groups = Vec::new();
    let sides = [
        ("import", Role::COMPONENT_IMPORT, &old.imports, &new.imports),
        ("export", Role::COMPONENT_EXPORT, &old.exports, &new.exports),
    ];
    for (word, role, old, new) in sides {
        let (old, new) = (items(pair.old, old), items(pair.new, new));
        for item in &old {
            let (name, changes) = match new.iter().find(|other| other.path == item.path) {
                Some(other) => (&other.name, of_items(pair, word, item, other, role)),
                None => (&item.name, vec![removed(word, item, role, pair.old.resolve)]),
            };
            groups.push(Group { name: format!("{word} {name}"), changes });
        }
        for item in new.iter().filter(|item| !old.iter().any(|other| other.path == item.path)) {
            let changes = vec![added(word, item, role, pair.new.resolve)];
            groups.push(Group { name: format!("{word} {}", item.name), changes });
        }
    }
    groups
}

fn items<'a>(side: Side<'a>, items: &'a wit_parser::IndexMap<WorldKey, WorldItem>) -> Vec<Item<'a>> {
    let named = |(key, item)| {
        let name = side.resolve.name_world_key(key);
        let path = match key {
            WorldKey::Name(name) => name.clone(),
            WorldKey::Interface(id) => {
                let interface = &side.resolve.interfaces[*id];
                let own = interface.name.clone().unwrap_or_default();
                match interface.package {
                    // Its own interfaces move with the package.
                    Some(package) if package == side.package => format!("/{own}"),
                    Some(package) => format!("{}/{own}", track(&side.resolve.packages[package].name)),
                    None => own,
                }
            }
        };
        Item { path, name, item }
    };
    items.iter().map(named).collect()
}

fn of_items(pair: &Pair<'_>, word: &str, old: &Item<'_>, new: &Item<'_>, role: Role) -> Vec<Change> {
    let mut changes: Vec<Change> = versions(pair, word, old, new, role).into_iter().collect();
    match (old.item, new.item) {
        (WorldItem::Interface { id: old_id, .. }, WorldItem::Interface { id: new_id, .. }) => {
            let is_component = pair.old.world.is_some();
            let is_named = pair.new.resolve.interfaces[*new_id].name.is_some();
            // In a package, interfaces with a name are told where they are.
            if is_component || !is_named {
                let reach = is_component.then(|| Reach::new(pair.new.resolve, pair.new.package));
                let prefix = if is_component { String::new() } else { format!("{word} {}: ", new.name) };
                let found = contents(pair, *old_id, *new_id, role, reach.as_ref());
                changes.extend(
                    found.into_iter().map(|change| Change { item: format!("{prefix}{}", change.item), ..change }),
                );
            }
        }
        (WorldItem::Function(old), WorldItem::Function(new)) => changes.extend(of_function(pair, old, new, role)),
        (WorldItem::Type { id: old_id, .. }, WorldItem::Type { id: new_id, .. }) => {
            let change = definition::of_type(pair, &new.name, *old_id, *new_id);
            changes.extend(change.map(|change| change.breaking(role.changed.0, role.changed.1)));
        }
        _ => {
            let change = Change::changed(format!("{word} {}", new.name), None, None);
            changes.push(change.detail("is of another kind").breaking(role.changed.0, role.changed.1));
        }
    }
    changes
}

/// Compatible versions of an interface stand in for each other when the one that is there is the higher one.
fn versions(pair: &Pair<'_>, word: &str, old: &Item<'_>, new: &Item<'_>, role: Role) -> Option<Change> {
    let is_own = |side: Side<'_>, item: &WorldItem| match item {
        WorldItem::Interface { id, .. } => side.resolve.interfaces[*id].package == Some(side.package),
        _ => true,
    };
    if old.name == new.name || is_own(pair.old, old.item) || is_own(pair.new, new.item) {
        return None;
    }
    let version = |name: &str| name.split_once('@').and_then(|(_, version)| semver::Version::parse(version).ok());
    let is_raised = version(&old.name) < version(&new.name);
    let change = Change::changed(format!("{word} {}", new.name), Some(old.name.clone()), Some(new.name.clone()));
    Some(match is_raised {
        true => change.detail(format!("a higher version than `{}`", old.name)).breaking(role.added.0, Level::Minor),
        false => change.detail(format!("a lower version than `{}`", old.name)).breaking(role.removed.0, role.removed.1),
    })
}

fn added(word: &str, item: &Item<'_>, role: Role, resolve: &Resolve) -> Change {
    let is_type = matches!(item.item, WorldItem::Type { .. });
    let (breaks, level) = if is_type { (&[][..], Level::Minor) } else { role.added };
    let change = Change::added(format!("{word} {}", item.name), text(item, resolve)).breaking(breaks, level);
    unpromised(change, item.item.stability(resolve))
}

fn removed(word: &str, item: &Item<'_>, role: Role, resolve: &Resolve) -> Change {
    let change = Change::removed(format!("{word} {}", item.name), text(item, resolve));
    unpromised(change.breaking(role.removed.0, role.removed.1), item.item.stability(resolve))
}

fn text(item: &Item<'_>, resolve: &Resolve) -> Option<String> {
    match item.item {
        WorldItem::Function(function) => Some(definition::function_text(resolve, function)),
        WorldItem::Type { id, .. } => definition::text(resolve, *id),
        WorldItem::Interface { .. } => None,
    }
}
