use crate::{Needs, Unbundled, Whole, unbundle};
use wasmparser::Validator;

/// An interpreter, as far as this crate is concerned: functions, a memory with data, a table, a global; `script` is in its data.
fn interpreter(script: &str, pages: u32) -> String {
    format!(
        "(core module $interpreter
            (type $get (func (param i32) (result i32)))
            (import \"host\" \"seed\" (func $seed (result i32)))
            (memory (export \"memory\") {pages})
            (table 1 funcref)
            (global $top (mut i32) (i32.const 64))
            (elem (i32.const 0) $get)
            (func $get (export \"get\") (type $get) (i32.load8_u (i32.add (local.get 0) (global.get $top))))
            (func (export \"start\") (result i32) (i32.add (call $seed) (memory.size)))
            (data (i32.const 0) \"interpreter\")
            (data (i32.const 64) \"{script}\"))"
    )
}

/// A component with it, and with a module that provides its import.
fn component(script: &str, pages: u32) -> String {
    format!(
        "(component
            (core module $host (func (export \"seed\") (result i32) (i32.const 7)))
            {}
            (core module $after)
            (core instance $h (instantiate $host))
            (core instance $i (instantiate $interpreter (with \"host\" (instance $h))))
            (core instance $a (instantiate $after))
            (func (export \"get\") (param \"at\" u32) (result u32) (canon lift (core func $i \"get\")))
            (func (export \"start\") (result u32) (canon lift (core func $i \"start\"))))",
        interpreter(script, pages)
    )
}

#[track_caller]
fn take_apart(text: &str) -> Unbundled {
    let bytes = wat::parse_str(text).unwrap();
    Validator::new().validate_all(&bytes).unwrap();
    let unbundled = unbundle(&bytes, 0).unwrap();
    for code in &unbundled.modules {
        Validator::new().validate_all(&code.bytes).unwrap();
    }
    if let Err(error) = Validator::new().validate_all(&unbundled.component) {
        panic!("{error}\n{:?}", unbundled.modules.iter().map(|code| &code.import).collect::<Vec<_>>());
    }
    unbundled
}

#[test]
fn another_script_has_the_same_code() {
    let (one, other) = (take_apart(&component("one", 2)), take_apart(&component("quite another", 3)));
    assert_eq!(one.modules.len(), 2, "the third has no code");
    assert_eq!(other.needs, Needs { memory_bytes: 3 << 16, table_elements: 1 });
    assert_eq!(one.modules, other.modules);
    assert_ne!(one.component, other.component);
    assert!(contains(&other.component, b"quite another") && !contains(&other.modules[1].bytes, b"quite another"));
    // Much more memory is another declaration, which costs a compilation and is not wrong.
    assert_ne!(one.modules[1], take_apart(&component("one", 200)).modules[1]);
}

#[test]
fn components_inside_of_components_are_taken_apart() {
    let text = format!(
        "(component
            (component $inner {} (core instance (instantiate $m)))
            (component $middle
                (component $innermost {} (core instance (instantiate $m)))
                (core module $n (func (export \"f\")))
                (core instance (instantiate $n))
                (instance (instantiate $innermost)))
            (core module $own (func (export \"g\")))
            (core instance (instantiate $own))
            (instance (instantiate $inner))
            (instance (instantiate $inner))
            (instance (instantiate $middle)))",
        "(core module $m (func (export \"a\")) (memory 1) (data (i32.const 1) \"x\"))",
        "(core module $m (func (export \"a\")) (memory 1) (data (i32.const 1) \"y\"))",
    );
    let unbundled = take_apart(&text);
    let imports: Vec<&str> = unbundled.modules.iter().map(|code| code.import.as_str()).collect();
    assert_eq!(imports, ["wharf-code0", "wharf-code1", "wharf-code2", "wharf-code3"]);
    assert_eq!(unbundled.modules[0].bytes, unbundled.modules[1].bytes);
}

#[test]
fn data_that_functions_put_in_place_stays_with_them() {
    for text in [
        "(component (core module $m (memory 1) (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))) (data $d \"p\"))
            (core instance (instantiate $m)))",
        "(component (core module $m (import \"e\" \"g\" (global i32)) (memory 1) (func) (data (global.get 0) \"p\")))",
        "(component (core module $m (import \"e\" \"m\" (memory 1)) (func) (data (i32.const 0) \"p\")))",
        "(component (core module $m (func)))",
    ] {
        let unbundled = take_apart(text);
        assert!(!contains(&unbundled.component, b"wharf:unbundle"), "{text}");
    }
}

#[test]
fn segments_that_functions_drop_are_still_there() {
    let unbundled = take_apart(
        "(component (core module $m (memory 1) (func (data.drop $d)) (data $d (i32.const 0) \"initial\"))
            (core instance (instantiate $m)))",
    );
    assert!(contains(&unbundled.component, b"initial") && !contains(&unbundled.modules[0].bytes, b"initial"));
}

#[test]
fn what_cannot_be_taken_apart_stays_whole() {
    let whole = |text: &str, from_bytes| unbundle(&wat::parse_str(text).unwrap(), from_bytes).unwrap_err().to_string();
    assert_eq!(whole(&component("one", 1), 1 << 20), "it has no module with much code");
    assert_eq!(whole("(component (core type (module)) (core module (func)))", 0), "it declares core types");
    let exported =
        "(component (core module $m (memory 1) (func) (data (i32.const 0) \"x\")) (export \"m\" (core module $m)))";
    assert_eq!(whole(exported, 0), "it has a module that is not only instantiated");
    let outer = "(component (core module $m (memory 1) (func) (data (i32.const 0) \"x\"))
        (component (core instance (instantiate $m))))";
    assert_eq!(whole(outer, 0), "it has a module that is not only instantiated");
    // Types that modules of components cannot name: the module stays, the component has no other.
    let tags = "(component (core module (tag (import \"e\" \"t\")) (func)))";
    assert_eq!(whole(tags, 0), "it has no module with much code");
    let references = "(component (core module (type $t (struct)) (func)))";
    assert_eq!(whole(references, 0), "it has no module with much code");
}

#[test]
fn damaged_bytes_are_an_error_or_are_found_by_the_engine() {
    let bytes = wat::parse_str(component("one", 1)).unwrap();
    for end in 0..bytes.len() {
        let _ = unbundle(&bytes[..end], 0);
        for changed in [0x00, 0x01, 0x7f, 0xff] {
            let mut damaged = bytes.clone();
            damaged[end] = changed;
            let _ = unbundle(&damaged, 0);
        }
    }
    assert!(matches!(unbundle(b"\0asm\x01\0\0\0", 0), Err(Whole::Unfit(_) | Whole::Unreadable(_) | Whole::Small)));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
