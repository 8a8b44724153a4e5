//! One core module: its code, and what of its initial memory can stay behind.
//!
//! In: a module. Out: a module with the same functions, its type, and a module with the memory. Next: [`crate::shell`].
//!
//! A module with a memory and data for it becomes one that imports that memory. Its other parts, and the order of everything in them,
//! stay as they are: positions of code are those of before, as debug information counts them.

use crate::{Needs, Whole, slice};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    ConstExpr, DataCountSection, DataSection, EntityType, ExportKind, ExportSection, ImportSection, MemorySection,
    Module, ModuleType, RawSection,
};
use wasmparser::{
    CompositeInnerType, DataKind, Export, ExternalKind, FuncType, MemoryType, Operator, Parser, Payload, TypeRef,
};

/// The name that the memory is imported from, and its name there.
pub(crate) const MEMORY: (&str, &str) = ("wharf:unbundle", "memory");

/// Pages, of 64 KiB, that the memory's declared size is rounded down to in the code: a script that needs a little more than the last one
/// has the same code.
const STEP_PAGES: u64 = 64;

/// Bytes of a page; a memory with pages of another size has less than is counted.
const PAGE_BYTES: u64 = 64 << 10;

/// Ids of a module's sections.
const IMPORT_SECTION: u8 = 2;
const MEMORY_SECTION: u8 = 5;
const DATA_SECTION: u8 = 11;
const DATA_COUNT_SECTION: u8 = 12;

/// A module that was taken apart.
pub(crate) struct Parts {
    /// The module without what `memory` has.
    pub(crate) code: Vec<u8>,
    /// The type of `code`.
    pub(crate) ty: ModuleType,
    /// A module that exports the memory with its data, if `code` imports it.
    pub(crate) memory: Option<Vec<u8>>,
}

/// What is in a module, as far as it matters here.
#[derive(Default)]
struct Survey<'a> {
    sections: Vec<(u8, &'a [u8])>,
    types: Vec<FuncType>,
    imports: Vec<(&'a str, &'a str, TypeRef)>,
    exports: Vec<Export<'a>>,
    /// The type of each function, table, memory and global: those that are imported first.
    functions: Vec<u32>,
    tables: Vec<wasmparser::TableType>,
    memories: Vec<MemoryType>,
    globals: Vec<wasmparser::GlobalType>,
    data: Data,
    has_data_count: bool,
}

/// What the data of a module is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Data {
    /// Segments that the one memory starts with; how many.
    Initial(u32),
    /// Something that only the module's own functions can put in place.
    Other,
}

impl Default for Data {
    fn default() -> Self {
        Self::Initial(0)
    }
}

/// What is known of a module before its code is looked at.
pub(crate) struct Glance {
    pub(crate) code_bytes: usize,
    pub(crate) needs: Needs,
}

/// Looks at a module as far as its code.
pub(crate) fn glance(bytes: &[u8]) -> Result<Glance, Whole> {
    let (mut needs, mut code_bytes) = (Needs::default(), 0);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::MemorySection(section) => {
                for memory in section {
                    needs.memory_bytes = needs.memory_bytes.max(memory?.initial.saturating_mul(PAGE_BYTES));
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    needs.table_elements = needs.table_elements.max(table?.ty.initial);
                }
            }
            Payload::CodeSectionStart { size, .. } => {
                code_bytes = size as usize;
                break;
            }
            _ => {}
        }
    }
    Ok(Glance { code_bytes, needs })
}

/// Takes a module apart.
pub(crate) fn take_apart(bytes: &[u8]) -> Result<Parts, Whole> {
    let survey = Survey::new(bytes)?;
    let imported = survey.imports.iter().filter(|(.., ty)| matches!(ty, TypeRef::Memory(_))).count();
    let own = match (survey.memories.as_slice(), imported, survey.data) {
        ([memory], 0, Data::Initial(segments)) if segments > 0 => Some((*memory, segments)),
        _ => None,
    };
    let Some((memory, segments)) = own else {
        return Ok(Parts { code: bytes.to_vec(), ty: survey.ty(None)?, memory: None });
    };
    let declared = declared(memory);
    let (code, ty) = (survey.code(declared, segments)?, survey.ty(Some(declared))?);
    Ok(Parts { code, ty, memory: Some(survey.memory(memory)?) })
}

/// Returns the memory's type as the code declares it.
fn declared(memory: MemoryType) -> MemoryType {
    MemoryType { initial: memory.initial - memory.initial % STEP_PAGES, ..memory }
}

