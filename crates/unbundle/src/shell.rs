//! The component around the modules: written anew, with imports in their places.
//!
//! In: a component. Out: [`Unbundled`].
//!
//! A component refers to what it has by position, each component within it by its own. A module becomes an import of the outermost
//! component, and inside of the others an alias of that import. Where its memory stays behind, there is a further module, and a further
//! instance of that before each instance of the code, which is one argument more.

use crate::module::{MEMORY, Parts, glance, take_apart};
use crate::{Code, Needs, Unbundled, Whole};
use std::collections::HashMap;
use std::convert::Infallible;
use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils};
use wasm_encoder::{
    Alias, Component, ComponentAliasSection, ComponentExportSection, ComponentImportSection, ComponentOuterAliasKind,
    ComponentTypeRef, CoreTypeSection, InstanceSection, ModuleArg, ModuleType, NestedComponentSection, RawSection,
};
use wasmparser::{
    Chunk, ComponentAlias, ComponentExternalKind, ComponentImportSectionReader, ComponentOuterAliasKind as OuterKind,
    CoreTypeSectionReader, CustomSectionReader, Instance, Parser, Payload,
};

/// The id of a component's section of a core module.
const MODULE_SECTION: u8 = 1;

/// Components within components. Beyond, nothing is taken apart.
const DEPTH: usize = 32;

/// Writes the component.
pub(crate) fn write(bytes: &[u8], from_bytes: usize) -> Result<Unbundled, Whole> {
    let mut shell = Shell {
        from_bytes,
        scopes: vec![Scope::default()],
        modules: Vec::new(),
        pending: Vec::new(),
        needs: Needs::default(),
        unfit: None,
    };
    let mut component = Component::new();
    let written = shell.walk(&mut component, Parser::new(0), bytes, bytes);
    if let Some(whole) = shell.unfit {
        return Err(whole);
    }
    match written {
        Ok(()) if shell.modules.is_empty() => Err(Whole::Small),
        Ok(()) => Ok(Unbundled { component: component.finish(), modules: shell.modules, needs: shell.needs }),
        Err(Error::ParseError(error)) => Err(Whole::Unreadable(error)),
        Err(_) => Err(Whole::Unfit("it has something that cannot be written again")),
    }
}

struct Shell {
    from_bytes: usize,
    /// The component that is being read, and those around it; types have scopes too.
    scopes: Vec<Scope>,
    modules: Vec<Code>,
    /// Types of modules that were taken out of a component inside of the outermost: to be imported before that.
    pending: Vec<ModuleType>,
    needs: Needs,
    /// Why it stays whole after all.
    unfit: Option<Whole>,
}

/// Where things of one component are now.
#[derive(Default)]
struct Scope {
    /// New positions of modules, by their old ones.
    modules: Vec<u32>,
    next_module: u32,
    /// New positions of core instances, by their old ones.
    instances: Vec<u32>,
    next_instance: u32,
    /// By the new position of a module that imports its memory, that of the module that has it.
    memories: HashMap<u32, u32>,
}

impl Scope {
    fn add_module(&mut self) -> u32 {
        let module = self.skip_module();
        self.modules.push(module);
        module
    }

    /// Takes a position for a module that was not there.
    fn skip_module(&mut self) -> u32 {
        self.next_module += 1;
        self.next_module - 1
    }

    fn skip_instance(&mut self) -> u32 {
        self.next_instance += 1;
        self.next_instance - 1
    }
}

