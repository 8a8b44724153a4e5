//! What changed between two versions of an interface, whom it breaks, and which version that asks for.
//!
//! In: two [`Side`]s. Out: a [`Diff`]. Next: [`Diff::text`] for people, its JSON form for programs.
//!
//! The Component Model has no subtypes of values: a record with one field more is another type, for those who give it and for those
//! who take it. Only a whole interface may have more functions than its caller knows. That is all the rules come from.

mod change;
mod definition;
mod interface;
mod reach;
mod same;
mod text;
mod version;
mod world;

pub use change::{Audience, Change, ChangeKind, Group, Level};
pub use version::Verdict;

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use wit_parser::{PackageId, Resolve, WorldId};

/// One version.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The interfaces.
    pub resolve: &'a Resolve,
    /// The package that is compared.
    pub package: PackageId,
    /// What a component imports and exports; none to compare a whole package.
    pub world: Option<WorldId>,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The name of the old package; none for a component.
    pub old: Option<String>,
    /// The name of the new one.
    pub new: Option<String>,
    /// What changed, by interface and world.
    pub groups: Vec<Group>,
    /// Which version that asks for.
    pub verdict: Verdict,
}

/// Compares two versions of a package, or two components. Never panics.
///
/// A component is compared by what it imports and exports; its WIT has no version, so the verdict is only a level.
pub fn diff(old: Side<'_>, new: Side<'_>) -> Diff {
    // Whatever the parser lets through has names where names belong; what a decoder made of a strange binary may not.
    // Nothing that outlives the closure is changed inside.
    let groups = catch_unwind(AssertUnwindSafe(|| groups(old, new)));
    let mut groups = groups.unwrap_or_else(|_| vec![Group::unreadable()]);
    groups.retain(|group| !group.changes.is_empty());
    let level = groups.iter().flat_map(|group| &group.changes).map(|change| change.level).max();
    let version = |side: Side<'_>| side.resolve.packages[side.package].name.version.clone();
    let name = |side: Side<'_>| side.world.is_none().then(|| side.resolve.packages[side.package].name.to_string());
    let versions = match (old.world, new.world) {
        (None, None) => version(old).zip(version(new)),
        _ => None,
    };
    Diff { old: name(old), new: name(new), groups, verdict: version::verdict(level, versions) }
}

fn groups(old: Side<'_>, new: Side<'_>) -> Vec<Group> {
    let pair = same::Pair::new(old, new);
    match (old.world, new.world) {
        (Some(old_world), Some(new_world)) => world::of_components(&pair, old_world, new_world),
        _ => {
            let mut groups = interface::of_packages(&pair);
            groups.extend(world::of_packages(&pair));
            groups
        }
    }
}

impl Diff {
    /// Says whether nothing changed, documentation included.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Returns it as text for people, without colour.
    pub fn text(&self) -> String {
        text::text(self)
    }
}
