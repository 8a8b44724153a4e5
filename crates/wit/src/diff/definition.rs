//! What changed in the definition of one type, and in the signature of one function.

use wit_parser::{Function, FunctionKind, Resolve, Type, TypeDefKind, TypeId};

use super::Change;
use super::same::Pair;

/// Names of fields and cases that are told one by one.
const DETAILS_MAX: usize = 20;

/// The longest text of a definition that is shown.
const TEXT_LEN_MAX: usize = 400;

/// Returns the change of a type that both versions have, without whom it breaks.
pub(crate) fn of_type(pair: &Pair<'_>, name: &str, old: TypeId, new: TypeId) -> Option<Change> {
    if pair.is_same_definition(old, new) {
        return None;
    }
    let (old_kind, new_kind) = (&pair.old.resolve.types[old].kind, &pair.new.resolve.types[new].kind);
    let item = format!("{} {name}", word(new_kind));
    let change = Change::changed(item, text(pair.old.resolve, old), text(pair.new.resolve, new));
    if word(old_kind) != word(new_kind) {
        return Some(change.detail(format!("was a {}", word(old_kind))));
    }
    Some(details(pair, old_kind, new_kind).into_iter().take(DETAILS_MAX).fold(change, Change::detail))
}

/// The word before the name of a type.
pub(crate) fn word(kind: &TypeDefKind) -> &'static str {
    match kind {
        TypeDefKind::Record(_) => "record",
        TypeDefKind::Resource => "resource",
        TypeDefKind::Flags(_) => "flags",
        TypeDefKind::Variant(_) => "variant",
        TypeDefKind::Enum(_) => "enum",
        _ => "type",
    }
}

fn details(pair: &Pair<'_>, old: &TypeDefKind, new: &TypeDefKind) -> Vec<String> {
    let (old_resolve, new_resolve) = (pair.old.resolve, pair.new.resolve);
    match (old, new) {
        (TypeDefKind::Record(old), TypeDefKind::Record(new)) => {
            let old: Vec<_> = old.fields.iter().map(|field| (field.name.as_str(), Some(&field.ty))).collect();
            let new: Vec<_> = new.fields.iter().map(|field| (field.name.as_str(), Some(&field.ty))).collect();
            parts(pair, "field", &old, &new)
        }
        (TypeDefKind::Variant(old), TypeDefKind::Variant(new)) => {
            let old: Vec<_> = old.cases.iter().map(|case| (case.name.as_str(), case.ty.as_ref())).collect();
            let new: Vec<_> = new.cases.iter().map(|case| (case.name.as_str(), case.ty.as_ref())).collect();
            parts(pair, "case", &old, &new)
        }
        (TypeDefKind::Flags(old), TypeDefKind::Flags(new)) => {
            let old: Vec<_> = old.flags.iter().map(|flag| (flag.name.as_str(), None)).collect();
            let new: Vec<_> = new.flags.iter().map(|flag| (flag.name.as_str(), None)).collect();
            parts(pair, "flag", &old, &new)
        }
        (TypeDefKind::Enum(old), TypeDefKind::Enum(new)) => {
            let old: Vec<_> = old.cases.iter().map(|case| (case.name.as_str(), None)).collect();
            let new: Vec<_> = new.cases.iter().map(|case| (case.name.as_str(), None)).collect();
            parts(pair, "case", &old, &new)
        }
        _ => {
            let (old, new) = (anonymous(old_resolve, old), anonymous(new_resolve, new));
            if old == new { Vec::new() } else { vec![format!("`{old}` became `{new}`")] }
        }
    }
}

type Part<'a> = (&'a str, Option<&'a Type>);

/// Compares fields, cases or flags; their order is part of the type.
fn parts(pair: &Pair<'_>, word: &str, old: &[Part<'_>], new: &[Part<'_>]) -> Vec<String> {
    let shown = |resolve: &Resolve, (name, ty): &Part<'_>| match ty {
        Some(ty) => format!("{name}: {}", wharf_component::type_text(resolve, ty)),
        None => (*name).to_owned(),
    };
    let mut details = Vec::new();
    for part in old {
        match new.iter().find(|other| other.0 == part.0) {
            None => details.push(format!("{word} `{}` removed", shown(pair.old.resolve, part))),
            Some(other) if !pair.is_same_option(part.1, other.1) => {
                let (before, after) = (shown(pair.old.resolve, part), shown(pair.new.resolve, other));
                details.push(format!("{word} `{before}` became `{after}`"));
            }
            Some(_) => {}
        }
    }
    let added = new.iter().filter(|part| !old.iter().any(|other| other.0 == part.0));
    details.extend(added.map(|part| format!("{word} `{}` added", shown(pair.new.resolve, part))));
    if details.is_empty() {
        details.push(format!("the order of its {word}s"));
    }
    details
}

