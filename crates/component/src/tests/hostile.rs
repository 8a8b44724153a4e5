//! Bytes that nobody's tool makes: nothing panics, nothing takes more memory than it should.

use proptest::prelude::*;

use crate::tests::{component, wat};
use crate::{Error, PROVIDED, check, inspect, render_text};

/// Binaries to damage: every sort of section and every path of the decoder.
fn samples() -> Vec<Vec<u8>> {
    vec![
        component("import wasi:http/outgoing-handler@0.2.12; export wasi:http/incoming-handler@0.2.12;"),
        component(
            "export acme:shop/orders@1.2.0; export ping: func() -> result<u32, string>; import wasi:cli/stdout@0.2.6;",
        ),
        component("export wasi:http/handler@0.3.0; import a: async func(s: stream<u8>) -> future<string>;"),
        wat(r#"(module (import "env" "f" (func)) (memory 1) (table 1 funcref) (global i32 i32.const 1)
            (data (i32.const 0) "x") (elem (i32.const 0) func 0) (func (export "g") (param i64) (result f32) unreachable)
            (@producers (language "C" "")) (@custom "component-type:x" "\00asm\0d\00\01\00"))"#),
    ]
}

/// Everything that is done with bytes from outside.
fn use_all(bytes: &[u8]) {
    if let Ok(facts) = inspect(bytes) {
        let _ = render_text(&facts);
        let _ = facts.verdict(&check(&facts, PROVIDED));
        serde_json::to_string(&facts).unwrap();
    }
}

#[test]
fn survives_every_cut() {
    for sample in samples() {
        for end in 0..sample.len() {
            use_all(&sample[..end]);
            assert!(inspect(&sample[..end]).is_err() || end > 8 || end == 8, "cut at {end}");
        }
    }
}

