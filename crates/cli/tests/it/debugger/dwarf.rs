//! What a debugger takes from the debug information of a module.

use gimli::{AttributeValue, DebuggingInformationEntry, EndianSlice, LittleEndian, Operation, Unit};
use std::collections::HashMap;
use wasmparser::{Parser, Payload};

type Reader<'a> = EndianSlice<'a, LittleEndian>;

/// The sections of a module that tell of its source.
pub(super) struct Source<'a> {
    dwarf: gimli::Dwarf<Reader<'a>>,
    /// Where the code begins: addresses in DWARF are counted from there.
    code: u64,
}

impl<'a> Source<'a> {
    pub(super) fn read(module: &'a [u8]) -> Self {
        let mut sections = HashMap::new();
        let mut code = 0;
        for payload in Parser::new(0).parse_all(module) {
            match payload.unwrap() {
                Payload::CodeSectionStart { range, .. } => code = range.start as u64,
                Payload::CustomSection(section) => {
                    sections.insert(section.name(), section.data());
                }
                _ => {}
            }
        }
        let load = |id: gimli::SectionId| -> Result<_, gimli::Error> {
            Ok(EndianSlice::new(sections.get(id.name()).copied().unwrap_or_default(), LittleEndian))
        };
        Self { dwarf: gimli::Dwarf::load(load).unwrap(), code }
    }

    fn units(&self) -> Vec<Unit<Reader<'a>>> {
        let mut headers = self.dwarf.units();
        std::iter::from_fn(|| headers.next().unwrap()).map(|header| self.dwarf.unit(header).unwrap()).collect()
    }

    /// Returns the first statement of a line, counted from the module's first byte.
    pub(super) fn line(&self, file: &str, line: u64) -> u64 {
        let mut found = Vec::new();
        for unit in self.units() {
            let Some(program) = unit.line_program.clone() else { continue };
            let mut rows = program.rows();
            while let Some((header, row)) = rows.next_row().unwrap() {
                let entry = row.file(header).unwrap();
                let name = self.dwarf.attr_string(&unit, entry.path_name()).unwrap().to_string_lossy().into_owned();
                if name.ends_with(file) && row.line().is_some_and(|at| at.get() == line) && row.is_stmt() {
                    found.push(row.address());
                }
            }
        }
        self.code + found.into_iter().min().unwrap_or_else(|| panic!("no code is of {file}:{line}"))
    }

    /// Calls `look` with the entries of a function: its own, and those below it.
    fn find<T>(
        &self,
        function: &str,
        mut look: impl FnMut(&Unit<Reader<'a>>, &DebuggingInformationEntry<Reader<'a>>) -> Option<T>,
    ) -> T {
        for unit in self.units() {
            let mut entries = unit.entries();
            let mut is_inside = false;
            while let Some(entry) = entries.next_dfs().unwrap() {
                if entry.tag() == gimli::DW_TAG_subprogram {
                    is_inside = self.name(&unit, entry).is_some_and(|name| name == function);
                }
                if is_inside && let Some(found) = look(&unit, entry) {
                    return found;
                }
            }
        }
        panic!("{function} has no such entry");
    }

    fn name(&self, unit: &Unit<Reader<'a>>, entry: &DebuggingInformationEntry<Reader<'a>>) -> Option<String> {
        let name = entry.attr_value(gimli::DW_AT_name)?;
        Some(self.dwarf.attr_string(unit, name).ok()?.to_string_lossy().into_owned())
    }

    /// Returns the local of WebAssembly that has the place of a function's variables.
    pub(super) fn frame_base(&self, function: &str) -> u32 {
        self.find(function, |unit, entry| {
            let AttributeValue::Exprloc(place) = entry.attr_value(gimli::DW_AT_frame_base)? else { return None };
            match place.operations(unit.encoding()).next().unwrap()? {
                Operation::WasmLocal { index } => Some(index),
                other => panic!("{function} has its variables at {other:?}"),
            }
        })
    }

    /// Returns where a variable is, from there.
    pub(super) fn variable(&self, function: &str, variable: &str) -> i32 {
        self.find(function, |unit, entry| {
            if self.name(unit, entry)? != variable {
                return None;
            }
            let AttributeValue::Exprloc(place) = entry.attr_value(gimli::DW_AT_location)? else { return None };
            match place.operations(unit.encoding()).next().unwrap()? {
                Operation::FrameOffset { offset } => i32::try_from(offset).ok(),
                other => panic!("{variable} is at {other:?}"),
            }
        })
    }
}
