//! The interface of a binary as values of the WIT parser, for those who compare and print interfaces.
//!
//! In: the bytes of a file. Out: [`Wit`]. Next: `wharf-wit`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wit_component::DecodedWasm;
use wit_parser::{Function, PackageId, Resolve, Type, WorldId};

use crate::inspect::check_header;
use crate::{Error, Kind, decode, features, nesting, printable, scan, signature};

/// The interface of a binary.
#[derive(Debug, Clone)]
pub struct Wit {
    /// Everything that it and its dependencies say.
    pub resolve: Resolve,
    /// Its own package; for a component one that the decoder made up.
    pub package: PackageId,
    /// What a component or a core module imports and exports; none for a WIT package.
    pub world: Option<WorldId>,
}

/// Reads the interface of a component, of a core module that a world is embedded in, or of a WIT package in binary form.
///
/// Validates the whole file first, as [`inspect`](crate::inspect()) does, and costs as much. Never panics, whatever the bytes.
pub fn wit(bytes: &[u8]) -> Result<Wit, Error> {
    check_header(bytes)?;
    nesting::check(bytes)?;
    let (types, _) = features::validate(bytes)?;
    let (facts, is_heavy) = scan::scan(bytes, types.as_ref())?;
    if is_heavy {
        return Err(Error::NoWit { reason: "its names take more memory than any interface does" });
    }
    if facts.kind == Kind::Module && !facts.has_embedded_world {
        return Err(Error::NoWit { reason: "this is a core module, and no world is embedded in it" });
    }
    // The decoder asserts what binaries made by tools have. Nothing that outlives the closure is changed inside.
    let decoded = catch_unwind(AssertUnwindSafe(|| match facts.kind {
        Kind::Module => module(bytes),
        _ => component(bytes),
    }));
    decoded.ok().flatten().ok_or(Error::NoWit { reason: "no tool makes such a file" })
}

fn component(bytes: &[u8]) -> Option<Wit> {
    Some(match wit_component::decode(bytes).ok()? {
        DecodedWasm::Component(resolve, world) => {
            Wit { package: resolve.worlds[world].package?, world: Some(world), resolve }
        }
        DecodedWasm::WitPackage(resolve, package) => Wit { resolve, package, world: None },
    })
}

fn module(bytes: &[u8]) -> Option<Wit> {
    let (_, bindgen) = wit_component::metadata::decode(bytes).ok()?;
    let (resolve, world) = (bindgen.resolve, bindgen.world);
    Some(Wit { package: resolve.worlds[world].package?, world: Some(world), resolve })
}

/// Writes a package and all that it depends on as one WIT text. None when that would be longer than 4 MiB.
///
/// Control and direction characters of documentation are replaced: the text can be printed.
pub fn wit_text(resolve: &Resolve, package: PackageId) -> Option<String> {
    // The printer asserts some of what the parser and the decoder make sure of.
    catch_unwind(AssertUnwindSafe(|| decode::text(resolve, package))).ok().flatten()
}

/// Writes a package without those that it depends on. None when that would be longer than 4 MiB.
pub fn package_text(resolve: &Resolve, package: PackageId) -> Option<String> {
    catch_unwind(AssertUnwindSafe(|| decode::text_alone(resolve, package))).ok().flatten()
}

/// `name: func(param: type) -> type`; methods are written `resource.name`. At most a few KiB.
pub fn function_text(resolve: &Resolve, function: &Function) -> String {
    signature::of_function(resolve, function)
}

/// A type as WIT writes it where it is used; `…` when that is longer than 4 KiB.
pub fn type_text(resolve: &Resolve, ty: &Type) -> String {
    signature::type_name(resolve, ty)
}

/// Replaces control and direction characters, so that a text of a file can be printed on one line.
pub fn printable_line(text: &str) -> String {
    printable::line(text)
}
