//! Links a component to instances of other components that stay outside of it: each with a store, memory, budget and grants of its own.
//!
//! In: an import, and the component whose export satisfies it. Out: functions and resources in the linker of the importing component.
//! Next: [`session`], which owns the other store.
//!
//! What moves between the stores is moved by [`wharf_transfer`]. What a dependency does, up to a trap or an exhausted budget, ends the call and
//! not the caller, wherever the interface has an error to tell it by.

mod serve;
mod session;

use crate::component::Component;
use crate::load::LoadError;
use session::{Export, Sessions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component as Compiled, ComponentExportIndex, Linker, LinkerInstance, ResourceType};
use wharf_host::Ctx;
use wharf_transfer::{Resources, Signature, Workshop};

pub(crate) use session::is_streaming;

/// An import that an export of another component satisfies, in an instance of its own.
pub struct Dependency {
    /// The import, by its full name.
    pub import: String,
    /// The export, by its full name.
    pub export: String,
    /// The component that exports it.
    pub supplier: Arc<Component>,
}

/// Tells kinds of resources apart; the host's own are told apart by their Rust types, these by numbers.
static RESOURCE: AtomicU32 = AtomicU32::new(0);

/// Links each dependency of the component that was compiled to `compiled`. What has to be compiled for that comes from the workshop.
pub(crate) fn link(
    linker: &mut Linker<Ctx>,
    compiled: &Compiled,
    dependencies: &[Dependency],
    workshop: &Workshop<'_>,
) -> Result<(), LoadError> {
    let mut suppliers: Vec<&Arc<Component>> = Vec::new();
    // Resources may be declared in one interface and used in another, so all are known before the first function is linked.
    let mut resources = Resources::default();
    for dependency in dependencies {
        if !suppliers.iter().any(|known| Arc::ptr_eq(known, &dependency.supplier)) {
            suppliers.push(&dependency.supplier);
        }
        collect(compiled, dependency, &mut resources);
    }
    for dependency in dependencies {
        let place = suppliers.iter().position(|known| Arc::ptr_eq(known, &dependency.supplier)).unwrap_or(0);
        let failed = |reason: String| LoadError::Dependency { import: dependency.import.clone(), reason };
        let sessions = Arc::new(Sessions::new(place, &dependency.supplier));
        one(
            linker,
            compiled,
            dependency,
            &Link { sessions, resources: &resources, workshop, supplier: &dependency.supplier },
        )
        .map_err(failed)?;
    }
    Ok(())
}

/// Notes the resources of an imported interface.
fn collect(compiled: &Compiled, dependency: &Dependency, resources: &mut Resources) {
    let engine = compiled.engine();
    let ours = compiled.component_type();
    let supplier = dependency.supplier.pre.component();
    let theirs = supplier.component_type();
    let item = ours.get_import(engine, &dependency.import).map(|item| item.ty);
    let other = theirs.get_export(supplier.engine(), &dependency.export).map(|item| item.ty);
    let (Some(ComponentItem::ComponentInstance(ours)), Some(ComponentItem::ComponentInstance(theirs))) = (item, other)
    else {
        return;
    };
    for (name, item) in ours.exports(engine) {
        let ComponentItem::Resource(own) = item.ty else { continue };
        if let Some(ComponentItem::Resource(other)) = theirs.get_export(supplier.engine(), name).map(|item| item.ty) {
            resources.add(own, other, || RESOURCE.fetch_add(1, Ordering::Relaxed));
        }
    }
}

/// What the functions of one dependency share.
struct Link<'a> {
    sessions: Arc<Sessions>,
    resources: &'a Resources,
    workshop: &'a Workshop<'a>,
    supplier: &'a Component,
}

