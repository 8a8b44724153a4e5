//! What a function takes and returns, as both sides have it: the same, up to the names that resources have.
//!
//! The Component Model knows no widening: a record with one field more is another type.

use super::payload::Carrier;
use super::pump::{Pump, shape};
use std::iter::zip;
use std::sync::Arc;
use wasmtime::component::types::{ComponentFunc, Type};
use wasmtime::component::{ResourceType, Val};
use wharf_pump::Flow;

/// The resources that both sides know, each with the number by which the host tells it apart.
#[derive(Debug, Default)]
pub(super) struct Resources(Vec<Pair>);

#[derive(Debug)]
struct Pair {
    own: ResourceType,
    other: ResourceType,
    number: u32,
}

impl Resources {
    /// Adds one, unless it is there.
    pub(super) fn add(&mut self, own: ResourceType, other: ResourceType, number: impl FnOnce() -> u32) {
        if !self.0.iter().any(|pair| pair.own == own) {
            self.0.push(Pair { own, other, number: number() });
        }
    }

    /// Returns the number of a resource, by its type in the importing component.
    pub(super) fn number(&self, own: ResourceType) -> Option<u32> {
        self.0.iter().find(|pair| pair.own == own).map(|pair| pair.number)
    }

    fn match_up(&self, own: ResourceType, other: ResourceType) -> bool {
        self.0.iter().any(|pair| pair.own == own && pair.other == other)
    }
}

/// What belongs to a store among a function's values, in the order in which it is visited.
pub(super) enum Crossing<'a> {
    /// A resource that changes hands.
    Own(u32),
    /// A resource that is lent for the call.
    Borrow,
    /// The readable end of a stream or a future.
    Flow(&'a Way),
}

/// Makes a pump for a type.
pub(super) type Pumps<'a> = &'a dyn Fn(Flow, &Type) -> Result<Arc<Pump>, String>;

/// How a stream or a future is carried.
pub(super) enum Way {
    /// As values of a Rust type.
    Typed(Carrier),
    /// By pumps.
    Pumped(Arc<Pump>),
}

/// The types of one function.
pub(super) struct Signature {
    params: Vec<Type>,
    results: Vec<Type>,
    resources: Vec<(ResourceType, u32)>,
    /// How each type of streams and futures is carried.
    ways: Vec<(Type, Way)>,
    has_handles: bool,
    /// Whether a future among the results can say that the dependency failed.
    tells: bool,
}

impl Signature {
    /// Compares what is wanted with what there is.
    ///
    /// # Errors
    /// Says what differs, to be put after the function's name.
    pub(super) fn new(
        wanted: &ComponentFunc,
        found: &ComponentFunc,
        resources: &Resources,
        pumps: Pumps<'_>,
    ) -> Result<Self, String> {
        if wanted.async_() != found.async_() {
            return Err("is asynchronous on one side only".to_owned());
        }
        let (params, other): (Vec<_>, Vec<_>) = (wanted.params().collect(), found.params().collect());
        let (results, other_results): (Vec<Type>, Vec<Type>) = (wanted.results().collect(), found.results().collect());
        if params.len() != other.len() || results.len() != other_results.len() {
            return Err("has another number of parameters or results in the dependency".to_owned());
        }
        for ((name, own), (_, other)) in zip(&params, &other) {
            same(own, other, resources).map_err(|why| format!("has a parameter `{name}` that {why}"))?;
        }
        for (own, other) in zip(&results, &other_results) {
            same(own, other, resources).map_err(|why| format!("has a result that {why}"))?;
        }
        let params: Vec<Type> = params.into_iter().map(|(_, ty)| ty).collect();
        let has_handles = params.iter().chain(&results).any(has_handles);
        let mut ways = Vec::new();
        for ty in params.iter().chain(&results) {
            find_ways(ty, pumps, &mut ways)?;
        }
        let tells = ways.iter().any(|(ty, way)| way.tells() && results.iter().any(|result| contains(result, ty)));
        let resources = resources.0.iter().map(|pair| (pair.own, pair.number)).collect();
        Ok(Self { params, results, resources, ways, has_handles, tells })
    }

    /// Returns how a stream or a future is carried.
    pub(super) fn way(&self, flow: &Type) -> Option<&Way> {
        self.ways.iter().find(|(ty, _)| ty == flow).map(|(_, way)| way)
    }

    /// Returns how many results the function has.
    pub(super) fn results(&self) -> usize {
        self.results.len()
    }

    /// Returns the type of the result, if there is one.
    pub(super) fn result(&self) -> Option<&Type> {
        self.results.first()
    }

    /// Tells whether a future among the results says it when the dependency fails.
    pub(super) fn tells(&self) -> bool {
        self.tells
    }

