//! Which WebAssembly proposals the engine profiles run, and the validation against them.
//!
//! The invariant: `ALWAYS` is what every engine profile of `runtime` accepts, `SELECTABLE` what some profile adds. A proposal
//! here that no profile turns on would pass inspection and fail to compile.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmparser::types::Types;
use wasmparser::{Validator, WasmFeatures};

use crate::{Error, printable};

/// What every engine profile runs. `map` and `implements` are part of WASI 0.3.1.
const ALWAYS: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::COMPONENT_MODEL)
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_MAP)
    .union(WasmFeatures::CM_IMPLEMENTS);

/// What the `full` profile adds.
const SELECTABLE: WasmFeatures =
    WasmFeatures::GC.union(WasmFeatures::FUNCTION_REFERENCES).union(WasmFeatures::EXCEPTIONS);

/// Said of a file that makes the validator panic.
const GAVE_UP: &str = "the validator gave up; no tool makes such a file";

/// Validates the whole file and returns its types and the names of the proposals beyond `ALWAYS` that it needs.
pub(crate) fn validate(bytes: &[u8]) -> Result<(Types, Vec<String>), Error> {
    let mut needed = WasmFeatures::empty();
    // Each round adds at least one bit of `SELECTABLE` or ends.
    loop {
        let features = ALWAYS.union(needed);
        // The validator asserts that types are at most 127 deep and limits only some of them: instances in instances
        // get there in two kilobytes. Nothing that outlives the closure is changed inside.
        let result = catch_unwind(AssertUnwindSafe(|| Validator::new_with_features(features).validate_all(bytes)));
        let refused = match result {
            Ok(Ok(types)) => return Ok((types, names(needed))),
            Ok(Err(refused)) => refused,
            Err(_) => return Err(Error::Invalid { message: GAVE_UP.to_owned(), offset: 0 }),
        };
        let missing = refused.missing_wasm_feature().unwrap_or(WasmFeatures::empty());
        let addable = missing.intersection(SELECTABLE).difference(needed);
        if addable.is_empty() {
            return Err(error(bytes, &refused, missing));
        }
        needed = needed.union(addable);
    }
}

fn error(bytes: &[u8], refused: &wasmparser::Error, missing: WasmFeatures) -> Error {
    let (message, offset) = (sentence(refused), refused.offset());
    if !missing.is_empty() {
        return Error::Unsupported { proposal: names(missing).join(", "), message, offset };
    }
    if message.starts_with("unexpected end-of-file") || (message.starts_with("unexpected end") && offset >= bytes.len())
    {
        return Error::Truncated { offset, size_bytes: bytes.len() };
    }
    Error::Invalid { message, offset }
}

fn names(features: WasmFeatures) -> Vec<String> {
    features.iter_names().map(|(name, _)| name.to_ascii_lowercase().replace('_', "-")).collect()
}

/// The error for a reader that fails on a binary that was found valid.
pub(crate) fn broken(error: &wasmparser::Error) -> Error {
    Error::Invalid { message: sentence(error), offset: error.offset() }
}

/// The validator's words on one line; it quotes names of the file.
fn sentence(error: &wasmparser::Error) -> String {
    printable::line(&error.message().replace('\n', ": "))
}
