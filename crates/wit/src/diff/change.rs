//! One change, with whom it breaks.

use serde::Serialize;

/// How much of a version it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nobody's code changes: documentation, or what nobody was promised.
    Patch,
    /// There is more than before.
    Minor,
    /// Something that worked does not any more.
    Major,
}

/// Those whom a change can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Components that import the interface.
    Callers,
    /// Components and hosts that export the interface.
    Implementers,
    /// Components that were built for the world.
    Components,
    /// Whoever runs the component, and whoever calls it.
    Hosts,
}

impl Audience {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Callers => "callers",
            Self::Implementers => "implementers",
            Self::Components => "components",
            Self::Hosts => "hosts",
        }
    }
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another one.
    Changed,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The item, such as `record point` or `add`.
    pub item: String,
    /// How it was; none for what is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// How it is; none for what is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What changed in it, a phrase for each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What uses it and so changes with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reaches: Vec<String>,
    /// Whom it breaks, of those who were built with the old version.
    pub breaks: Vec<Audience>,
    /// Which version it asks for.
    pub level: Level,
}

/// The changes of one interface or world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// `interface ops`, `world service`, `import wasi:http/types@0.2.6`.
    pub name: String,
    /// Its changes.
    pub changes: Vec<Change>,
}

impl Group {
    /// Says that the interfaces could not be compared, which nobody should take for "no change".
    pub(crate) fn unreadable() -> Self {
        let change = Change::new(ChangeKind::Changed, "everything")
            .detail("the interfaces cannot be compared: no tool writes such a file")
            .breaking(&[Audience::Callers, Audience::Implementers], Level::Major);
        Self { name: "the file".to_owned(), changes: vec![change] }
    }
}

impl Change {
    pub(crate) fn new(kind: ChangeKind, item: impl Into<String>) -> Self {
        let item = wharf_component::printable_line(&item.into());
        let (details, reaches, breaks) = (Vec::new(), Vec::new(), Vec::new());
        Self { kind, item, before: None, after: None, details, reaches, breaks, level: Level::Patch }
    }

    pub(crate) fn added(item: impl Into<String>, after: Option<String>) -> Self {
        Self { after, ..Self::new(ChangeKind::Added, item) }
    }

    pub(crate) fn removed(item: impl Into<String>, before: Option<String>) -> Self {
        Self { before, ..Self::new(ChangeKind::Removed, item) }
    }

    pub(crate) fn changed(item: impl Into<String>, before: Option<String>, after: Option<String>) -> Self {
        Self { before, after, ..Self::new(ChangeKind::Changed, item) }
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(wharf_component::printable_line(&detail.into()));
        self
    }

    pub(crate) fn breaking(mut self, breaks: &[Audience], level: Level) -> Self {
        (self.breaks, self.level) = (breaks.to_vec(), level);
        self
    }
}

/// Whom additions, removals and changes in an interface break, by where the interface stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Role {
    pub(crate) added: (&'static [Audience], Level),
    pub(crate) removed: (&'static [Audience], Level),
    pub(crate) changed: (&'static [Audience], Level),
}

impl Role {
    /// An interface of a package: some import it, others export it.
    pub(crate) const INTERFACE: Self = Self {
        added: (&[Audience::Implementers], Level::Minor),
        removed: (&[Audience::Callers], Level::Major),
        changed: (&[Audience::Callers, Audience::Implementers], Level::Major),
    };
    /// What components of a world may call.
    pub(crate) const WORLD_IMPORT: Self = Self {
        added: (&[Audience::Hosts], Level::Minor),
        removed: (&[Audience::Components], Level::Major),
        changed: (&[Audience::Components, Audience::Hosts], Level::Major),
    };
    /// What components of a world must have.
    pub(crate) const WORLD_EXPORT: Self = Self {
        added: (&[Audience::Components], Level::Major),
        removed: (&[Audience::Hosts], Level::Major),
        changed: (&[Audience::Components, Audience::Hosts], Level::Major),
    };
    /// What one component needs.
    pub(crate) const COMPONENT_IMPORT: Self = Self {
        added: (&[Audience::Hosts], Level::Major),
        removed: (&[], Level::Minor),
        changed: (&[Audience::Hosts], Level::Major),
    };
    /// What one component offers.
    pub(crate) const COMPONENT_EXPORT: Self = Self {
        added: (&[], Level::Minor),
        removed: (&[Audience::Hosts], Level::Major),
        changed: (&[Audience::Hosts], Level::Major),
    };
}
