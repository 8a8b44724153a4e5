//! One walk over a valid binary: sizes, tools, memories, and the names of imports and exports.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use wasmparser::component_types::ResourceId;
use wasmparser::types::TypesRef;
use wasmparser::{ComponentName, CustomSectionReader, Encoding, KnownCustom, Name, Parser, Payload};

use crate::features::broken;
use crate::weight::Weight;
use crate::{CoreModule, Error, Facts, Kind, Memory, Producer, SectionSize, externs, guess, printable};

/// The page size when a memory does not say its own.
const PAGE_BYTES: u64 = 65536;

/// Walks the file. `types` is what the validator found out about the outermost module or component.
///
/// Says too whether the imports and exports are too heavy to be decoded: then the facts stay without WIT.
pub(crate) fn scan(bytes: &[u8], types: TypesRef<'_>) -> Result<(Facts, bool), Error> {
    let mut scan = Scan::new(bytes.len());
    for payload in Parser::new(0).parse_all(bytes) {
        scan.payload(payload.map_err(|error| broken(&error))?, types).map_err(|error| broken(&error))?;
    }
    let is_heavy = scan.weight.is_over();
    Ok((scan.finish(bytes.len()), is_heavy))
}

/// The names of all imports and exports together, written out. The standard worlds have 60 KB; the decoder takes about twice
/// this much memory.
const MAX_NAMES_BYTES: usize = 16 << 20;

/// How many sorts of sections are told apart.
const MAX_SECTION_NAMES: usize = 200;

/// A module or component that the walk is inside of.
enum Level {
    /// The index of the module.
    Module(usize),
    /// The indices of the modules that the component defines, in order.
    Component(Vec<usize>),
}

struct Scan {
    facts: Facts,
    levels: Vec<Level>,
    sections: BTreeMap<String, SectionSize>,
    /// Bytes that belong to some section's contents.
    counted_bytes: u64,
    /// The size that the next module will have.
    next_bytes: u64,
    /// The tools of `Facts::producers` and the module that each came from.
    producers: Vec<(Option<usize>, Producer)>,
    known_producers: HashSet<(Option<usize>, Producer)>,
    /// The resources that the imports so far brought.
    resources: HashSet<ResourceId>,
    /// What the imports and exports stand for.
    weight: Weight,
}

impl Scan {
    fn new(size_bytes: usize) -> Scan {
        let facts = Facts {
            size_bytes: size_bytes as u64,
            kind: Kind::Component,
            world: None,
            imports: Vec::new(),
            exports: Vec::new(),
            entries: Vec::new(),
            wit: String::new(),
            proposals: Vec::new(),
            sections: Vec::new(),
            modules: Vec::new(),
            memories: Vec::new(),
            producers: Vec::new(),
            languages: Vec::new(),
            has_dwarf: false,
            has_embedded_world: false,
        };
        Scan {
            facts,
            levels: Vec::new(),
            sections: BTreeMap::new(),
            counted_bytes: 0,
            next_bytes: size_bytes as u64,
            producers: Vec::new(),
            known_producers: HashSet::new(),
            resources: HashSet::new(),
            weight: Weight::limited_to(MAX_NAMES_BYTES),
        }
    }