fn anonymous(resolve: &Resolve, kind: &TypeDefKind) -> String {
    match kind {
        TypeDefKind::Type(ty) => wharf_component::type_text(resolve, ty),
        kind => kind.as_str().to_owned(),
    }
}

/// Writes a definition on one line. None when that would be too long to read, or says nothing.
pub(crate) fn text(resolve: &Resolve, id: TypeId) -> Option<String> {
    let ty = &resolve.types[id];
    let name = ty.name.as_deref()?;
    let typed = |name: &str, ty: &Type| format!("{name}: {}", wharf_component::type_text(resolve, ty));
    let parts: Vec<String> = match &ty.kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| typed(&field.name, &field.ty)).collect(),
        TypeDefKind::Variant(variant) => {
            let case = |case: &wit_parser::Case| match &case.ty {
                Some(ty) => format!("{}({})", case.name, wharf_component::type_text(resolve, ty)),
                None => case.name.clone(),
            };
            variant.cases.iter().map(case).collect()
        }
        TypeDefKind::Flags(flags) => flags.flags.iter().map(|flag| flag.name.clone()).collect(),
        TypeDefKind::Enum(cases) => cases.cases.iter().map(|case| case.name.clone()).collect(),
        TypeDefKind::Resource => return None,
        TypeDefKind::Type(ty) => return Some(format!("type {name} = {}", wharf_component::type_text(resolve, ty))),
        _ => return None,
    };
    let text = format!("{} {name} {{ {} }}", word(&ty.kind), parts.join(", "));
    (text.len() <= TEXT_LEN_MAX).then_some(text)
}

/// Returns the change of a function that both versions have, without whom it breaks.
pub(crate) fn of_function(pair: &Pair<'_>, old: &Function, new: &Function) -> Option<Change> {
    let mut details = Vec::new();
    if old.kind.is_async() != new.kind.is_async() {
        details.push(if new.kind.is_async() { "became async".to_owned() } else { "is async no more".to_owned() });
    }
    if kind(&old.kind) != kind(&new.kind) {
        details.push(format!("was a {}, is a {}", kind(&old.kind), kind(&new.kind)));
    }
    let is_same_params = old.params.len() == new.params.len()
        && old.params.iter().zip(&new.params).all(|(old, new)| old.name == new.name && pair.is_same(&old.ty, &new.ty));
    if !is_same_params {
        details.push("its parameters changed".to_owned());
    }
    if !pair.is_same_option(old.result.as_ref(), new.result.as_ref()) {
        details.push("its result changed".to_owned());
    }
    if details.is_empty() {
        return None;
    }
    let (before, after) = (function_text(pair.old.resolve, old), function_text(pair.new.resolve, new));
    let change = Change::changed(function_name(new), Some(before), Some(after));
    Some(details.into_iter().fold(change, Change::detail))
}

fn kind(kind: &FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Freestanding | FunctionKind::AsyncFreestanding => "function",
        FunctionKind::Method(_) | FunctionKind::AsyncMethod(_) => "method",
        FunctionKind::Static(_) | FunctionKind::AsyncStatic(_) => "static function",
        FunctionKind::Constructor(_) => "constructor",
    }
}

pub(crate) fn function_text(resolve: &Resolve, function: &Function) -> String {
    wharf_component::function_text(resolve, function)
}

/// `get`, `fields.get`, `fields` for its constructor.
pub(crate) fn function_name(function: &Function) -> String {
    let name = function.name.split_once(']').map_or(function.name.as_str(), |(_, name)| name);
    match function.kind {
        FunctionKind::Constructor(_) => format!("constructor of {name}"),
        _ => name.to_owned(),
    }
}
