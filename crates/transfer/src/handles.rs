//! What belongs to a store among the values of a function, and how each is carried.
//!
//! In: types, as the caller has them. Out: visits of the values that are resources, streams or futures. Next: [`super::carry`], which takes
//! them out of one store and puts them into the other.

use crate::handed::Handed;
use crate::payload::Carrier;
use crate::pump::Pump;
use crate::shape::parts;
use std::iter::zip;
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::types::Type;
use wasmtime::component::{ResourceType, Val};
use wharf_pump::Flow;

/// What belongs to a store, in the order in which it is visited.
pub(crate) enum Crossing<'a> {
    /// A resource that changes hands.
    Own(u32),
    /// A resource that is lent for the call.
    Borrow,
    /// The readable end of a stream or a future.
    Flow(&'a Way),
}

/// Makes a pump for a type.
pub(crate) type Pumps<'a> = &'a dyn Fn(Flow, &Type) -> std::result::Result<Arc<Pump>, String>;

/// How a stream or a future is carried.
pub(crate) enum Way {
    /// As values of a Rust type.
    Typed(Carrier),
    /// As resources, or something around them.
    Handed(Handed),
    /// By pumps.
    Pumped(Arc<Pump>),
}

impl Way {
    /// Tells whether an element of it can say that its writer failed. One of a stream cannot: it may be the last of many.
    fn tells(&self) -> bool {
        match self {
            Self::Typed(carrier) => carrier.tells,
            Self::Handed(handed) => handed.tells(),
            Self::Pumped(pump) => pump.tells(),
        }
    }
}

/// The kinds of resources, and the ways of each type of streams and futures, also of those in streams.
#[derive(Default)]
pub(crate) struct Handles {
    resources: Vec<(ResourceType, u32)>,
    ways: Vec<(Type, Way)>,
}

/// What visits one.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&mut Val, Crossing<'_>) -> Result<()>;

impl Handles {
    pub(crate) fn new(resources: Vec<(ResourceType, u32)>) -> Self {
        Self { resources, ways: Vec::new() }
    }

    /// Finds how each stream and future in a type is carried.
    ///
    /// # Errors
    /// Says what cannot be, to be put after the function's name.
    pub(crate) fn find(&mut self, ty: &Type, pumps: Pumps<'_>) -> std::result::Result<(), String> {
        let (flow, element) = match ty {
            Type::Stream(stream) => (Flow::Stream, stream.ty()),
            Type::Future(future) => (Flow::Future, future.ty()),
            other => return parts(other).iter().flatten().try_for_each(|part| self.find(part, pumps)),
        };
        if self.way(ty).is_some() {
            return Ok(());
        }
        let way = match (Carrier::new(element.as_ref()), &element) {
            (Some(carrier), _) => Way::Typed(carrier),
            (None, Some(element)) => {
                self.find(element, pumps)?;
                match Handed::new(element) {
                    Some(handed) => Way::Handed(handed),
                    None => Way::Pumped(
                        pumps(flow, element).map_err(|why| format!("has a {}: {why}", crate::shape::word(ty)))?,
                    ),
                }
            }
            (None, None) => return Err(format!("has a {} that cannot be carried", crate::shape::word(ty))),
        };
        self.ways.push((ty.clone(), way));
        Ok(())
    }

    /// Returns how a stream or a future is carried.
    pub(crate) fn way(&self, flow: &Type) -> Option<&Way> {
        self.ways.iter().find(|(ty, _)| ty == flow).map(|(_, way)| way)
    }

    /// Tells whether a future in such a result says it when the dependency fails.
    pub(crate) fn tells(&self, result: &Type) -> bool {
        let tells = |(ty, way): &(Type, Way)| matches!(ty, Type::Future(_)) && way.tells() && contains(result, ty);
        self.ways.iter().any(tells)
    }

    /// Visits what belongs to a store among values of these types.
    pub(crate) fn visit(&self, types: &[Type], values: &mut [Val], visit: Visit<'_>) -> Result<()> {
        zip(types, values).try_for_each(|(ty, value)| self.visit_one(ty, value, visit))
    }

    fn visit_one(&self, ty: &Type, value: &mut Val, visit: Visit<'_>) -> Result<()> {
        match (ty, value) {
            (Type::Own(resource), value) => {
                let number = self.resources.iter().find(|(own, _)| own == resource).map_or(0, |(_, number)| *number);
                visit(value, Crossing::Own(number))
            }
            (Type::Borrow(_), value) => visit(value, Crossing::Borrow),
            (Type::Stream(_) | Type::Future(_), value) => {
                let way = self.way(ty).ok_or_else(|| wasmtime::format_err!("a stream has no way to go"))?;
                visit(value, Crossing::Flow(way))
            }
            (Type::List(list), Val::List(values)) => {
                let ty = list.ty();
                // There may be a million bytes beside a handle.
                if !has_handles(&ty) {
                    return Ok(());
                }
                values.iter_mut().try_for_each(|value| self.visit_one(&ty, value, visit))
            }
            (Type::FixedLengthList(list), Val::FixedLengthList(values)) => {
                let ty = list.ty();
                values.iter_mut().try_for_each(|value| self.visit_one(&ty, value, visit))
            }
            (Type::Record(record), Val::Record(fields)) => {
                zip(record.fields(), fields).try_for_each(|(field, (_, value))| self.visit_one(&field.ty, value, visit))
            }
            (Type::Tuple(tuple), Val::Tuple(values)) => {
                zip(tuple.types(), values).try_for_each(|(ty, value)| self.visit_one(&ty, value, visit))
            }
            (Type::Variant(variant), Val::Variant(name, Some(value))) => {
                let case = variant.cases().find(|case| case.name == *name).and_then(|case| case.ty);
                case.map_or(Ok(()), |ty| self.visit_one(&ty, value, visit))
            }
            (Type::Option(option), Val::Option(Some(value))) => self.visit_one(&option.ty(), value, visit),
            (Type::Result(result), Val::Result(value)) => {
                let (ty, value) = match value {
                    Ok(value) => (result.ok(), value),
                    Err(value) => (result.err(), value),
                };
                match (ty, value) {
                    (Some(ty), Some(value)) => self.visit_one(&ty, value, visit),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Tells whether there are resources, streams or futures in a type.
pub(crate) fn has_handles(ty: &Type) -> bool {
    match ty {
        Type::Own(_) | Type::Borrow(_) | Type::Stream(_) | Type::Future(_) => true,
        other => parts(other).iter().flatten().any(has_handles),
    }
}

fn contains(ty: &Type, other: &Type) -> bool {
    ty == other || parts(ty).iter().flatten().any(|part| contains(part, other))
}
