//! Functions and resources in the words of WIT.

use wit_parser::{Function, FunctionKind, InterfaceId, Resolve, Type, TypeDefKind};

use crate::print;

/// Every resource and function of an interface, in the order of the interface. Stops when `budget`, in bytes, is used up.
pub(crate) fn of_interface(resolve: &Resolve, id: InterfaceId, budget: &mut usize) -> Vec<String> {
    let interface = &resolve.interfaces[id];
    let resources =
        interface.types.iter().filter(|(_, id)| is_resource(resolve, **id)).map(|(name, _)| format!("resource {name}"));
    let functions = interface.functions.values().map(|function| of_function(resolve, function));
    resources
        .chain(functions)
        .map_while(|item| {
            *budget = budget.checked_sub(item.len())?;
            Some(item)
        })
        .collect()
}

fn is_resource(resolve: &Resolve, id: wit_parser::TypeId) -> bool {
    matches!(resolve.types[id].kind, TypeDefKind::Resource)
}

/// `name: func(param: type) -> type`; methods are written `resource.name`.
pub(crate) fn of_function(resolve: &Resolve, function: &Function) -> String {
    let (name, is_method) = match &function.kind {
        FunctionKind::Freestanding | FunctionKind::AsyncFreestanding => (function.name.clone(), false),
        FunctionKind::Constructor(_) => (strip(&function.name), false),
        FunctionKind::Static(_) | FunctionKind::AsyncStatic(_) => (strip(&function.name), false),
        FunctionKind::Method(_) | FunctionKind::AsyncMethod(_) => (strip(&function.name), true),
    };
    let keyword = match &function.kind {
        FunctionKind::Freestanding | FunctionKind::Method(_) => "func",
        FunctionKind::AsyncFreestanding | FunctionKind::AsyncMethod(_) => "async func",
        FunctionKind::Static(_) => "static func",
        FunctionKind::AsyncStatic(_) => "static async func",
        FunctionKind::Constructor(_) => "constructor",
    };
    // `self` is understood.
    let params = function.params.iter().skip(usize::from(is_method));
    let params: Vec<String> =
        params.map(|param| format!("{}: {}", param.name, type_name(resolve, &param.ty))).collect();
    let mut params = params.join(", ");
    if params.len() > print::MAX_TYPE_BYTES {
        params = "…".to_owned();
    }
    match &function.result {
        Some(result) if keyword != "constructor" => {
            format!("{name}: {keyword}({params}) -> {}", type_name(resolve, result))
        }
        _ => format!("{name}: {keyword}({params})"),
    }
}

/// `[method]fields.get` is `fields.get`.
fn strip(name: &str) -> String {
    name.split_once(']').map_or(name, |(_, rest)| rest).to_owned()
}

pub(crate) fn type_name(resolve: &Resolve, ty: &Type) -> String {
    let mut printer = print::printer(print::MAX_TYPE_BYTES);
    let printed = printer.print_type_name(resolve, ty);
    printed.ok().and_then(|()| printer.output.text()).unwrap_or_else(|| "…".to_owned())
}
