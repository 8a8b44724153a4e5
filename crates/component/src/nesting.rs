//! Refuses binaries that are nested so deep that reading them would exhaust the stack.
//!
//! The invariant: nothing else in this crate hands bytes to `wasmparser` or `wit-component` before this has passed. Their
//! readers call themselves for each type inside a type, and a stack overflow ends the process: it is no panic that
//! somebody could catch.

use wasmparser::{
    BinaryReader, ComponentAlias, ComponentExternName, ComponentImport, ComponentType, ComponentTypeRef, CoreType,
    Parser, Payload,
};

use crate::Error;

/// Tools nest components and types three or four deep; `wasmparser` itself allows 100 for values.
const MAX_DEPTH: usize = 100;

/// Walks through nested components and through types nested in types, without recursion.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Error> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        // What cannot be read is left to the validator, which stops at the same place and says why.
        let Ok(payload) = payload else { return Ok(()) };
        match payload {
            Payload::Version { range, .. } => {
                depth += 1;
                limit(depth, range.start)?;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentTypeSection(section) => {
                let range = section.range();
                let Some(contents) = bytes.get(range.clone()) else { return Ok(()) };
                if let Some(offset) = too_deep(contents, range.start) {
                    return Err(Error::TooDeep { offset });
                }
            }
            // The world inside a core module is a component inside a custom section, in one format after a short prefix.
            Payload::CustomSection(custom) if depth == 1 && custom.name().starts_with("component-type") => {
                let data = custom.data();
                if let Some(start) = data.windows(4).take(8).position(|window| window == b"\0asm") {
                    check(&data[start..])?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn limit(depth: usize, offset: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH { Err(Error::TooDeep { offset }) } else { Ok(()) }
}

/// Returns where the types of a section are nested too deep.
fn too_deep(section: &[u8], offset: usize) -> Option<usize> {
    let mut reader = BinaryReader::new(section, offset);
    walk(&mut reader).unwrap_or_default()
}

/// Reads a type section declaration by declaration; `open` holds, for each type that is open, how many are left in it.
fn walk(reader: &mut BinaryReader<'_>) -> wasmparser::Result<Option<usize>> {
    let mut open = vec![reader.read_var_u32()?];
    while let Some(left) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        // The section itself has types; component and instance types have declarations, of which 1 is a type.
        let tag = if open.len() == 1 { 1 } else { reader.read_u8()? };
        match tag {
            0 => {
                reader.read::<CoreType<'_>>()?;
            }
            1 => {
                if let Some(declarations) = nested(reader)? {
                    if open.len() > MAX_DEPTH {
                        return Ok(Some(reader.original_position()));
                    }
                    open.push(declarations);
                }
            }
            2 => {
                reader.read::<ComponentAlias<'_>>()?;
            }
            3 => {
                reader.read::<ComponentImport<'_>>()?;
            }
            4 => {
                reader.read::<ComponentExternName<'_>>()?;
                reader.read::<ComponentTypeRef>()?;
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Reads a type; for one that has declarations inside, only its head, and returns their number.
fn nested(reader: &mut BinaryReader<'_>) -> wasmparser::Result<Option<u32>> {
    if matches!(reader.clone().read_u8()?, 0x41 | 0x42) {
        reader.read_u8()?;
        return Ok(Some(reader.read_var_u32()?));
    }
    reader.read::<ComponentType<'_>>()?;
    Ok(None)
}