impl Shell {
    fn scope(&mut self) -> &mut Scope {
        if self.scopes.is_empty() {
            self.scopes.push(Scope::default());
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    /// Returns where a module is now that is used in another way than being instantiated: with its memory taken out it is another module.
    fn module(&mut self, count: u32, index: u32) -> u32 {
        let scope = self.scopes.len().checked_sub(1 + count as usize).and_then(|place| self.scopes.get(place));
        let Some(scope) = scope else { return self.give_up(index, "it refers to more than there is") };
        match scope.modules.get(index as usize) {
            None => self.give_up(index, "it refers to a module that is not there"),
            Some(at) if scope.memories.contains_key(at) => {
                self.give_up(index, "it has a module that is not only instantiated")
            }
            Some(at) => *at,
        }
    }

    fn give_up(&mut self, index: u32, why: &'static str) -> u32 {
        self.unfit.get_or_insert(Whole::Unfit(why));
        index
    }

    /// Writes the sections of a component. `wasm-encoder` trusts the sizes of what is inside; this does not.
    fn walk(&mut self, component: &mut Component, mut parser: Parser, bytes: &[u8], whole: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else { break };
            let (Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. }) =
                &payload
            else {
                rest = &rest[consumed..];
                self.parse_component_payload(component, payload, whole)?;
                continue;
            };
            let inner = consumed.checked_add(unchecked_range.len()).filter(|inner| *inner <= rest.len());
            let Some(inner) = inner.filter(|_| unchecked_range.end <= whole.len()) else {
                self.give_up(0, "it ends in the middle of something");
                return Ok(());
            };
            rest = &rest[inner..];
            self.parse_component_payload(component, payload, whole)?;
        }
        Ok(())
    }

    /// Imports what was taken out, in the outermost component.
    fn import(&mut self, component: &mut Component) {
        let types = std::mem::take(&mut self.pending);
        if types.is_empty() {
            return;
        }
        let first = self.modules.len() - types.len();
        let (mut written, mut imports) = (CoreTypeSection::new(), ComponentImportSection::new());
        for (at, ty) in types.iter().enumerate() {
            written.ty().module(ty);
            // Types of modules are in the order of the modules, and there are no others.
            let number = u32::try_from(first + at).unwrap_or(u32::MAX);
            imports.import(self.modules[first + at].import.as_str(), ComponentTypeRef::Module(number));
        }
        component.section(&written);
        component.section(&imports);
    }

    /// Puts a module that was taken out in its place.
    fn place(&mut self, component: &mut Component, parts: Parts) {
        let Parts { code, ty, memory } = parts;
        self.modules.push(Code { import: format!("wharf-code{}", self.modules.len()), bytes: code });
        self.pending.push(ty);
        let depth = self.scopes.len() - 1;
        if depth == 0 {
            self.import(component);
        } else {
            let import = self.scopes[0].skip_module();
            let mut alias = ComponentAliasSection::new();
            let count = u32::try_from(depth).unwrap_or(u32::MAX);
            alias.alias(Alias::Outer { kind: ComponentOuterAliasKind::CoreModule, count, index: import });
            component.section(&alias);
        }
        let module = self.scope().add_module();
        if let Some(memory) = memory {
            component.section(&RawSection { id: MODULE_SECTION, data: &memory });
            let scope = self.scope();
            let at = scope.skip_module();
            scope.memories.insert(module, at);
        }
    }
}

impl Reencode for Shell {
    type Error = Infallible;
}

impl ReencodeComponent for Shell {
    fn push_depth(&mut self) {
        self.scopes.push(Scope::default());
    }

    fn pop_depth(&mut self) {
        self.scopes.pop();
    }

    fn module_index(&mut self, index: u32) -> u32 {
        self.module(0, index)
    }

    fn outer_module_index(&mut self, count: u32, index: u32) -> u32 {
        self.module(count, index)
    }

    fn instance_index(&mut self, index: u32) -> u32 {
        match self.scope().instances.get(index as usize) {
            Some(at) => *at,
            None => self.give_up(index, "it refers to an instance that is not there"),
        }
    }

