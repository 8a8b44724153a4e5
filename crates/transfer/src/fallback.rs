//! What a caller is told when a dependency failed: an error of the interface, where the interface has one for that.

use crate::handles::Way;
use crate::signature::Signature;
use wasmtime::component::Val;
use wasmtime::component::types::Type;
use wasmtime::{AsContextMut, Result, StoreContextMut};
use wharf_host::Ctx;

/// Cases of error types that stand for a failure of the other side, the best first. From the interfaces of WASI and their kin.
const CASES: [&str; 10] = [
    "unavailable",
    "internal-error",
    "internal",
    "dependency-failed",
    "failed",
    "other",
    "unknown",
    "unexpected",
    "io",
    "error",
];

/// Returns the result that says `text`, or says at least that there was an error. Nothing if the type has no room for it: then the
/// failure is the caller's too.
pub(crate) fn error(result: Option<&Type>, text: &str) -> Option<Val> {
    let Some(Type::Result(result)) = result else { return None };
    let Some(ty) = result.err() else { return Some(Val::Result(Err(None))) };
    Some(Val::Result(Err(Some(Box::new(payload(&ty, text)?)))))
}

impl Signature {
    /// Returns the result of a call that failed: the interface's own error, or a future that tells it. Nothing if there is neither: then the
    /// failure is the caller's too.
    ///
    /// # Errors
    /// When the engine cannot make a stream or a future.
    pub fn failed(&self, store: StoreContextMut<'_, Ctx>, text: &str) -> Result<Option<Val>> {
        match error(self.results().first(), text) {
            Some(error) => Ok(Some(error)),
            None => flows(store, self, text),
        }
    }
}

/// Returns a future that says `text`, or streams of nothing with futures that say it. Nothing if there is none that can say it.
fn flows(mut store: StoreContextMut<'_, Ctx>, signature: &Signature, text: &str) -> Result<Option<Val>> {
    match signature.results().first() {
        Some(ty @ Type::Future(_)) => flow(store, signature, ty, text),
        Some(Type::Tuple(tuple)) => {
            if !tuple.types().any(|ty| matches!(ty, Type::Future(_))) {
                return Ok(None);
            }
            let mut flows = Vec::new();
            for ty in tuple.types() {
                let Some(value) = flow(store.as_context_mut(), signature, &ty, text)? else { return Ok(None) };
                flows.push(value);
            }
            Ok(Some(Val::Tuple(flows)))
        }
        _ => Ok(None),
    }
}

fn flow(store: StoreContextMut<'_, Ctx>, signature: &Signature, ty: &Type, text: &str) -> Result<Option<Val>> {
    match (ty, signature.way(ty)) {
        (Type::Future(_), Some(Way::Typed(carrier))) => (carrier.failed)(store, text),
        (Type::Future(_), Some(Way::Handed(handed))) => handed.failed(store, text),
        (Type::Future(_), Some(Way::Pumped(pump))) => pump.failed(store, text),
        (Type::Stream(_), Some(Way::Typed(carrier))) => (carrier.empty)(store).map(Some),
        (Type::Stream(_), Some(Way::Handed(handed))) => handed.empty(store).map(Some),
        (Type::Stream(_), Some(Way::Pumped(pump))) => pump.empty(store).map(Some),
        _ => Ok(None),
    }
}

fn payload(ty: &Type, text: &str) -> Option<Val> {
    match ty {
        Type::String => Some(Val::String(text.to_owned())),
        Type::Enum(names) => {
            let name = CASES.iter().find(|case| names.names().any(|name| name == **case))?;
            Some(Val::Enum((*name).to_owned()))
        }
        Type::Variant(variant) => CASES.iter().find_map(|wanted| {
            let case = variant.cases().find(|case| case.name == *wanted)?;
            let payload = match case.ty {
                None => None,
                Some(ty) => Some(Box::new(simple(&ty, text)?)),
            };
            Some(Val::Variant((*wanted).to_owned(), payload))
        }),
        _ => None,
    }
}

/// Returns the payload of a case: a text, or a text that may be absent.
fn simple(ty: &Type, text: &str) -> Option<Val> {
    match ty {
        Type::String => Some(Val::String(text.to_owned())),
        Type::Option(option) if matches!(option.ty(), Type::String) => {
            Some(Val::Option(Some(Box::new(Val::String(text.to_owned())))))
        }
        _ => None,
    }
}
