//! Which functions change because a type that they use did.

use std::collections::{HashMap, HashSet};

use wit_parser::{Function, Handle, PackageId, Resolve, Type, TypeDefKind, TypeId};

use super::definition::function_name;

/// Who uses which type.
pub(crate) struct Reach<'a> {
    resolve: &'a Resolve,
    users: HashMap<TypeId, Vec<TypeId>>,
    functions: HashMap<TypeId, Vec<String>>,
}

impl<'a> Reach<'a> {
    /// Looks through the interfaces of a package, and through all types.
    pub(crate) fn new(resolve: &'a Resolve, package: PackageId) -> Self {
        let mut reach = Self { resolve, users: HashMap::new(), functions: HashMap::new() };
        for (id, ty) in resolve.types.iter() {
            for used in parts(&ty.kind) {
                reach.users.entry(used).or_default().push(id);
            }
        }
        for (name, id) in &resolve.packages[package].interfaces {
            for function in resolve.interfaces[*id].functions.values() {
                reach.add(name, function);
            }
        }
        reach
    }

    fn add(&mut self, interface: &str, function: &Function) {
        let types: HashSet<TypeId> = function.parameter_and_result_types().filter_map(id).collect();
        for ty in types {
            self.functions.entry(ty).or_default().push(format!("{interface}.{}", function_name(function)));
        }
    }

    /// Returns the functions that use a type, through whatever other types.
    pub(crate) fn of(&self, ty: TypeId) -> Vec<String> {
        let mut seen = HashSet::new();
        let mut open = vec![ty];
        let mut found = Vec::new();
        while let Some(ty) = open.pop() {
            // What uses a resource does not change with a method of it.
            let is_handle = matches!(self.resolve.types[ty].kind, TypeDefKind::Resource);
            if is_handle || !seen.insert(ty) {
                continue;
            }
            found.extend(self.functions.get(&ty).into_iter().flatten().cloned());
            open.extend(self.users.get(&ty).into_iter().flatten().copied());
        }
        found.sort();
        found.dedup();
        found
    }
}

fn id(ty: Type) -> Option<TypeId> {
    match ty {
        Type::Id(id) => Some(id),
        _ => None,
    }
}

/// The types that a definition names.
fn parts(kind: &TypeDefKind) -> Vec<TypeId> {
    let types: Vec<Type> = match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.clone(),
        TypeDefKind::Option(ty) | TypeDefKind::List(ty) | TypeDefKind::FixedLengthList(ty, _) => vec![*ty],
        TypeDefKind::Type(ty) => vec![*ty],
        TypeDefKind::Map(key, value) => vec![*key, *value],
        TypeDefKind::Result(result) => result.ok.into_iter().chain(result.err).collect(),
        TypeDefKind::Future(ty) | TypeDefKind::Stream(ty) => ty.iter().copied().collect(),
        TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => vec![Type::Id(*id)],
        TypeDefKind::Resource | TypeDefKind::Flags(_) | TypeDefKind::Enum(_) | TypeDefKind::Unknown => Vec::new(),
    };
    types.into_iter().filter_map(id).collect()
}