    /// Visits what belongs to a store among parameters.
    pub(super) fn visit_params(
        &self,
        values: &mut [Val],
        mut visit: impl FnMut(&mut Val, Crossing<'_>) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<()> {
        self.visit(&self.params, values, &mut visit)
    }

    /// Visits what belongs to a store among results.
    pub(super) fn visit_results(
        &self,
        values: &mut [Val],
        mut visit: impl FnMut(&mut Val, Crossing<'_>) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<()> {
        self.visit(&self.results, values, &mut visit)
    }

    fn visit(
        &self,
        types: &[Type],
        values: &mut [Val],
        visit: &mut dyn FnMut(&mut Val, Crossing<'_>) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<()> {
        if !self.has_handles {
            return Ok(());
        }
        zip(types, values).try_for_each(|(ty, value)| self.visit_one(ty, value, visit))
    }

    fn visit_one(
        &self,
        ty: &Type,
        value: &mut Val,
        visit: &mut dyn FnMut(&mut Val, Crossing<'_>) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<()> {
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

fn has_handles(ty: &Type) -> bool {
    match ty {
        Type::Own(_) | Type::Borrow(_) | Type::Stream(_) | Type::Future(_) => true,
        other => parts(other).iter().flatten().any(has_handles),
    }
}

fn contains(ty: &Type, other: &Type) -> bool {
    ty == other || parts(ty).iter().flatten().any(|part| contains(part, other))
}

impl Way {
    /// Tells whether it is a future that can say that its writer failed.
    fn tells(&self) -> bool {
        match self {
            Self::Typed(carrier) => carrier.tells,
            Self::Pumped(pump) => pump.tells(),
        }
    }
}

/// Finds how each stream and future in a type is carried.
fn find_ways(ty: &Type, pumps: Pumps<'_>, ways: &mut Vec<(Type, Way)>) -> Result<(), String> {
    let (flow, element) = match ty {
        Type::Stream(stream) => (Flow::Stream, stream.ty()),
        Type::Future(future) => (Flow::Future, future.ty()),
        other => return parts(other).iter().flatten().try_for_each(|part| find_ways(part, pumps, ways)),
    };
    if ways.iter().any(|(known, _)| known == ty) {
        return Ok(());
    }
    let way = match (Carrier::new(element.as_ref()), &element) {
        (Some(carrier), _) => Way::Typed(carrier),
        (None, Some(element)) => {
            let pump = pumps(flow, element);
            Way::Pumped(pump.map_err(|why| format!("has a {}: {why}", word(ty)))?)
        }
        (None, None) => return Err(format!("has a {} that cannot be carried", word(ty))),
    };
    ways.push((ty.clone(), way));
    Ok(())
}

/// Returns the types that a type is made of, an absent payload as nothing.
fn parts(ty: &Type) -> Vec<Option<Type>> {
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
fn names(ty: &Type) -> Vec<String> {
    match ty {
        Type::Record(record) => record.fields().map(|field| field.name.to_owned()).collect(),
        Type::Variant(variant) => variant.cases().map(|case| case.name.to_owned()).collect(),
        Type::Enum(names) => names.names().map(str::to_owned).collect(),
        Type::Flags(flags) => flags.names().map(str::to_owned).collect(),
        Type::FixedLengthList(list) => vec![list.len().to_string()],
        _ => Vec::new(),
    }
}

/// Compares two types by their structure; types of different components are never the same to the engine.
fn same(own: &Type, other: &Type, resources: &Resources) -> Result<(), String> {
    match (own, other) {
        (Type::Own(one), Type::Own(two)) | (Type::Borrow(one), Type::Borrow(two)) => {
            let known = resources.match_up(*one, *two);
            return if known {
                Ok(())
            } else {
                Err("is a resource of another interface, which cannot leave its store".to_owned())
            };
        }
        (Type::Stream(one), Type::Stream(two)) => return same_flow(own, one.ty(), two.ty(), resources),
        (Type::Future(one), Type::Future(two)) => return same_flow(own, one.ty(), two.ty(), resources),
        (Type::ErrorContext, _) => {
            return Err("is an error-context, which cannot leave its store; use `link = \"fused\"`".to_owned());
        }
        _ => {}
    }
    if matches!(own, Type::Map(_)) && has_handles(own) {
        return Err(
            "is a map with resources or streams, which cannot leave its store; use `link = \"fused\"`".to_owned()
        );
    }
    let (mine, theirs) = (parts(own), parts(other));
    if std::mem::discriminant(own) != std::mem::discriminant(other)
        || mine.len() != theirs.len()
        || names(own) != names(other)
    {
        return Err(format!("is {} here and {} in the dependency", word(own), word(other)));
    }
    zip(&mine, &theirs).try_for_each(|pair| match pair {
        (Some(one), Some(two)) => same(one, two, resources),
        (None, None) => Ok(()),
        _ => Err(format!("is {} with another payload in the dependency", word(own))),
    })
}

/// Compares what two streams or two futures carry, and tells whether that can be carried from store to store.
fn same_flow(flow: &Type, own: Option<Type>, other: Option<Type>, resources: &Resources) -> Result<(), String> {
    let kind = if matches!(flow, Type::Stream(_)) { "stream" } else { "future" };
    match (&own, &other) {
        (None, None) => {}
        (Some(one), Some(_)) if has_handles(one) => {}
        (Some(one), Some(two)) => {
            same(one, two, resources).map_err(|why| format!("is a {kind} whose element {why}"))?;
        }
        _ => return Err(format!("is a {kind} of something on one side only")),
    }
    if Carrier::new(own.as_ref()).is_some() || own.as_ref().is_some_and(|element| shape(element).is_some()) {
        return Ok(());
    }
    let flow = word(flow);
    Err(format!("is a {flow}; elements of that type cannot leave their store, use `link = \"fused\"`"))
}

/// How deep and how wide a type is spelt out: a stranger's may have a million parts.
const DEPTH: usize = 5;
const WIDTH: usize = 8;

/// Returns a type as its author would write it, with the names that tell two of a kind apart.
fn word(ty: &Type) -> String {
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

#[cfg(test)]
mod tests;
