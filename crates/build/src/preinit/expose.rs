//! Gives a component one more export: a function that its core module exports and its world does not have.
//!
//! In: a valid component. Out: the same one, with the function at its end as [`NAME`]. Next: the runtime runs it and takes it away again.

use crate::PreinitError;
use std::collections::BTreeSet;
use wasm_encoder::{
    Alias, CanonicalFunctionSection, ComponentAliasSection, ComponentExportKind, ComponentExportSection,
    ComponentSection, ComponentTypeSection, ComponentValType, ExportKind,
};
use wasmparser::{ExternalKind, Instance, Parser, Payload, Validator, WasmFeatures};

/// The name that it gets: one that no world has.
pub(crate) const NAME: &str = "wharf-initialize";

/// Exports that an error lists.
const LISTED: usize = 12;

/// Where a core function is.
#[derive(Default)]
struct Search {
    /// Which of the core modules have it.
    modules: BTreeSet<u32>,
    /// Which of the core instances.
    instances: Vec<u32>,
    /// Functions that there are.
    others: Vec<String>,
}

pub(crate) fn core_export(component: &[u8], function: &str) -> Result<Vec<u8>, PreinitError> {
    let search = Search::of(component, function).map_err(damaged)?;
    let instance = match search.instances.as_slice() {
        [instance] => *instance,
        [] => return Err(PreinitError::Missing { exports: search.others }),
        _ => return Err(PreinitError::Ambiguous),
    };
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let types = validator.validate_all(component).map_err(damaged)?;
    let types = types.as_ref();

    let mut exposed = component.to_vec();
    let mut alias = ComponentAliasSection::new();
    alias.alias(Alias::CoreInstanceExport { instance, kind: ExportKind::Func, name: function });
    alias.append_to_component(&mut exposed);
    let mut ty = ComponentTypeSection::new();
    ty.function().params::<[(&str, ComponentValType); 0], _>([]).result(None);
    ty.append_to_component(&mut exposed);
    let mut lift = CanonicalFunctionSection::new();
    lift.lift(types.function_count(), types.component_type_count(), []);
    lift.append_to_component(&mut exposed);
    let mut export = ComponentExportSection::new();
    export.export(NAME, ComponentExportKind::Func, types.component_function_count(), None);
    export.append_to_component(&mut exposed);

    // What was there is valid, so what is not is the function's own type.
    match Validator::new_with_features(WasmFeatures::all()).validate_all(&exposed) {
        Ok(_) => Ok(exposed),
        Err(_) => Err(PreinitError::Signature),
    }
}

/// Returns functions that a core module exports.
pub(crate) fn exports(module: &[u8]) -> Vec<String> {
    let mut search = Search::default();
    for payload in Parser::new(0).parse_all(module).map_while(Result::ok) {
        if let Payload::ExportSection(section) = payload {
            let functions =
                section.into_iter().map_while(Result::ok).filter(|export| export.kind == ExternalKind::Func);
            functions.for_each(|export| search.found(export.name, "", 0));
        }
    }
    search.others
}

fn damaged(error: wasmparser::BinaryReaderError) -> PreinitError {
    PreinitError::Damaged { why: error.message().to_owned() }
}

impl Search {
    fn of(component: &[u8], function: &str) -> wasmparser::Result<Self> {
        let mut search = Self::default();
        let (mut modules, mut instances) = (0, 0);
        // How deep the parser is, in modules and components: 1 is the component itself.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ModuleSection { .. } if depth == 1 => modules += 1,
                // Of the modules in components within, none can be reached from here.
                Payload::ExportSection(section) if depth == 2 => {
                    for export in section {
                        let export = export?;
                        if export.kind == ExternalKind::Func && modules > 0 {
                            search.found(export.name, function, modules - 1);
                        }
                    }
                }
                Payload::InstanceSection(section) if depth == 1 => {
                    for instance in section {
                        if let Instance::Instantiate { module_index, .. } = instance?
                            && search.modules.contains(&module_index)
                        {
                            search.instances.push(instances);
                        }
                        instances += 1;
                    }
                }
                _ => {}
            }
        }
        Ok(search)
    }

    fn found(&mut self, name: &str, wanted: &str, module: u32) {
        if name == wanted {
            self.modules.insert(module);
        } else if module == 0 && self.others.len() < LISTED && !name.starts_with("cabi_") {
            self.others.push(name.chars().take(80).collect());
        }
    }
}

#[cfg(test)]
mod tests;
