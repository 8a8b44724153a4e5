//! The shape of a type, as pumps are made by.

use wasmtime::component::types::Type;
use wharf_pump::{Shape, Simple};

/// Parts that a type of elements may have: a stranger's may have a million.
const PARTS: usize = 5000;

/// Returns the shape of a type; none if there are resources in it, which are of one component, or if it is too large.
pub(crate) fn shape(ty: &Type) -> Option<Shape> {
    of(ty, &mut { PARTS })
}

fn of(ty: &Type, left: &mut usize) -> Option<Shape> {
    *left = left.checked_sub(1)?;
    let mut one = |ty: &Type| of(ty, left);
    let names = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<Vec<_>>();
    Some(match ty {
        Type::Bool => Shape::Simple(Simple::Bool),
        Type::S8 => Shape::Simple(Simple::S8),
        Type::U8 => Shape::Simple(Simple::U8),
        Type::S16 => Shape::Simple(Simple::S16),
        Type::U16 => Shape::Simple(Simple::U16),
        Type::S32 => Shape::Simple(Simple::S32),
        Type::U32 => Shape::Simple(Simple::U32),
        Type::S64 => Shape::Simple(Simple::S64),
        Type::U64 => Shape::Simple(Simple::U64),
        Type::Float32 => Shape::Simple(Simple::F32),
        Type::Float64 => Shape::Simple(Simple::F64),
        Type::Char => Shape::Simple(Simple::Char),
        Type::String => Shape::Simple(Simple::String),
        Type::List(list) => Shape::List(Box::new(one(&list.ty())?)),
        Type::FixedLengthList(list) => Shape::Fixed(Box::new(one(&list.ty())?), list.len()),
        Type::Map(map) => Shape::Map(Box::new(one(&map.key())?), Box::new(one(&map.value())?)),
        Type::Record(record) => {
            let field = |field: wasmtime::component::types::Field<'_>| Some((field.name.to_owned(), one(&field.ty)?));
            Shape::Record(record.fields().map(field).collect::<Option<_>>()?)
        }
        Type::Tuple(tuple) => Shape::Tuple(tuple.types().map(|ty| one(&ty)).collect::<Option<_>>()?),
        Type::Variant(variant) => {
            let case = |case: wasmtime::component::types::Case<'_>| {
                let payload = match &case.ty {
                    Some(ty) => Some(one(ty)?),
                    None => None,
                };
                Some((case.name.to_owned(), payload))
            };
            Shape::Variant(variant.cases().map(case).collect::<Option<_>>()?)
        }
        Type::Enum(cases) => Shape::Enum(names(&mut cases.names())),
        Type::Flags(flags) => Shape::Flags(names(&mut flags.names())),
        Type::Option(option) => Shape::Option(Box::new(one(&option.ty())?)),
        Type::Result(result) => Shape::Result(inner(result.ok(), &mut one)?, inner(result.err(), &mut one)?),
        Type::Stream(stream) => Shape::Stream(inner(stream.ty(), &mut one)?),
        Type::Future(future) => Shape::Future(inner(future.ty(), &mut one)?),
        Type::Own(_) | Type::Borrow(_) | Type::ErrorContext => return None,
    })
}

/// Returns the shape of what may be absent; none if it is there and has none.
fn inner(ty: Option<Type>, one: &mut dyn FnMut(&Type) -> Option<Shape>) -> Option<Option<Box<Shape>>> {
    match ty {
        Some(ty) => one(&ty).map(|shape| Some(Box::new(shape))),
        None => Some(None),
    }
}
