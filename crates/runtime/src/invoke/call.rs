//! Calls one exported function with values written as text (WAVE), and writes its results the same way.
//!
//! In: `add(1, 2)` or `docs:calculator/ops.add(1, 2)`. Out: values. Next: the guest.

use crate::component::Component;
use crate::meter::Metered;
use crate::outcome::Failure;
use serde_json::{Number, Value as Json};
use std::sync::Arc;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::wasm_wave::{self, untyped::UntypedFuncCall};
use wasmtime::component::{ComponentExportIndex, Type};
use wharf_host::Caller;
use wharf_telemetry::clock;

pub use wasmtime::component::Val;

/// A function that a component exports.
#[derive(Clone)]
pub struct Export {
    /// The interface it is in; absent for a function of the world itself.
    pub interface: Option<String>,
    /// Its name.
    pub name: String,
    ty: ComponentFunc,
    index: ComponentExportIndex,
}

/// A call that cannot be made as it was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The text is no call.
    #[error("cannot read the call {text:?}: {reason}")]
    Syntax {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such function.
    #[error("the component exports no function {name:?}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// More than one interface has a function of that name.
    #[error("more than one interface exports a function {name:?}")]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The full names.
        known: Vec<String>,
    },
    /// An argument does not fit.
    #[error("the arguments do not fit {signature}: {reason}")]
    Arguments {
        /// The function, as WIT.
        signature: String,
        /// What is wrong.
        reason: String,
    },
    /// The function takes or returns what cannot be written down.
    #[error("{signature} takes or returns resources, streams or futures, which cannot be written as text")]
    Unwritable {
        /// The function, as WIT.
        signature: String,
    },
    /// The call was made and failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Export {
    /// Returns the name by which it is called: `interface.name`, or `name`.
    pub fn full_name(&self) -> String {
        self.interface.as_ref().map_or_else(|| self.name.clone(), |interface| format!("{interface}.{}", self.name))
    }

    /// Returns the function as WIT.
    pub fn signature(&self) -> String {
        let parameters: Vec<_> = self.ty.params().map(|(name, ty)| format!("{name}: {}", type_text(&ty))).collect();
        let result: Vec<_> = self.ty.results().map(|ty| format!(" -> {}", type_text(&ty))).collect();
        format!("{}: func({}){}", self.name, parameters.join(", "), result.join(""))
    }
}

/// Returns all functions that `component` exports, also those of its interfaces.
pub fn exports(component: &Component) -> Vec<Export> {
    let engine = component.engine.raw();
    let compiled = component.pre.component();
    let mut found = Vec::new();
    for (name, item) in compiled.component_type().exports(engine) {
        match item.ty {
            ComponentItem::ComponentFunc(ty) => {
                let index = compiled.get_export_index(None, name);
                found.extend(index.map(|index| Export { interface: None, name: name.to_owned(), ty, index }));
            }
            ComponentItem::ComponentInstance(instance) => {
                let parent = compiled.get_export_index(None, name);
                for (function, item) in instance.exports(engine) {
                    let ComponentItem::ComponentFunc(ty) = item.ty else { continue };
                    let index = compiled.get_export_index(parent.as_ref(), function);
                    found.extend(index.map(|index| Export {
                        interface: Some(name.to_owned()),
                        name: function.to_owned(),
                        ty,
                        index,
                    }));
                }
            }
            _ => {}
        }
    }
    found
}

/// Calls what `text` says, on a fresh instance, within the component's limits.
///
/// # Errors
/// See [`CallError`].
pub async fn call(component: &Arc<Component>, text: &str) -> Result<Vec<Val>, CallError> {
    let (name, arguments) = split(text)?;
    let export = find(component, name)?;
    let values = read_arguments(&export, name, arguments)?;
    let results: Vec<Type> = export.ty.results().collect();
    if !results.iter().all(writable) {
        return Err(CallError::Unwritable { signature: export.signature() });
    }
    let guest = Box::pin(run(Arc::clone(component), export.index, values, results.len()));
    let limits = &component.limits;
    let ticker = Arc::clone(component.engine.ticker());
    let mut guest = Metered::new(guest, ticker, limits.cpu, limits.wall, clock::now());
    match std::future::poll_fn(|cx| guest.poll(cx)).await {
        Ok(result) => Ok(result?),
        Err(ended) => Err(Failure::ended(ended).into()),
    }
}

async fn run(
    component: Arc<Component>,
    index: ComponentExportIndex,
    values: Vec<Val>,
    results: usize,
) -> Result<Vec<Val>, Failure> {
    let mut store = component.store(Caller::default());
    let mut output = vec![Val::Bool(false); results];
    let called = async {
        let instance = component.pre.instantiate_async(&mut store).await?;
        let function = instance
            .get_func(&mut store, index)
            .ok_or_else(|| wasmtime::format_err!("the export went away between load and call"))?;
        function.call_async(&mut store, &values, &mut output).await
    }
    .await;
    called.map_err(|error| component.failure(&error, &mut store))?;
    Ok(output)
}

/// Writes a text as WAVE, so that it can stand in a call: in quotes, with what would end it escaped.
pub fn quote(text: &str) -> String {
    to_wave(&Val::String(text.to_owned()))
}

/// Writes a value as WAVE.
pub fn to_wave(value: &Val) -> String {
    wasm_wave::to_string(value).unwrap_or_else(|error| format!("<{error}>"))
}

