use super::*;

/// Imports `name` and exports what it returns, plus one.
fn caller(name: &str) -> Vec<u8> {
    component(&format!(
        r#"(component
            (import "{name}" (instance $dep (export "f" (func (result u32)))))
            (core module $m
                (import "" "f" (func $f (result i32)))
                (func (export "run") (result i32) (i32.add (call $f) (i32.const 1))))
            (core func $f (canon lower (func $dep "f")))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func $run (result u32) (canon lift (core func $i "run")))
            (instance $out (export "f" (func $run)))
            (export "acme:top/api@1.0.0" (instance $out)))"#
    ))
}

/// Exports `name` with a function that returns `result`, a number of type `ty`; imports `wasi:random/random` at `version`.
fn supplier(name: &str, ty: &str, version: &str) -> Vec<u8> {
    component(&format!(
        r#"(component
            (import "wasi:random/random@{version}" (instance (export "get-random-u64" (func (result u64)))))
            (core module $m (func (export "f") (result i32) i32.const 41))
            (core instance $i (instantiate $m))
            (func $f (result {ty}) (canon lift (core func $i "f")))
            (instance $out (export "f" (func $f)))
            (export "{name}" (instance $out)))"#
    ))
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn part<'a>(name: &'a str, bytes: &'a [u8], plugs: &[(&str, usize, &str)]) -> Part<'a> {
    let plug = |(import, from, export): &(&str, usize, &str)| Plug {
        import: (*import).to_owned(),
        from: *from,
        export: (*export).to_owned(),
    };
    Part { name, bytes, plugs: plugs.iter().map(plug).collect(), renamed: BTreeMap::new() }
}

/// Returns the names of the outermost imports and exports.
fn names(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all()).validate_all(bytes).unwrap();
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0);
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        match payload.unwrap() {
            wasmparser::Payload::Version { .. } => depth += 1,
            wasmparser::Payload::End(_) => depth -= 1,
            wasmparser::Payload::ComponentImportSection(section) if depth == 1 => {
                imports.extend(section.into_iter().map(|import| import.unwrap().name.name.to_owned()));
            }
            wasmparser::Payload::ComponentExportSection(section) if depth == 1 => {
                exports.extend(section.into_iter().map(|export| export.unwrap().name.name.to_owned()));
            }
            _ => {}
        }
    }
    (imports, exports)
}

#[test]
fn an_import_is_satisfied_and_the_others_stay() {
    let (top, low) = (caller("acme:low/api@1.0.0"), supplier("acme:low/api@1.2.0", "u32", "0.2.0"));
    let parts = [part("top", &top, &[("acme:low/api@1.0.0", 1, "acme:low/api@1.2.0")]), part("low", &low, &[])];
    let (imports, exports) = names(&fuse(&parts).unwrap());
    assert_eq!(imports, ["wasi:random/random@0.2.0"]);
    assert_eq!(exports, ["acme:top/api@1.0.0"]);
}

#[test]
fn compatible_imports_of_several_parts_become_one() {
    let top = caller("a:a/a@1.0.0");
    let middle = component(
        r#"(component
            (import "wasi:random/random@0.2.6" (instance (export "get-random-u64" (func (result u64)))))
            (import "b:b/b@1.0.0" (instance $b (export "f" (func (result u32)))))
            (export "a:a/a@1.0.0" (instance $b)))"#,
    );
    let low = supplier("b:b/b@1.0.0", "u32", "0.2.3");
    let parts = [
        part("top", &top, &[("a:a/a@1.0.0", 2, "a:a/a@1.0.0")]),
        part("low", &low, &[]),
        part("middle", &middle, &[("b:b/b@1.0.0", 1, "b:b/b@1.0.0")]),
    ];
    assert_eq!(names(&fuse(&parts).unwrap()).0, ["wasi:random/random@0.2.6"]);
}

#[test]
fn a_renamed_import_is_another_one() {
    let (top, low) = (caller("acme:low/api@1.0.0"), supplier("acme:low/api@1.0.0", "u32", "0.2.0"));
    let mut low = part("low", &low, &[]);
    low.renamed.insert("wasi:random/random@0.2.0".to_owned(), "member1:wasi-random/random@0.2.0".to_owned());
    let parts = [part("top", &top, &[("acme:low/api@1.0.0", 1, "acme:low/api@1.0.0")]), low];
    assert_eq!(names(&fuse(&parts).unwrap()).0, ["member1:wasi-random/random@0.2.0"]);
}

#[test]
fn types_that_differ_are_named() {
    let (top, low) = (caller("acme:low/api@1.0.0"), supplier("acme:low/api@1.0.0", "s32", "0.2.0"));
    let parts = [part("top", &top, &[("acme:low/api@1.0.0", 1, "acme:low/api@1.0.0")]), part("low", &low, &[])];
    let error = fuse(&parts).unwrap_err();
    assert_eq!(
        error.to_string(),
        "top imports acme:low/api@1.0.0 with other types than low exports it with: mismatched instantiation argument \
         `acme:low/api@1.0.0`: mismatched type for export `f`: mismatched type for function result: expected u32, found s32"
    );
}

#[test]
fn circles_and_what_is_no_component_are_errors() {
    let top = caller("a:a/a@1.0.0");
    let circle = [part("top", &top, &[("a:a/a@1.0.0", 0, "acme:top/api@1.0.0")])];
    assert!(matches!(fuse(&circle), Err(Error::Types { .. } | Error::Circle { .. } | Error::Whole { .. })));
    let module = component("(module)");
    let parts = [part("top", &module, &[])];
    assert!(matches!(fuse(&parts), Err(Error::Unreadable { .. })));
    assert!(matches!(fuse(&[part("top", b"", &[])]), Err(Error::Unreadable { .. } | Error::Whole { .. })));
    for end in (0..top.len()).step_by(7) {
        // Cut between two sections it is a component still, with less in it.
        let _ = fuse(&[part("top", &top[..end], &[])]);
    }
}