fn one(linker: &mut Linker<Ctx>, compiled: &Compiled, dependency: &Dependency, link: &Link<'_>) -> Result<(), String> {
    let Dependency { import, export, supplier } = dependency;
    let engine = compiled.engine();
    let ty = compiled.component_type();
    let item = ty.get_import(engine, import).map(|item| item.ty).ok_or("the component does not import it")?;
    let supplied = supplier.pre.component();
    let index = supplied.get_export_index(None, export).ok_or("the dependency does not export it")?;
    match item {
        ComponentItem::ComponentFunc(function) => {
            let linked = Linked { supplied, parent: None, link };
            linked.function(&mut linker.root(), import, export, &function)
        }
        ComponentItem::ComponentInstance(instance) => {
            let mut target = linker.instance(import).map_err(|error| error.to_string())?;
            let linked = Linked { supplied, parent: Some((export, index)), link };
            for (name, item) in instance.exports(engine) {
                match item.ty {
                    ComponentItem::ComponentFunc(function) => linked.function(&mut target, name, name, &function)?,
                    ComponentItem::Resource(resource) => linked.resource(&mut target, name, resource)?,
                    ComponentItem::Type(_) => {}
                    _ => return Err(format!("`{name}` is neither a function nor a type")),
                }
            }
            Ok(())
        }
        _ => Err("it is neither an interface nor a function".to_owned()),
    }
}

/// What is linked from where.
struct Linked<'a> {
    supplied: &'a Compiled,
    /// The exported interface; absent for a function of the world itself.
    parent: Option<(&'a String, ComponentExportIndex)>,
    link: &'a Link<'a>,
}

impl Linked<'_> {
    fn function(
        &self,
        target: &mut LinkerInstance<'_, Ctx>,
        name: &str,
        export: &str,
        wanted: &ComponentFunc,
    ) -> Result<(), String> {
        let (index, found) = self.find(export).ok_or_else(|| format!("the dependency has no function `{export}`"))?;
        let Link { sessions, resources, workshop, supplier } = self.link;
        let signature = Signature::new(wanted, &found, resources, workshop, &supplier.engine)
            .map_err(|why| format!("`{name}` {why}"))?;
        let export = Arc::new(Export { index, signature, name: name.to_owned() });
        let sessions = Arc::clone(sessions);
        let linked = if wanted.async_() {
            target.func_new_concurrent(name, move |accessor, _, params, results| {
                let (sessions, export) = (Arc::clone(&sessions), Arc::clone(&export));
                Box::pin(async move { session::call_concurrent(accessor, &sessions, export, params, results).await })
            })
        } else {
            target.func_new_async(name, move |store, _, params, results| {
                let (sessions, export) = (Arc::clone(&sessions), Arc::clone(&export));
                Box::new(async move { session::call(store, &sessions, export, params, results).await })
            })
        };
        linked.map_err(|error| error.to_string())
    }

    fn resource(&self, target: &mut LinkerInstance<'_, Ctx>, name: &str, resource: ResourceType) -> Result<(), String> {
        let number =
            self.link.resources.number(resource).ok_or_else(|| format!("the dependency has no resource `{name}`"))?;
        let sessions = Arc::clone(&self.link.sessions);
        let dropped = move |mut store: wasmtime::StoreContextMut<'_, Ctx>, handle: u32| {
            sessions.release(store.data_mut(), handle);
            Ok(())
        };
        target.resource(name, ResourceType::host_dynamic(number), dropped).map_err(|error| error.to_string())
    }

    fn find(&self, name: &str) -> Option<(ComponentExportIndex, ComponentFunc)> {
        let engine = self.supplied.engine();
        let ty = self.supplied.component_type();
        let (parent, item) = match &self.parent {
            None => (None, ty.get_export(engine, name)?.ty),
            Some((interface, index)) => {
                let ComponentItem::ComponentInstance(instance) = ty.get_export(engine, interface)?.ty else {
                    return None;
                };
                (Some(index), instance.get_export(engine, name)?.ty)
            }
        };
        let ComponentItem::ComponentFunc(function) = item else { return None };
        Some((self.supplied.get_export_index(parent, name)?, function))
    }
}
