//! Whether a component can do what its app wants of it, said in the words of people before the engine sees its bytes.
//!
//! In: bytes and what the manifest says of them. Out: an error that says what to do, or notes. Next: [`crate::live`] loads what passed.

use crate::error::ComponentError;
use crate::notes;
use std::path::Path;
use wharf_app::Component as Declared;
use wharf_component::{Facts, Kind, Missing, PROVIDED};

/// Checks a component without loading it: that it is one, that everything it imports is there, and that it can be served if
/// `is_served`. Returns where its imports and its grants do not fit.
///
/// # Errors
/// The first of these that does not hold.
pub fn check(declared: &Declared, is_served: bool, path: &Path, bytes: &[u8]) -> Result<Vec<String>, ComponentError> {
    if is_served {
        servable(declared, bytes, path)?;
    } else {
        linkable(declared, bytes, path)?;
    }
    Ok(notes::of(declared, &wharf_component::outline(bytes).capabilities()))
}

/// Says why a component cannot be served, if it cannot. The inspection refuses files that would exhaust the stack of a parser.
pub(crate) fn servable(declared: &Declared, bytes: &[u8], path: &Path) -> Result<(), ComponentError> {
    let (facts, missing) = linkable(declared, bytes, path)?;
    match facts.verdict(&missing).serve {
        Ok(_) => Ok(()),
        Err(reason) => Err(not_servable(declared, path, reason)),
    }
}

fn linkable(declared: &Declared, bytes: &[u8], path: &Path) -> Result<(Facts, Vec<Missing>), ComponentError> {
    let (component, span) = (declared.name.clone(), declared.source_span.clone());
    let facts = match wharf_component::inspect(bytes) {
        Ok(facts) => facts,
        Err(source) => return Err(ComponentError::Inspect { component, span, path: path.to_owned(), source }),
    };
    let mut missing = wharf_component::check(&facts, PROVIDED);
    if !declared.dependencies.is_empty() {
        // Which of them its dependencies satisfy is found out when they are joined.
        missing.clear();
    }
    // A core module has no imports that a grant could help; say first that it is one.
    if facts.kind != Kind::Component {
        let reason = facts.verdict(&missing).serve.err().unwrap_or_else(|| "it is no component".to_owned());
        return Err(not_servable(declared, path, reason));
    }
    if !missing.is_empty() {
        return Err(ComponentError::Missing { component, span, path: path.to_owned(), missing });
    }
    Ok((facts, missing))
}

fn not_servable(declared: &Declared, path: &Path, reason: String) -> ComponentError {
    let (component, span) = (declared.name.clone(), declared.source_span.clone());
    ComponentError::NotServable { component, span, path: path.to_owned(), reason }
}
