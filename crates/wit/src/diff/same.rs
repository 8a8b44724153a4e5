//! Whether a type of the old version and one of the new are the same, by structure through names.

use std::cell::RefCell;
use std::collections::HashMap;

use wit_parser::{Handle, PackageName, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

use super::Side;

/// Levels of types inside types that are compared. WIT texts have less than 100 without names; through renamed types more are
/// possible, and count as different.
const DEPTH_MAX: usize = 200;

/// The two versions.
pub(crate) struct Pair<'a> {
    pub(crate) old: Side<'a>,
    pub(crate) new: Side<'a>,
    known: RefCell<HashMap<(TypeId, TypeId), bool>>,
}

/// A type's name that both versions can have: package with its compatible versions, interface, name.
#[derive(PartialEq, Eq)]
pub(crate) struct Path {
    package: Option<String>,
    interface: Option<String>,
    name: String,
}

impl<'a> Pair<'a> {
    pub(crate) fn new(old: Side<'a>, new: Side<'a>) -> Self {
        Self { old, new, known: RefCell::default() }
    }

    /// Compares two types where they are used. Types with names are the same when their names are: what their definitions changed is
    /// told where they are.
    pub(crate) fn is_same(&self, old: &Type, new: &Type) -> bool {
        self.types(old, new, 0)
    }

    pub(crate) fn is_same_option(&self, old: Option<&Type>, new: Option<&Type>) -> bool {
        self.options(old, new, 0)
    }

    /// Compares what two names of the same path stand for.
    pub(crate) fn is_same_definition(&self, old: TypeId, new: TypeId) -> bool {
        let (old_type, new_type) = (follow(self.old.resolve, &Type::Id(old)), follow(self.new.resolve, &Type::Id(new)));
        match (old_type, new_type) {
            (Type::Id(old_end), Type::Id(new_end)) if old_end == old && new_end == new => {
                // A resource is nothing but its name; its functions are told one by one.
                let is_resource =
                    |resolve: &Resolve, id: TypeId| matches!(resolve.types[id].kind, TypeDefKind::Resource);
                (is_resource(self.old.resolve, old) && is_resource(self.new.resolve, new)) || self.kinds(old, new, 0)
            }
            (old_type, new_type) => self.is_same(&old_type, &new_type),
        }
    }

    fn types(&self, old: &Type, new: &Type, depth: usize) -> bool {
        match (follow(self.old.resolve, old), follow(self.new.resolve, new)) {
            (Type::Id(old), Type::Id(new)) => self.ids(old, new, depth),
            (old, new) => old == new,
        }
    }

    fn ids(&self, old: TypeId, new: TypeId, depth: usize) -> bool {
        if let (Some(old), Some(new)) = (path(self.old, old), path(self.new, new))
            && old == new
        {
            return true;
        }
        if depth > DEPTH_MAX {
            return false;
        }
        if let Some(known) = self.known.borrow().get(&(old, new)) {
            return *known;
        }
        let same = self.kinds(old, new, depth + 1);
        self.known.borrow_mut().insert((old, new), same);
        same
    }

    fn kinds(&self, old: TypeId, new: TypeId, depth: usize) -> bool {
        use TypeDefKind as Kind;
        let all = |old: &[Type], new: &[Type]| {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| self.types(old, new, depth))
        };
        match (&self.old.resolve.types[old].kind, &self.new.resolve.types[new].kind) {
            (Kind::Record(old), Kind::Record(new)) => {
                old.fields.len() == new.fields.len()
                    && old
                        .fields
                        .iter()
                        .zip(&new.fields)
                        .all(|(old, new)| old.name == new.name && self.types(&old.ty, &new.ty, depth))
            }
            (Kind::Variant(old), Kind::Variant(new)) => {
                old.cases.len() == new.cases.len()
                    && old
                        .cases
                        .iter()
                        .zip(&new.cases)
                        .all(|(old, new)| old.name == new.name && self.options(old.ty.as_ref(), new.ty.as_ref(), depth))
            }
            (Kind::Flags(old), Kind::Flags(new)) => {
                old.flags.iter().map(|flag| &flag.name).eq(new.flags.iter().map(|flag| &flag.name))
            }
            (Kind::Enum(old), Kind::Enum(new)) => {
                old.cases.iter().map(|case| &case.name).eq(new.cases.iter().map(|case| &case.name))
            }
            (Kind::Resource, Kind::Resource) => {
                // Those of interfaces without a path have no more than their name.
                self.old.resolve.types[old].name == self.new.resolve.types[new].name
                    && (path(self.old, old).is_none() || path(self.new, new).is_none())
            }
            (Kind::Handle(Handle::Own(old)), Kind::Handle(Handle::Own(new)))
            | (Kind::Handle(Handle::Borrow(old)), Kind::Handle(Handle::Borrow(new))) => {
                self.types(&Type::Id(*old), &Type::Id(*new), depth)
            }
            (Kind::Tuple(old), Kind::Tuple(new)) => all(&old.types, &new.types),
            (Kind::Option(old), Kind::Option(new)) | (Kind::List(old), Kind::List(new)) => self.types(old, new, depth),
            (Kind::FixedLengthList(old, count), Kind::FixedLengthList(new, new_count)) => {
                count == new_count && self.types(old, new, depth)
            }
            (Kind::Map(old, old_value), Kind::Map(new, new_value)) => {
                self.types(old, new, depth) && self.types(old_value, new_value, depth)
            }
            (Kind::Result(old), Kind::Result(new)) => {
                self.options(old.ok.as_ref(), new.ok.as_ref(), depth)
                    && self.options(old.err.as_ref(), new.err.as_ref(), depth)
            }
            (Kind::Future(old), Kind::Future(new)) | (Kind::Stream(old), Kind::Stream(new)) => {
                self.options(old.as_ref(), new.as_ref(), depth)
            }
            _ => false,
        }
    }

    fn options(&self, old: Option<&Type>, new: Option<&Type>, depth: usize) -> bool {
        match (old, new) {
            (Some(old), Some(new)) => self.types(old, new, depth),
            (old, new) => old.is_none() && new.is_none(),
        }
    }
}

/// Follows `type a = b` and `use x.{a}` to what they stand for.
pub(crate) fn follow(resolve: &Resolve, ty: &Type) -> Type {
    let mut ty = *ty;
    while let Type::Id(id) = ty
        && let TypeDefKind::Type(next) = resolve.types[id].kind
    {
        ty = next;
    }
    ty
}

fn path(side: Side<'_>, id: TypeId) -> Option<Path> {
    let ty = &side.resolve.types[id];
    let name = ty.name.clone()?;
    match ty.owner {
        TypeOwner::None => None,
        TypeOwner::World(_) => Some(Path { package: None, interface: None, name }),
        TypeOwner::Interface(id) => {
            let interface = &side.resolve.interfaces[id];
            let owner = interface.package?;
            let own = &side.resolve.packages[owner].name;
            let package = if owner == side.package { None } else { Some(track(own)) };
            Some(Path { package, interface: Some(interface.name.clone()?), name })
        }
    }
}

/// A package's name with the part of its version that compatible versions share: `wasi:http@0.2`.
pub(crate) fn track(name: &PackageName) -> String {
    let version = name.version.as_ref();
    let version = version.map_or_else(String::new, |v| format!("@{}", PackageName::version_compat_track_string(v)));
    format!("{}:{}{version}", name.namespace, name.name)
}