    fn parse_component_submodule(&mut self, component: &mut Component, _: Parser, module: &[u8]) -> Result<(), Error> {
        let taken = glance(module).and_then(|glance| {
            self.needs.memory_bytes = self.needs.memory_bytes.max(glance.needs.memory_bytes);
            self.needs.table_elements = self.needs.table_elements.max(glance.needs.table_elements);
            if glance.code_bytes < self.from_bytes.max(1) { Err(Whole::Small) } else { take_apart(module) }
        });
        match taken {
            Ok(parts) => self.place(component, parts),
            Err(Whole::Unreadable(error)) => return Err(Error::ParseError(error)),
            // It stays as it is.
            Err(Whole::Unfit(_) | Whole::Small) => {
                component.section(&RawSection { id: MODULE_SECTION, data: module });
                self.scope().add_module();
            }
        }
        Ok(())
    }

    fn parse_component_subcomponent(
        &mut self,
        component: &mut Component,
        parser: Parser,
        subcomponent: &[u8],
        whole: &[u8],
    ) -> Result<(), Error> {
        if self.scopes.len() > DEPTH {
            self.give_up(0, "it has components nested too deep");
            return Ok(());
        }
        self.push_depth();
        let mut inner = Component::new();
        self.walk(&mut inner, parser, subcomponent, whole)?;
        self.pop_depth();
        if self.scopes.len() == 1 {
            self.import(component);
        }
        component.section(&NestedComponentSection(&inner));
        Ok(())
    }

    fn parse_component_import_section(
        &mut self,
        imports: &mut ComponentImportSection,
        section: ComponentImportSectionReader<'_>,
    ) -> Result<(), Error> {
        for import in section.clone() {
            if let wasmparser::ComponentTypeRef::Module(_) = import?.ty {
                self.scope().add_module();
            }
        }
        component_utils::parse_component_import_section(self, imports, section)
    }

    fn component_alias<'a>(&mut self, alias: ComponentAlias<'a>) -> Result<Alias<'a>, Error> {
        let is_module = matches!(
            alias,
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
                | ComponentAlias::Outer { kind: OuterKind::CoreModule, .. }
        );
        let alias = component_utils::component_alias(self, alias)?;
        if is_module {
            self.scope().add_module();
        }
        Ok(alias)
    }

    fn parse_component_export(
        &mut self,
        exports: &mut ComponentExportSection,
        export: wasmparser::ComponentExport<'_>,
    ) -> Result<(), Error> {
        let is_module = export.kind == ComponentExternalKind::Module;
        component_utils::parse_component_export(self, exports, export)?;
        if is_module {
            self.scope().add_module();
        }
        Ok(())
    }

    fn parse_instance(&mut self, instances: &mut InstanceSection, instance: Instance<'_>) -> Result<(), Error> {
        if let Instance::Instantiate { module_index, args } = &instance
            && let scope = self.scope()
            && let Some(module) = scope.modules.get(*module_index as usize).copied()
            && let Some(memory) = scope.memories.get(&module).copied()
        {
            let memory_instance = scope.skip_instance();
            instances.instantiate(memory, std::iter::empty::<(&str, ModuleArg)>());
            let mut written = Vec::with_capacity(args.len() + 1);
            for arg in args {
                written.push((arg.name, ModuleArg::Instance(self.instance_index(arg.index))));
            }
            written.push((MEMORY.0, ModuleArg::Instance(memory_instance)));
            instances.instantiate(module, written);
        } else {
            component_utils::parse_instance(self, instances, instance)?;
        }
        let scope = self.scope();
        let at = scope.skip_instance();
        scope.instances.push(at);
        Ok(())
    }

    fn parse_core_type_section(
        &mut self,
        types: &mut CoreTypeSection,
        section: CoreTypeSectionReader<'_>,
    ) -> Result<(), Error> {
        // Those of the outermost component would have other positions now.
        if self.scopes.len() == 1 {
            self.give_up(0, "it declares core types");
        }
        component_utils::parse_core_type_section(self, types, section)
    }

    fn parse_component_custom_section(&mut self, _: &mut Component, _: CustomSectionReader<'_>) -> Result<(), Error> {
        // Names and notes of the component. Those of its modules stay with them.
        Ok(())
    }
}