/// Returns a value as JSON: records as objects, variants as `{"case": payload}` or `"case"`, results as `{"ok": …}` or `{"error": …}`,
/// an absent option as `null`, a number that JSON does not have as a string.
pub fn to_json(value: &Val) -> Json {
    let number = |value: f64| Number::from_f64(value).map_or_else(|| Json::String(value.to_string()), Json::Number);
    let list = |values: &[Val]| Json::Array(values.iter().map(to_json).collect());
    let case = |name: &str, payload: Option<&Val>| match payload {
        Some(payload) => Json::Object([(name.to_owned(), to_json(payload))].into_iter().collect()),
        None => Json::String(name.to_owned()),
    };
    match value {
        Val::Bool(value) => Json::Bool(*value),
        Val::S8(value) => (*value).into(),
        Val::U8(value) => (*value).into(),
        Val::S16(value) => (*value).into(),
        Val::U16(value) => (*value).into(),
        Val::S32(value) => (*value).into(),
        Val::U32(value) => (*value).into(),
        Val::S64(value) => (*value).into(),
        Val::U64(value) => (*value).into(),
        Val::Float32(value) => number(f64::from(*value)),
        Val::Float64(value) => number(*value),
        Val::Char(value) => Json::String(value.to_string()),
        Val::String(value) | Val::Enum(value) => Json::String(value.clone()),
        Val::List(values) | Val::Tuple(values) => list(values),
        Val::Record(fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.clone(), to_json(value))).collect())
        }
        Val::Variant(name, payload) => case(name, payload.as_deref()),
        Val::Option(value) => value.as_deref().map_or(Json::Null, to_json),
        Val::Result(Ok(value)) => object("ok", value.as_deref()),
        Val::Result(Err(value)) => object("error", value.as_deref()),
        Val::Flags(names) => Json::Array(names.iter().map(|name| Json::String(name.clone())).collect()),
        // What cannot be written was refused before the call.
        other => Json::String(to_wave(other)),
    }
}

fn object(name: &str, payload: Option<&Val>) -> Json {
    Json::Object([(name.to_owned(), payload.map_or(Json::Null, to_json))].into_iter().collect())
}

/// Splits `a:b/c@1.0.0.name(1, 2)` before its arguments. Without parentheses there are none.
fn split(text: &str) -> Result<(&str, String), CallError> {
    let text = text.trim();
    let (name, arguments) = match text.find('(') {
        Some(at) => text.split_at(at),
        None => (text, "()"),
    };
    if name.trim().is_empty() {
        return Err(CallError::Syntax { text: text.to_owned(), reason: "there is no function name".to_owned() });
    }
    Ok((name.trim(), arguments.to_owned()))
}

fn find(component: &Component, name: &str) -> Result<Export, CallError> {
    let all = exports(component);
    let matching: Vec<_> = all.iter().filter(|export| matches(export, name)).collect();
    match matching.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(CallError::Unknown { name: name.to_owned(), known: all.iter().map(Export::full_name).collect() }),
        more => Err(CallError::Ambiguous {
            name: name.to_owned(),
            known: more.iter().map(|export| export.full_name()).collect(),
        }),
    }
}

/// A function is named by itself, by `interface.name`, or by `interface#name` as wit-bindgen writes it; the interface with or without
/// its package and version.
fn matches(export: &Export, name: &str) -> bool {
    if export.name == name || export.full_name() == name {
        return true;
    }
    let Some(interface) = &export.interface else { return false };
    let Some((wanted, function)) = name.rsplit_once(['.', '#']) else { return false };
    let unversioned = interface.split('@').next().unwrap_or(interface);
    let short = unversioned.rsplit('/').next().unwrap_or(unversioned);
    function == export.name && [interface.as_str(), unversioned, short].contains(&wanted)
}

fn read_arguments(export: &Export, name: &str, arguments: String) -> Result<Vec<Val>, CallError> {
    let parameters: Vec<(String, Type)> = export.ty.params().map(|(name, ty)| (name.to_owned(), ty)).collect();
    if !parameters.iter().all(|(_, ty)| writable(ty)) {
        return Err(CallError::Unwritable { signature: export.signature() });
    }
    // The parser wants a plain name: the full one has characters that WAVE does not know.
    let text = format!("f{arguments}");
    let call = UntypedFuncCall::parse(&text)
        .map_err(|error| CallError::Syntax { text: format!("{name}{arguments}"), reason: error.to_string() })?;
    let types: Vec<Type> = parameters.into_iter().map(|(_, ty)| ty).collect();
    call.to_wasm_params(&types)
        .map_err(|error| CallError::Arguments { signature: export.signature(), reason: error.to_string() })
}

fn writable(ty: &Type) -> bool {
    match ty {
        Type::Own(_) | Type::Borrow(_) | Type::Future(_) | Type::Stream(_) | Type::ErrorContext => false,
        Type::List(list) => writable(&list.ty()),
        Type::Record(record) => record.fields().all(|field| writable(&field.ty)),
        Type::Tuple(tuple) => tuple.types().all(|ty| writable(&ty)),
        Type::Variant(variant) => variant.cases().all(|case| case.ty.as_ref().is_none_or(writable)),
        Type::Option(option) => writable(&option.ty()),
        Type::Result(result) => result.ok().as_ref().is_none_or(writable) && result.err().as_ref().is_none_or(writable),
        _ => true,
    }
}

fn type_text(ty: &Type) -> String {
    if writable(ty) { wasm_wave::wasm::DisplayType(ty).to_string() } else { "resource".to_owned() }
}