    fn payload(&mut self, payload: Payload<'_>, types: TypesRef<'_>) -> wasmparser::Result<()> {
        let is_top = self.levels.len() == 1;
        match &payload {
            Payload::Version { encoding, .. } => self.enter(*encoding),
            Payload::End(_) => drop(self.levels.pop()),
            Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                self.next_bytes = length(unchecked_range);
                return Ok(());
            }
            Payload::CustomSection(custom) => {
                self.custom(custom);
                return Ok(());
            }
            Payload::MemorySection(memories) => self.memories(memories.clone())?,
            Payload::ImportSection(imports) if is_top => {
                self.facts.imports = externs::core_imports(imports.clone(), types)?;
            }
            Payload::ExportSection(exports) if is_top => {
                self.facts.exports = externs::core_exports(exports.clone(), types)?;
            }
            Payload::ComponentImportSection(imports) if is_top => {
                self.facts.imports.extend(externs::imports(
                    imports.clone(),
                    types,
                    &mut self.resources,
                    &mut self.weight,
                )?);
            }
            Payload::ComponentExportSection(exports) if is_top => {
                self.facts.exports.extend(externs::exports(exports.clone(), types, &mut self.weight)?);
            }
            _ => {}
        }
        self.count(&payload);
        Ok(())
    }

    fn enter(&mut self, encoding: Encoding) {
        let is_module = encoding == Encoding::Module;
        if self.levels.is_empty() && is_module {
            self.facts.kind = Kind::Module;
        }
        if is_module {
            let index = self.facts.modules.len();
            if let Some(Level::Component(modules)) = self.levels.last_mut() {
                modules.push(index);
            }
            self.levels.push(Level::Module(index));
            self.facts.modules.push(CoreModule { bytes: self.next_bytes, ..CoreModule::default() });
        } else {
            self.levels.push(Level::Component(Vec::new()));
        }
    }

    fn module(&mut self) -> Option<&mut CoreModule> {
        match self.levels.last() {
            Some(Level::Module(index)) => self.facts.modules.get_mut(*index),
            _ => None,
        }
    }

    fn count(&mut self, payload: &Payload<'_>) {
        let Some((_, range)) = payload.as_section() else { return };
        let Some(name) = section_name(payload) else { return };
        let bytes = length(&range);
        self.add(name, bytes);
        let Some(module) = self.module() else { return };
        match payload {
            Payload::CodeSectionStart { count, .. } => {
                module.code_bytes = bytes;
                module.functions = *count;
            }
            Payload::DataSection(_) => module.data_bytes = bytes,
            _ => {}
        }
    }

    fn add(&mut self, name: &str, bytes: u64) {
        let entry = self.sections.entry(name.to_owned());
        let section = entry.or_insert_with(|| SectionSize { name: name.to_owned(), count: 0, bytes: 0 });
        section.count += 1;
        section.bytes += bytes;
        self.counted_bytes += bytes;
    }

    fn custom(&mut self, custom: &CustomSectionReader<'_>) {
        let bytes = length(&custom.range());
        self.add(&self.custom_name(custom.name()), bytes);
        if let Some(module) = self.module() {
            module.custom_bytes += bytes;
        }
        self.facts.has_dwarf |= custom.name() == ".debug_info";
        if matches!(self.levels.as_slice(), [Level::Module(_)]) && custom.name().starts_with("component-type") {
            self.facts.has_embedded_world = true;
        }
        // Custom sections are not validated: what cannot be read is left out.
        match custom.as_known() {
            KnownCustom::Producers(_) => self.read_producers(custom),
            KnownCustom::Name(names) => {
                let found = names.into_iter().find_map(|name| match name {
                    Ok(Name::Module { name, .. }) => Some(printable::line(name)),
                    _ => None,
                });
                if let Some(module) = self.module() {
                    module.name = found;
                }
            }
            KnownCustom::ComponentName(names) => self.read_module_names(names),
            _ => {}
        }
    }

    fn custom_name(&self, name: &str) -> String {
        // Tools write a dozen; a file made to be a burden could have one for each three bytes.
        let name: String = name.chars().take(64).collect();
        let name = format!("custom {name:?}");
        let is_full = self.sections.len() >= MAX_SECTION_NAMES && !self.sections.contains_key(&name);
        if is_full { "other custom sections".to_owned() } else { name }
    }

    fn read_producers(&mut self, custom: &CustomSectionReader<'_>) {
        let Ok(read) = wasm_metadata::Producers::from_bytes(custom.data(), custom.data_offset()) else { return };
        let module = match self.levels.last() {
            Some(Level::Module(index)) => Some(*index),
            _ => None,
        };
        for (field, values) in read.iter() {
            for (name, version) in values.iter() {
                let producer = Producer {
                    field: printable::line(field),
                    name: printable::line(name),
                    version: printable::line(version),
                };
                if self.known_producers.insert((module, producer.clone())) {
                    self.producers.push((module, producer));
                }
            }
        }
    }

    /// `wit-component` names the modules in the component, not in themselves: `main`, `wit-component:shim`.
    fn read_module_names(&mut self, names: wasmparser::ComponentNameSectionReader<'_>) {
        let Some(Level::Component(modules)) = self.levels.last() else { return };
        let found = names.into_iter().find_map(|name| match name {
            Ok(ComponentName::CoreModules(names)) => Some(names),
            _ => None,
        });
        for naming in found.into_iter().flatten().flatten() {
            let module = modules.get(naming.index as usize).and_then(|index| self.facts.modules.get_mut(*index));
            if let Some(module) = module {
                module.name.get_or_insert_with(|| printable::line(naming.name));
            }
        }
    }

    fn memories(&mut self, memories: wasmparser::MemorySectionReader<'_>) -> wasmparser::Result<()> {
        let module = self.facts.modules.len().saturating_sub(1);
        for memory in memories {
            let memory = memory?;
            self.facts.memories.push(Memory {
                module,
                initial_pages: memory.initial,
                maximum_pages: memory.maximum,
                page_size_bytes: memory
                    .page_size_log2
                    .map_or(PAGE_BYTES, |log2| 1u64.checked_shl(log2).unwrap_or(PAGE_BYTES)),
            });
        }
        Ok(())
    }

    fn finish(mut self, size_bytes: usize) -> Facts {
        let headers = (size_bytes as u64).saturating_sub(self.counted_bytes);
        if headers > 0 {
            self.add("section headers", headers);
        }
        self.finish_producers();
        self.facts.sections = self.sections.into_values().collect();
        self.facts.sections.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        self.facts
    }
}

