//! Makes one component of several.

use crate::rename;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

/// One component to be joined with others.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// What it is called in errors.
    pub name: &'a str,
    /// The component.
    pub bytes: &'a [u8],
    /// Which of its imports other parts satisfy.
    pub plugs: Vec<Plug>,
    /// Imports that get another name in the result, by which the host tells the parts apart.
    pub renamed: BTreeMap<String, String>,
}

/// An import of one part that another one satisfies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plug {
    /// The import, by its full name.
    pub import: String,
    /// The part that satisfies it, by its place in the list.
    pub from: usize,
    /// That part's export, by its full name.
    pub export: String,
}

/// Components that cannot be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no component that can be joined.
    #[error("{part} cannot be composed: {reason}")]
    Unreadable {
        /// The part.
        part: String,
        /// Why.
        reason: String,
    },
    /// Import and export have the same name and different types.
    #[error("{part} imports {import} with other types than {supplier} exports it with: {reason}")]
    Types {
        /// The part that imports.
        part: String,
        /// What it imports.
        import: String,
        /// The part that exports it.
        supplier: String,
        /// Where the types differ.
        reason: String,
    },
    /// The parts need each other in a circle.
    #[error("{part} depends on itself")]
    Circle {
        /// A part of the circle.
        part: String,
    },
    /// The import goes by two names, so what it reaches cannot be told.
    #[error("{part} imports {import} under a name of its own, which cannot be composed")]
    Alias {
        /// The part.
        part: String,
        /// The import.
        import: String,
    },
    /// The parts fit, and the whole does not work.
    #[error("the components cannot be composed: {reason}")]
    Whole {
        /// Why.
        reason: String,
    },
}

/// Makes one component of `parts`, of which the first is the one that is seen from outside: its exports are those of the result. Imports
/// that nobody satisfies are imports of the result; those that several parts have in compatible versions become one.
///
/// Each part has one instance, however many others use it. Costs about as much as copying the bytes.
///
/// # Errors
/// See [`Error`].
pub fn fuse(parts: &[Part<'_>]) -> Result<Vec<u8>, Error> {
    // The library asserts what its input was validated for; a mistake of it on a strange component must not end the process.
    catch_unwind(AssertUnwindSafe(|| Composition::new(parts)?.encode())).unwrap_or_else(|_| {
        Err(Error::Whole { reason: "a part uses what the composing library does not know".to_owned() })
    })
}

struct Composition<'a> {
    parts: &'a [Part<'a>],
    graph: CompositionGraph,
    packages: Vec<PackageId>,
    instances: Vec<Option<NodeId>>,
}

impl<'a> Composition<'a> {
    fn new(parts: &'a [Part<'a>]) -> Result<Self, Error> {
        let mut graph = CompositionGraph::new();
        let mut packages = Vec::with_capacity(parts.len());
        for (place, part) in parts.iter().enumerate() {
            let unreadable = |reason: String| Error::Unreadable { part: part.name.to_owned(), reason };
            let bytes = rename::imports(part.name, part.bytes, &part.renamed)?;
            // The name tells packages apart and is not seen in the result.
            let name = format!("wharf:part{place}");
            let package = Package::from_bytes(&name, None, bytes, graph.types_mut())
                .map_err(|error| unreadable(format!("{error:#}")))?;
            packages.push(graph.register_package(package).map_err(|error| unreadable(error.to_string()))?);
        }
        Ok(Self { parts, graph, packages, instances: vec![None; parts.len()] })
    }

    fn encode(mut self) -> Result<Vec<u8>, Error> {
        let whole = |reason: String| Error::Whole { reason };
        for place in self.order()? {
            self.instantiate(place)?;
        }
        let root = self.instance(0)?;
        let exports: Vec<String> =
            self.graph.types()[self.graph[self.packages[0]].ty()].exports.keys().cloned().collect();
        for name in exports {
            let export = self.graph.alias_instance_export(root, &name).map_err(|error| whole(error.to_string()))?;
            self.graph.export(export, &name).map_err(|error| whole(error.to_string()))?;
        }
        let options = EncodeOptions { define_components: true, validate: false, processor: None };
        self.graph.encode(options).map_err(|error| whole(chain(&error)))
    }

    /// Makes the instance of a part whose suppliers have theirs.
    fn instantiate(&mut self, place: usize) -> Result<(), Error> {
        let part = &self.parts[place];
        let instance = self.graph.instantiate(self.packages[place]);
        self.instances[place] = Some(instance);
        for plug in &part.plugs {
            let supplier = self.instance(plug.from)?;
            let types = |reason: String| Error::Types {
                part: part.name.to_owned(),
                import: plug.import.clone(),
                supplier: self.parts.get(plug.from).map_or("?", |part| part.name).to_owned(),
                reason,
            };
            let export = self.graph.alias_instance_export(supplier, &plug.export);
            let export = export.map_err(|error| types(chain(&error)))?;
            let import = part.renamed.get(&plug.import).unwrap_or(&plug.import);
            let set = self.graph.set_instantiation_argument(instance, import, export);
            set.map_err(|error| types(chain(&error)))?;
        }
        Ok(())
    }

    fn instance(&self, place: usize) -> Result<NodeId, Error> {
        let part = || self.parts.get(place).map_or("?", |part| part.name).to_owned();
        self.instances.get(place).copied().flatten().ok_or_else(|| Error::Circle { part: part() })
    }

    /// Returns the parts that the first one needs, each after those that it needs itself.
    fn order(&self) -> Result<Vec<usize>, Error> {
        let mut order = Vec::new();
        let mut seen = vec![false; self.parts.len()];
        // A part and how many of its plugs were followed. Not recursive: chains may be long.
        let mut way = vec![(0, 0)];
        seen[0] = true;
        while let Some((place, next)) = way.last_mut() {
            let place = *place;
            let Some(plug) = self.parts[place].plugs.get(*next) else {
                order.push(place);
                way.pop();
                continue;
            };
            *next += 1;
            match seen.get_mut(plug.from) {
                Some(seen) if *seen => {}
                Some(seen) => {
                    *seen = true;
                    way.push((plug.from, 0));
                }
                None => return Err(Error::Circle { part: self.parts[place].name.to_owned() }),
            }
        }
        Ok(order)
    }
}

/// Returns an error with all that led to it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
