//! What types are made of, and how they are written.
//!
//! In: a type of a component. Out: its parts, its names, its text. Next: [`super::signature`], which compares types by them.

use wasmtime::component::types::Type;

/// Returns the types that a type is made of, an absent payload as nothing.
pub(crate) fn parts(ty: &Type) -> Vec<Option<Type>> {
    match ty {
        Type::List(list) => vec![Some(list.ty())],
        Type::FixedLengthList(list) => vec![Some(list.ty())],
        Type::Map(map) => vec![Some(map.key()), Some(map.value())],
        Type::Record(record) => record.fields().map(|field| Some(field.ty)).collect(),
        Type::Tuple(tuple) => tuple.types().map(Some).collect(),
        Type::Variant(variant) => variant.cases().map(|case| case.ty).collect(),
        Type::Option(option) => vec![Some(option.ty())],
        Type::Result(result) => vec![result.ok(), result.err()],
        _ => Vec::new(),
    }
}

/// Returns the names that a type has in it: of fields, cases or flags.
pub(crate) fn names(ty: &Type) -> Vec<String> {
    match ty {
        Type::Record(record) => record.fields().map(|field| field.name.to_owned()).collect(),
        Type::Variant(variant) => variant.cases().map(|case| case.name.to_owned()).collect(),
        Type::Enum(names) => names.names().map(str::to_owned).collect(),
        Type::Flags(flags) => flags.names().map(str::to_owned).collect(),
        Type::FixedLengthList(list) => vec![list.len().to_string()],
        _ => Vec::new(),
    }
}

/// How deep and how wide a type is spelt out: a stranger's may have a million parts.
const DEPTH: usize = 5;
const WIDTH: usize = 8;

/// Returns a type as its author would write it, with the names that tell two of a kind apart.
pub(crate) fn word(ty: &Type) -> String {
    spell(ty, DEPTH)
}

fn spell(ty: &Type, depth: usize) -> String {
    if depth == 0 {
        return "…".to_owned();
    }
    let of = |parts: &[Option<Type>]| {
        let one = |part: &Option<Type>| part.as_ref().map_or_else(|| "_".to_owned(), |ty| spell(ty, depth - 1));
        let mut words: Vec<String> = parts.iter().take(WIDTH).map(one).collect();
        words.extend((parts.len() > WIDTH).then(|| "…".to_owned()));
        words.join(", ")
    };
    let kind = match ty {
        Type::Bool => "bool",
        Type::S8 => "s8",
        Type::U8 => "u8",
        Type::S16 => "s16",
        Type::U16 => "u16",
        Type::S32 => "s32",
        Type::U32 => "u32",
        Type::S64 => "s64",
        Type::U64 => "u64",
        Type::Float32 => "f32",
        Type::Float64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::List(_) | Type::FixedLengthList(_) => "list",
        Type::Map(_) => "map",
        Type::Record(_) => "record",
        Type::Tuple(_) => "tuple",
        Type::Variant(_) => "variant",
        Type::Enum(_) => "enum",
        Type::Option(_) => "option",
        Type::Result(_) => "result",
        Type::Flags(_) => "flags",
        Type::Own(_) | Type::Borrow(_) => "resource",
        Type::Future(_) => "future",
        Type::Stream(_) => "stream",
        Type::ErrorContext => "error-context",
    };
    match ty {
        Type::Stream(stream) => flow_word(kind, stream.ty(), depth),
        Type::Future(future) => flow_word(kind, future.ty(), depth),
        Type::List(_) | Type::Map(_) | Type::Tuple(_) | Type::Option(_) | Type::Result(_) => {
            format!("{kind}<{}>", of(&parts(ty)))
        }
        _ => {
            let names = names(ty);
            if names.is_empty() { kind.to_owned() } else { format!("{kind} {{ {} }}", names.join(", ")) }
        }
    }
}

fn flow_word(kind: &str, element: Option<Type>, depth: usize) -> String {
    element.map_or_else(|| kind.to_owned(), |element| format!("{kind}<{}>", spell(&element, depth - 1)))
}