#[test]
fn survives_every_changed_byte() {
    for sample in samples() {
        for index in 0..sample.len() {
            for value in [0, 1, 0x7f, 0xff, sample[index].wrapping_add(1), sample[index] ^ 0x40] {
                let mut bytes = sample.clone();
                bytes[index] = value;
                use_all(&bytes);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn survives_damage(which in 0_usize..4, damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = samples().swap_remove(which);
        for (index, value) in damage {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        use_all(&bytes);
    }

    #[test]
    fn survives_noise(header in 0_usize..3, noise in prop::collection::vec(any::<u8>(), 0..256)) {
        let header: &[u8] = [b"\0asm\x01\0\0\0".as_slice(), b"\0asm\x0d\0\x01\0", b""][header];
        use_all(&[header, &noise].concat());
    }
}

fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn section(id: u8, contents: &[u8]) -> Vec<u8> {
    [&[id], leb(contents.len()).as_slice(), contents].concat()
}

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

fn nested_types(depth: usize, opener: u8) -> Vec<u8> {
    // Each level is a type with one declaration, which is a type.
    let types = [[opener, 1, 1].repeat(depth), vec![opener, 0]].concat();
    [COMPONENT, &section(7, &[&[1], types.as_slice()].concat())].concat()
}

#[test]
fn refuses_to_follow_nesting_until_the_stack_ends() {
    for opener in [0x41, 0x42] {
        assert!(matches!(inspect(&nested_types(200_000, opener)), Err(Error::TooDeep { .. })));
        assert!(!matches!(inspect(&nested_types(95, opener)), Err(Error::TooDeep { .. })));
    }
    let mut component = COMPONENT.to_vec();
    for _ in 0..300 {
        component = [COMPONENT, &section(4, &component)].concat();
    }
    assert!(matches!(inspect(&component), Err(Error::TooDeep { .. })));
    let name = "component-type:x";
    let custom = [&[name.len() as u8], name.as_bytes(), &nested_types(200_000, 0x41)].concat();
    let module = [b"\0asm\x01\0\0\0".as_slice(), &section(0, &custom)].concat();
    assert!(matches!(inspect(&module), Err(Error::TooDeep { .. })));
}

#[test]
fn bounds_the_text_of_types() {
    // One long name, used in many parameters of many functions.
    let name = format!("a{}", "b".repeat(3000));
    let params: Vec<String> = (0..60).map(|index| format!("p{index}: {name}")).collect();
    let functions: String = (0..300).map(|index| format!("call{index}: func({});", params.join(", "))).collect();
    let bytes = component(&format!("import api: interface {{ record {name} {{ a: u8 }} {functions} }}"));
    let facts = inspect(&bytes).unwrap();
    assert!(facts.wit.is_empty(), "{} bytes of text", facts.wit.len());
    let items: usize = facts.imports[0].items.iter().map(String::len).sum();
    assert!(items < 8 << 20, "{items} bytes of signatures from {} bytes", bytes.len());
    assert!(!facts.imports[0].is_types_only);
}

#[test]
fn bounds_the_signatures_of_a_world() {
    let name = "b".repeat(4000);
    let functions: String = (0..2000).map(|index| format!("(import \"f{index}\" (func (type $f)))")).collect();
    let bytes = wat(&format!(
        r#"(component (type $r (record (field "a" u8))) (import "{name}" (type $x (eq $r)))
            (type $f (func (param "a" $x) (result $x))) {functions})"#
    ));
    let facts = inspect(&bytes).unwrap();
    let items: usize = facts.imports.iter().flat_map(|import| &import.items).map(String::len).sum();
    assert!(items < 5 << 20, "{items} bytes of signatures from {} bytes", bytes.len());
    assert!(facts.imports[1].items[0].starts_with("f0: func(a: bbb"));
    assert_eq!(facts.imports[2000].items, ["f1999: func(…)"]);
}

#[test]
fn bounds_the_names_in_one_type_of_many_instances() {
    let name = "b".repeat(30_000);
    let imports = |of: &str| -> String {
        (0..900).map(|index| format!("(import \"a:b/f{index}\" (instance (type {of})))")).collect()
    };
    let bytes = wat(&format!(r#"(component (type $i (instance (export "{name}" (func)))) {})"#, imports("$i")));
    let facts = inspect(&bytes).unwrap();
    let items: usize = facts.imports.iter().flat_map(|import| &import.items).map(String::len).sum();
    assert!(items < 17 << 20, "{items} bytes of names from {} bytes", bytes.len());
    assert_eq!(facts.wit, "");
    assert!(facts.imports.iter().all(|import| !import.is_types_only));
}

/// A component with a chain of instance types, each inside the next.
fn chain(length: usize) -> Vec<u8> {
    let link = |at| {
        format!(r#"(type $t{at} (instance (alias outer 1 $t{} (type $x)) (export "x" (instance (type $x)))))"#, at - 1)
    };
    let links: String = (1..length).map(link).collect();
    wat(&format!(r#"(component (type $t0 (instance)) {links} (import "i" (instance (type $t{}))))"#, length - 1))
}

#[test]
fn survives_chains_of_types() {
    assert_eq!(inspect(&chain(50)).unwrap().imports.len(), 1);
    assert_eq!(inspect(&chain(120)).unwrap().wit, "");
    // The validator panics.
    assert!(matches!(inspect(&chain(130)), Err(Error::Invalid { .. })));
    assert!(inspect(&chain(20_000)).is_err());
}

#[test]
fn nothing_of_the_file_can_steer_a_terminal() {
    let evil = |text: &str| text.replace('E', "\\u{1b}[2J\\u{202e}\\n");
    let module = wat(&evil(
        r#"(module $m (@name "nE") (import "iE" "fE" (func)) (func (export "eE"))
            (@producers (language "lE" "1E") (sdk "sE" "2E")) (@custom "cE" "x"))"#,
    ));
    let facts = inspect(&module).unwrap();
    let shown = [render_text(&facts), serde_json::to_string(&check(&facts, PROVIDED)).unwrap()].concat();
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    for line in ["    i␛[2J\u{fffd}␊\n", "  e␛[2J\u{fffd}␊: func()\n", "l␛[2J\u{fffd}␊ 1␛[2J\u{fffd}␊ (language)\n"]
    {
        assert!(shown.contains(line), "{line:?} in\n{shown}");
    }
    let error = inspect(&wat(&evil(r#"(module (func (export "E")) (func (export "E")))"#))).unwrap_err();
    assert!(!error.to_string().contains(char::is_control), "{error}");
    // Documentation is JSON in the file, where an escape is six characters.
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("a.wit", "package a:b;\n/// Says ~~~~~~[2J.\ninterface c { f: func(); }").unwrap();
    let mut bytes = wit_component::encode(&resolve, package).unwrap();
    let at = bytes.windows(6).position(|six| six == b"~~~~~~").unwrap();
    bytes[at..at + 6].copy_from_slice(br"\u001b");
    assert!(inspect(&bytes).unwrap().wit.contains("/// Says ␛[2J."));
}

#[test]
fn bounds_the_sorts_of_sections() {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    for index in 0..1000_u32 {
        let name = format!("c{index}");
        bytes.extend(section(0, &[&[name.len() as u8], name.as_bytes()].concat()));
    }
    let facts = inspect(&bytes).unwrap();
    assert!(facts.sections.len() < 210);
    assert_eq!(facts.sections.iter().map(|section| section.bytes).sum::<u64>(), facts.size_bytes);
}

#[test]
fn describes_components_that_cannot_be_written_as_wit() {
    // Passes on what it imports: valid, and made so by composing.
    let facts = inspect(&wat(r#"(component
            (import "acme:a/types@1.0.0" (instance $types (export "r" (type (sub resource)))))
            (alias export $types "r" (type $r))
            (import "acme:a/uses@1.0.0" (instance (export "r" (type (eq $r)))))
            (import "acme:a/more@1.0.0" (instance (export "r" (type (eq $r))) (export "f" (func))))
            (export "acme:a/types@1.0.0" (instance $types))
            (core module $m (func (export "f")))
            (core instance $m (instantiate $m))
            (func $f (canon lift (core func $m "f")))
            (instance $run (export "go" (func $f)))
            (export "acme:b/run@1.0.0" (instance $run)))"#))
    .unwrap();
    assert_eq!(facts.wit, "");
    let types_only: Vec<bool> = facts.imports.iter().map(|import| import.is_types_only).collect();
    assert_eq!(types_only, [false, true, false]);
    assert_eq!(facts.exports[1].items, ["go: func(…)"]);
    assert_eq!(facts.entries.len(), 1);
    let missing: Vec<String> = check(&facts, PROVIDED).into_iter().map(|one| one.import).collect();
    assert_eq!(missing, ["acme:a/types@1.0.0", "acme:a/more@1.0.0"]);
}