impl<'a> Survey<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Whole> {
        let mut survey = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            if let Some((id, range)) = payload.as_section() {
                survey.sections.push((id, slice(bytes, range)?));
            }
            survey.read(payload)?;
        }
        Ok(survey)
    }

    fn read(&mut self, payload: Payload<'a>) -> Result<(), Whole> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    let mut group = group?.into_types();
                    let (Some(ty), None) = (group.next(), group.next()) else {
                        return Err(Whole::Unfit("a module has types that refer to each other"));
                    };
                    let (CompositeInnerType::Func(ty), true, None) =
                        (ty.composite_type.inner, ty.is_final, ty.supertype_idx)
                    else {
                        return Err(Whole::Unfit("a module has types of garbage collection"));
                    };
                    self.types.push(ty);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    self.declare(import.ty)?;
                    self.imports.push((import.module, import.name, import.ty));
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    self.tables.push(table?.ty);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memories.push(memory?);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    self.globals.push(global?.ty);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    self.exports.push(export?);
                }
            }
            Payload::DataCountSection { .. } => self.has_data_count = true,
            Payload::DataSection(section) => self.data = data(section)?,
            _ => {}
        }
        Ok(())
    }

    fn declare(&mut self, ty: TypeRef) -> Result<(), Whole> {
        match ty {
            TypeRef::Func(ty) => self.functions.push(ty),
            TypeRef::Table(ty) => self.tables.push(ty),
            TypeRef::Memory(ty) => self.memories.push(ty),
            TypeRef::Global(ty) => self.globals.push(ty),
            TypeRef::Tag(_) | TypeRef::FuncExact(_) => {
                return Err(Whole::Unfit("a module imports what components cannot name yet"));
            }
        }
        Ok(())
    }

    /// Returns the module's type; with `memory`, that of a module that imports its memory, in this type.
    fn ty(&self, memory: Option<MemoryType>) -> Result<ModuleType, Whole> {
        let mut written = ModuleType::new();
        let mut as_is = RoundtripReencoder;
        for ty in &self.types {
            let params: Result<Vec<_>, _> = ty.params().iter().map(|ty| as_is.val_type(*ty)).collect();
            let results: Result<Vec<_>, _> = ty.results().iter().map(|ty| as_is.val_type(*ty)).collect();
            written.ty().function(params.map_err(|_| strange())?, results.map_err(|_| strange())?);
        }
        for (module, name, ty) in &self.imports {
            written.import(module, name, entity(*ty)?);
        }
        if let Some(memory) = memory {
            written.import(MEMORY.0, MEMORY.1, entity(TypeRef::Memory(memory))?);
        }
        for Export { name, kind, index } in &self.exports {
            let index = *index as usize;
            let ty = match kind {
                ExternalKind::Func => self.functions.get(index).copied().map(TypeRef::Func),
                ExternalKind::Table => self.tables.get(index).copied().map(TypeRef::Table),
                ExternalKind::Memory => memory.or(self.memories.get(index).copied()).map(TypeRef::Memory),
                ExternalKind::Global => self.globals.get(index).copied().map(TypeRef::Global),
                _ => None,
            };
            written.export(name, entity(ty.ok_or_else(strange)?)?);
        }
        Ok(written)
    }

    /// Writes the module with its memory as the last of its imports.
    fn code(&self, memory: MemoryType, segments: u32) -> Result<Vec<u8>, Whole> {
        let mut imports = ImportSection::new();
        for (module, name, ty) in &self.imports {
            imports.import(module, name, entity(*ty)?);
        }
        imports.import(MEMORY.0, MEMORY.1, entity(TypeRef::Memory(memory))?);
        let mut written = Module::new();
        let mut imports = Some(imports);
        for (id, data) in &self.sections {
            // Custom sections may stand anywhere; all others are in the order of their ids, up to the data count and tags, which are later.
            if *id >= IMPORT_SECTION
                && let Some(imports) = imports.take()
            {
                written.section(&imports);
            }
            match *id {
                IMPORT_SECTION | MEMORY_SECTION => {}
                DATA_COUNT_SECTION => {
                    written.section(&DataCountSection { count: segments });
                }
                DATA_SECTION if self.has_data_count => {
                    // Segments that are named but empty: those of before are used up when the module starts, too.
                    let mut data = DataSection::new();
                    (0..segments).for_each(|_| {
                        let start = if memory.memory64 { ConstExpr::i64_const(0) } else { ConstExpr::i32_const(0) };
                        data.active(0, &start, []);
                    });
                    written.section(&data);
                }
                DATA_SECTION => {}
                id => {
                    written.section(&RawSection { id, data });
                }
            }
        }
        Ok(written.finish())
    }

    /// Writes the module that has the memory.
    fn memory(&self, memory: MemoryType) -> Result<Vec<u8>, Whole> {
        let mut memories = MemorySection::new();
        memories.memory(RoundtripReencoder.memory_type(memory).map_err(|_| strange())?);
        let mut exports = ExportSection::new();
        exports.export(MEMORY.1, ExportKind::Memory, 0);
        let mut written = Module::new();
        written.section(&memories).section(&exports);
        let data = self.sections.iter().find(|(id, _)| *id == DATA_SECTION);
        let (id, data) = *data.ok_or_else(strange)?;
        written.section(&RawSection { id, data });
        Ok(written.finish())
    }
}

/// Tells whether all segments are put in place before the module's functions run, at places that do not depend on anything.
fn data(section: wasmparser::DataSectionReader<'_>) -> Result<Data, Whole> {
    let count = section.count();
    for segment in section {
        let DataKind::Active { memory_index: 0, offset_expr } = segment?.kind else { return Ok(Data::Other) };
        let mut operators = offset_expr.get_operators_reader();
        if !matches!(operators.read()?, Operator::I32Const { .. } | Operator::I64Const { .. }) {
            return Ok(Data::Other);
        }
    }
    Ok(Data::Initial(count))
}

fn entity(ty: TypeRef) -> Result<EntityType, Whole> {
    RoundtripReencoder.entity_type(ty).map_err(|_| strange())
}

fn strange() -> Whole {
    Whole::Unfit("a module has a type that cannot be written again")
}
