//! Components as text: which function is found, and what is said of those that are not.

use super::*;

fn expose(text: &str, function: &str) -> Result<Vec<u8>, PreinitError> {
    core_export(&wat::parse_str(text).unwrap(), function)
}

/// A main module, one beside it, and lifted functions before and after, so that no index space is empty.
const USUAL: &str = "(component
    (import \"in\" (func $in)) (type $t (func)) (core func $lowered (canon lower (func $in)))
    (core module $main (import \"m\" \"in\" (func)) (func (export \"init\")) (func (export \"run\"))
        (func (export \"number\") (param i32)) (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) i32.const 0))
    (core module $other (func (export \"aside\")))
    (core instance $none)
    (core instance $o (instantiate $other))
    (core instance $i (instantiate $main (with \"m\" (instance (export \"in\" (func $lowered))))))
    (func (export \"run\") (canon lift (core func $i \"run\"))))";

#[test]
fn a_function_of_a_core_module_becomes_one_of_the_component() {
    for function in ["init", "aside", "run"] {
        let exposed = expose(USUAL, function).unwrap();
        let exports = |bytes: &[u8]| {
            let mut names = Vec::new();
            for payload in Parser::new(0).parse_all(bytes) {
                if let Payload::ComponentExportSection(section) = payload.unwrap() {
                    names.extend(section.into_iter().map(|export| export.unwrap().name.name.to_owned()));
                }
            }
            names
        };
        assert_eq!(exports(&exposed), ["run", NAME], "{function}");
    }
}

#[test]
fn what_cannot_be_found_is_said() {
    let missing = expose(USUAL, "initialise").unwrap_err().to_string();
    assert_eq!(missing, "its core module exports no such function; it exports init, run, number");
    assert!(matches!(expose(USUAL, "number"), Err(PreinitError::Signature)));
    // One that is never instantiated has nothing to initialise, and of two nobody knows which.
    let unused = "(component (core module (func (export \"init\"))))";
    assert!(matches!(expose(unused, "init"), Err(PreinitError::Missing { .. })));
    let twice = "(component (core module $a (func (export \"init\"))) (core instance (instantiate $a)) (core instance (instantiate $a)))";
    assert!(matches!(expose(twice, "init"), Err(PreinitError::Ambiguous)));
    let within = "(component (component (core module $a (func (export \"init\"))) (core instance (instantiate $a))))";
    assert!(matches!(expose(within, "init"), Err(PreinitError::Missing { .. })));
    assert!(matches!(core_export(b"\0asm\x0d\0\x01\0\x01", "init"), Err(PreinitError::Damaged { .. })));
}

#[test]
fn functions_of_a_module_are_listed() {
    let module = wat::parse_str("(module (memory (export \"memory\") 1) (func (export \"a\")) (func (export \"b\")))");
    assert_eq!(exports(&module.unwrap()), ["a", "b"]);
}
