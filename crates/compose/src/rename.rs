//! Gives imports of a component other names.
//!
//! In: a component and the new names. Out: the same component, but for those names. Only the outermost import sections are written anew;
//! everything refers to imports by their position, so nothing else changes.

use crate::fuse::Error;
use std::collections::BTreeMap;
use std::ops::Range;
use wasmparser::{Chunk, ComponentImportSectionReader, Parser, Payload};

/// The id of a component's import section.
const IMPORT_SECTION: u8 = 10;

/// The first byte of a name that is a name and nothing else.
const PLAIN: u8 = 0;

/// Returns the component with the imports in `names` renamed.
pub(crate) fn imports(part: &str, bytes: &[u8], names: &BTreeMap<String, String>) -> Result<Vec<u8>, Error> {
    let mut renamed = Vec::with_capacity(bytes.len() + 64);
    let mut copied = 0;
    let mut parser = Parser::new(0);
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let section_start = at;
        let Ok(Chunk::Parsed { consumed, payload }) = parser.parse(rest, true) else { return Err(unreadable(part)) };
        at += consumed;
        match payload {
            // What is inside of a part has imports of its own, which the part satisfies.
            Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                at = unchecked_range.end;
            }
            Payload::ComponentImportSection(section) => {
                let body = import_section(part, section, bytes, names)?;
                renamed.extend_from_slice(&bytes[copied..section_start]);
                renamed.push(IMPORT_SECTION);
                write_number(&mut renamed, body.len());
                renamed.extend_from_slice(&body);
                copied = at;
            }
            Payload::End(_) => break,
            _ => {}
        }
    }
    renamed.extend_from_slice(&bytes[copied..]);
    Ok(renamed)
}

/// Writes one import section: the types of the imports are copied, byte for byte.
fn import_section(
    part: &str,
    section: ComponentImportSectionReader<'_>,
    bytes: &[u8],
    names: &BTreeMap<String, String>,
) -> Result<Vec<u8>, Error> {
    let end = section.range().end;
    let mut imports = Vec::new();
    for import in section.into_iter_with_offsets() {
        imports.push(import.map_err(|_| unreadable(part))?);
    }
    let mut body = Vec::new();
    write_number(&mut body, imports.len());
    let ends = imports.iter().skip(1).map(|(start, _)| *start).chain([end]);
    for ((start, import), end) in imports.iter().zip(ends) {
        let whole = bytes.get(*start..end).ok_or_else(|| unreadable(part))?;
        let Some(new) = names.get(import.name.name) else {
            body.extend_from_slice(whole);
            continue;
        };
        if import.name.implements.is_some() {
            return Err(Error::Alias { part: part.to_owned(), import: import.name.name.to_owned() });
        }
        let old = name_range(whole, import.name.name).ok_or_else(|| unreadable(part))?;
        body.push(PLAIN);
        write_number(&mut body, new.len());
        body.extend_from_slice(new.as_bytes());
        body.extend_from_slice(&whole[old.end..]);
    }
    Ok(body)
}

/// Returns where the name is in the bytes of an import.
fn name_range(import: &[u8], name: &str) -> Option<Range<usize>> {
    // A byte for the kind of name, then the length, which may be written with more bytes than it needs.
    let length_bytes = import.get(1..)?.iter().take(5).position(|byte| byte & 0x80 == 0)? + 1;
    let start = 1 + length_bytes;
    let range = start..start.checked_add(name.len())?;
    (import.get(range.clone())? == name.as_bytes()).then_some(range)
}

/// Writes an unsigned number as LEB128.
fn write_number(to: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            to.push(low);
            return;
        }
        to.push(low | 0x80);
    }
}

fn unreadable(part: &str) -> Error {
    Error::Unreadable { part: part.to_owned(), reason: "its import section is damaged".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"(component
        (import "a:b/c@1.0.0" (instance $one (export "r" (type (sub resource))) (export "f" (func (result string)))))
        (alias export $one "r" (type $r))
        (core module)
        (import "a:b/d@1.0.0" (instance (export "g" (func (param "r" (borrow $r))))))
        (component (import "a:b/c@1.0.0" (instance)))
    )"#;

    fn names(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect()
    }

    #[test]
    fn only_outer_imports_of_that_name_are_renamed() {
        let bytes = wat::parse_str(TWO).unwrap();
        let long = format!("member1:a-{}/c@1.0.0", "b".repeat(200));
        let renamed = imports("p", &bytes, &names(&[("a:b/c@1.0.0", &long), ("x:y/z", "q:r/s")])).unwrap();
        let expected = wat::parse_str(TWO.replacen("a:b/c@1.0.0", &long, 1)).unwrap();
        assert_eq!(renamed, expected);
        wasmparser::validate(&renamed).unwrap();
    }

    #[test]
    fn nothing_to_rename_changes_nothing() {
        let bytes = wat::parse_str(TWO).unwrap();
        assert_eq!(imports("p", &bytes, &names(&[])).unwrap(), bytes);
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        let bytes = wat::parse_str(TWO).unwrap();
        for end in 1..bytes.len() {
            let mut cut = bytes[..end].to_vec();
            let _ = imports("p", &cut, &names(&[("a:b/c@1.0.0", "x:y/z")]));
            cut.extend([0xff; 3]);
            let _ = imports("p", &cut, &names(&[("a:b/c@1.0.0", "x:y/z")]));
        }
    }
}