impl Scan {
    /// The adapter for WASI preview 1 was made with tools that the author of the component never saw.
    fn finish_producers(&mut self) {
        let modules = &self.facts.modules;
        let is_adapter = |index: &Option<usize>| {
            let name = index.and_then(|index| modules.get(index)?.name.as_deref());
            name.is_some_and(|name| name.starts_with("wit-component:") || name.starts_with("wasi_snapshot_preview1."))
        };
        let own = self.producers.iter().filter(|(module, _)| !is_adapter(module)).map(|(_, producer)| producer);
        self.facts.languages = guess::languages(own);
        let mut known = HashSet::new();
        let all = std::mem::take(&mut self.producers).into_iter().map(|(_, producer)| producer);
        self.facts.producers = all.filter(|producer| known.insert(producer.clone())).collect();
    }
}

fn length(range: &Range<usize>) -> u64 {
    range.len() as u64
}

/// The name under which the contents of a section are counted; none for sections whose contents are sections.
fn section_name(payload: &Payload<'_>) -> Option<&'static str> {
    Some(match payload {
        Payload::TypeSection(_) => "types",
        Payload::ImportSection(_) => "imports",
        Payload::FunctionSection(_) => "functions",
        Payload::TableSection(_) => "tables",
        Payload::MemorySection(_) => "memories",
        Payload::TagSection(_) => "tags",
        Payload::GlobalSection(_) => "globals",
        Payload::ExportSection(_) => "exports",
        Payload::StartSection { .. } => "start",
        Payload::ElementSection(_) => "elements",
        Payload::DataCountSection { .. } => "data count",
        Payload::DataSection(_) => "data",
        Payload::CodeSectionStart { .. } => "code",
        Payload::InstanceSection(_) => "core instances",
        Payload::CoreTypeSection(_) => "core types",
        Payload::ComponentInstanceSection(_) => "component instances",
        Payload::ComponentAliasSection(_) => "component aliases",
        Payload::ComponentTypeSection(_) => "component types",
        Payload::ComponentCanonicalSection(_) => "canonical functions",
        Payload::ComponentStartSection { .. } => "component start",
        Payload::ComponentImportSection(_) => "component imports",
        Payload::ComponentExportSection(_) => "component exports",
        _ => return None,
    })
}
