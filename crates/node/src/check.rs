//! Whether a component can do what its app wants of it, said in the words of people before the engine sees its bytes.
//!
//! In: bytes and what the manifest says of them. Out: an error that says what to do, or notes. Next: [`crate::live`] loads what passed.

use crate::error::ComponentError;
use crate::join::Joint;
use crate::notes;
use std::path::Path;
use wharf_app::Component as Declared;
use wharf_component::{Kind, PROVIDED, Provided, covers};

/// Checks a component without loading it: that it is one, that everything it imports is there or has an entry in its dependencies, and
/// that it can be served if `is_served`. Returns where its imports and its grants do not fit.
///
/// # Errors
/// The first of these that does not hold.
pub fn check(declared: &Declared, is_served: bool, path: &Path, bytes: &[u8]) -> Result<Vec<String>, ComponentError> {
    let outline = wharf_component::outline(bytes);
    let is_satisfied = |import: &&String| declared.dependencies.iter().any(|one| covers(one.import.as_str(), import));
    let satisfied: Vec<&String> = outline.imports().iter().filter(is_satisfied).collect();
    usable(declared, bytes, path, satisfied.into_iter(), is_served)?;
    Ok(notes::of(declared, &outline.capabilities()))
}

/// Checks one part of what is loaded as one.
pub(crate) fn part(part: &Joint<'_>, path: &Path, is_served: bool) -> Result<(), ComponentError> {
    usable(&part.declared, &part.bytes, path, part.satisfied.keys(), is_served)
}

/// Says why a component cannot be used, if it cannot. The inspection refuses files that would exhaust the stack of a parser.
fn usable<'a>(
    declared: &Declared,
    bytes: &[u8],
    path: &Path,
    satisfied: impl Iterator<Item = &'a String>,
    is_served: bool,
) -> Result<(), ComponentError> {
    let (component, span, path) = (declared.name.clone(), declared.source_span.clone(), path.to_owned());
    let facts = match wharf_component::inspect(bytes) {
        Ok(facts) => facts,
        Err(source) => return Err(ComponentError::Inspect { component, span, path, source }),
    };
    let satisfied = satisfied.map(|import| Provided::named(import));
    let provided: Vec<Provided> = PROVIDED.iter().cloned().chain(satisfied).collect();
    let missing = wharf_component::check(&facts, &provided);
    // A core module has no imports that a grant could help; say first that it is one.
    if facts.kind == Kind::Component && !missing.is_empty() {
        return Err(ComponentError::Missing { component, span, path, missing });
    }
    match facts.verdict(&missing).serve {
        Err(reason) if is_served || facts.kind != Kind::Component => {
            Err(ComponentError::NotServable { component, span, path, reason })
        }
        _ => Ok(()),
    }
}
