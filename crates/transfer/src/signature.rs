//! What a function takes and returns, as both sides have it: the same, up to the names that resources have.
//!
//! The Component Model knows no widening: a record with one field more is another type.

use crate::handed::Handed;
use crate::handles::{Handles, Way, has_handles};
use crate::payload::Carrier;
use crate::pump::{self, Workshop};
use crate::shape::{names, parts, word};
use std::iter::zip;
use std::sync::Arc;
use wasmtime::component::ResourceType;
use wasmtime::component::types::{ComponentFunc, Type};
use wharf_engine::Engine;

/// The resources that both sides know, each with the number by which the host tells it apart.
#[derive(Debug, Default)]
pub struct Resources(Vec<Pair>);

#[derive(Debug)]
struct Pair {
    own: ResourceType,
    other: ResourceType,
    number: u32,
}

impl Resources {
    /// Adds one, unless it is there.
    pub fn add(&mut self, own: ResourceType, other: ResourceType, number: impl FnOnce() -> u32) {
        if !self.0.iter().any(|pair| pair.own == own) {
            self.0.push(Pair { own, other, number: number() });
        }
    }

    /// Returns the number of a resource, by its type in the importing component.
    pub fn number(&self, own: ResourceType) -> Option<u32> {
        self.0.iter().find(|pair| pair.own == own).map(|pair| pair.number)
    }

    fn match_up(&self, own: ResourceType, other: ResourceType) -> bool {
        self.0.iter().any(|pair| pair.own == own && pair.other == other)
    }
}

/// The types of one function.
pub struct Signature {
    params: Vec<Type>,
    results: Vec<Type>,
    /// How what belongs to a store is carried, if there is any.
    handles: Option<Arc<Handles>>,
    /// Whether a future among the results can say that the dependency failed.
    tells: bool,
}

impl Signature {
    /// Compares what is wanted with what there is, in a dependency that runs on that engine. The workshop makes what carries streams.
    ///
    /// # Errors
    /// Says what differs, to be put after the function's name.
    pub fn new(
        wanted: &ComponentFunc,
        found: &ComponentFunc,
        resources: &Resources,
        workshop: &Workshop<'_>,
        dependency: &Engine,
    ) -> Result<Self, String> {
        let pumps = |flow, element: &_| workshop.pump(dependency, flow, element);
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
        let mut handles = Handles::new(resources.0.iter().map(|pair| (pair.own, pair.number)).collect());
        for ty in params.iter().chain(&results) {
            handles.find(ty, &pumps)?;
        }
        let tells = results.iter().any(|result| handles.tells(result));
        let handles = params.iter().chain(&results).any(has_handles).then(|| Arc::new(handles));
        Ok(Self { params, results, handles, tells })
    }

    /// Returns how what belongs to a store is carried; nothing if there is nothing of that kind.
    pub(crate) fn handles(&self) -> Option<&Arc<Handles>> {
        self.handles.as_ref()
    }

    /// Returns how a stream or a future is carried.
    pub(crate) fn way(&self, flow: &Type) -> Option<&Way> {
        self.handles.as_ref()?.way(flow)
    }

    /// Returns how many results the function has.
    pub fn result_count(&self) -> usize {
        self.results.len()
    }

    pub(crate) fn params(&self) -> &[Type] {
        &self.params
    }

    pub(crate) fn results(&self) -> &[Type] {
        &self.results
    }

    /// Tells whether a future among the results says it when the dependency fails.
    pub fn tells(&self) -> bool {
        self.tells
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
        (Some(one), Some(two)) => {
            same(one, two, resources).map_err(|why| format!("is a {kind} whose element {why}"))?;
        }
        _ => return Err(format!("is a {kind} of something on one side only")),
    }
    let can_go = |element: &Type| Handed::new(element).is_some() || pump::shape(element).is_some();
    if Carrier::new(own.as_ref()).is_some() || own.as_ref().is_some_and(can_go) {
        return Ok(());
    }
    let flow = word(flow);
    Err(format!("is a {flow}; elements of that type cannot leave their store, use `link = \"fused\"`"))
}

#[cfg(test)]
mod tests;
