//! What is said of files that are not components, and of broken ones.

use crate::tests::{component, facts_of_wat, wat};
use crate::{Error, ErrorKind, Kind, Lookalike, inspect};

#[test]
fn tells_what_a_file_is_when_it_is_not_wasm() {
    let elf = [b"\x7fELF".as_slice(), &[0; 60]].concat();
    let precompiled = [elf.as_slice(), b"\0.wasmtime.engine\0"].concat();
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    let cases: &[(&[u8], Lookalike)] = &[
        (b"(module)", Lookalike::Wat),
        (b"\n  (component (core module))", Lookalike::Wat),
        (b";; a comment\n(module)", Lookalike::Wat),
        (b"package a:b;\nworld w {}", Lookalike::Wit),
        (b"<!DOCTYPE html><html>", Lookalike::Html),
        (b"  <html><body>404", Lookalike::Html),
        (b"{\"schemaVersion\": 2}", Lookalike::Json),
        (b"version https://git-lfs.github.com/spec/v1\n", Lookalike::GitLfs),
        (b"PK\x03\x04....", Lookalike::Zip),
        (b"\x1f\x8b\x08\0", Lookalike::Gzip),
        (b"\x28\xb5\x2f\xfd..", Lookalike::Zstd),
        (b"MZ\x90\0", Lookalike::Windows),
        (b"\xcf\xfa\xed\xfe....", Lookalike::MachO),
        (b"!<arch>\nfoo.o/", Lookalike::Archive),
        (b"BC\xc0\xde", Lookalike::Bitcode),
        (b"hello", Lookalike::Text),
        (b"\xff\xff\xff\xff", Lookalike::Unknown),
        (b"abc\x01\x02", Lookalike::Unknown),
        (&elf, Lookalike::Elf),
        (&precompiled, Lookalike::Precompiled),
        (&tar, Lookalike::Tar),
    ];
    for (bytes, expected) in cases {
        let found = inspect(bytes).unwrap_err();
        assert_eq!(found, Error::NotWasm(*expected), "{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(40)]));
        assert_eq!(found.kind(), ErrorKind::WrongFile);
        assert!(!found.to_string().is_empty() && !found.is_retryable());
    }
}

#[test]
fn cuts_text_at_a_character_when_it_looks_at_the_start() {
    let text = format!("{}ä", "a".repeat(511));
    assert_eq!(inspect(text.as_bytes()), Err(Error::NotWasm(Lookalike::Text)));
}

#[test]
fn tells_empty_and_short_files_apart() {
    assert_eq!(inspect(b""), Err(Error::Empty));
    assert_eq!(inspect(b"\0as"), Err(Error::Truncated { offset: 3, size_bytes: 3 }));
    assert_eq!(inspect(b"\0asm\x01\0"), Err(Error::Truncated { offset: 6, size_bytes: 6 }));
    let module = wat(r#"(module (func (export "f") (result i32) i32.const 1))"#);
    let cut = inspect(&module[..module.len() - 3]).unwrap_err();
    assert!(matches!(cut, Error::Truncated { size_bytes, .. } if size_bytes == module.len() - 3), "{cut}");
    let bytes = component("export wasi:cli/run@0.2.6;");
    let cut = inspect(&bytes[..bytes.len() / 2]).unwrap_err();
    assert!(matches!(cut, Error::Truncated { .. }), "{cut}");
}

#[test]
fn refuses_versions_that_no_tool_writes() {
    let error = inspect(b"\0asm\x0a\0\x01\0").unwrap_err();
    assert_eq!(error, Error::UnknownVersion { header: [0x0a, 0, 1, 0] });
    assert_eq!(error.kind(), ErrorKind::Unusable);
}

#[test]
fn passes_on_what_the_validator_says() {
    let error = inspect(&wat("(module (func (result i32)))")).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Invalid { .. }), "{text}");
    assert!(text.starts_with("invalid WebAssembly at offset 0x") && text.contains("type mismatch"), "{text}");
}

#[test]
fn tells_proposals_that_select_an_engine_from_those_that_no_engine_runs() {
    let gc = facts_of_wat("(module (type (struct (field i32))))");
    assert_eq!(gc.proposals, ["gc"]);
    let exceptions = facts_of_wat("(module (tag) (func throw 0))");
    assert_eq!(exceptions.proposals, ["exceptions"]);
    assert_eq!(facts_of_wat("(module (memory 1))").proposals, [""; 0]);
    let refused = [
        ("(module (memory i64 1))", "memory64"),
        ("(module (memory 1 1 shared))", "threads"),
        ("(module (memory 1 (pagesize 1)))", "custom-page-sizes"),
        ("(component (type (list u8 4)))", "cm-fixed-length-lists"),
        ("(component (core func (canon error-context.drop)))", "cm-error-context"),
    ];
    for (text, expected) in refused {
        match inspect(&wat(text)) {
            Err(Error::Unsupported { proposal, .. }) => assert_eq!(proposal, expected, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn reads_sizes_memories_tools_and_debug_information() {
    let facts = facts_of_wat(
        r#"(module $main
            (memory 2 16)
            (data (i32.const 0) "0123456789")
            (func (export "f") (result i32) i32.const 1)
            (@producers (language "Rust" "2024") (processed-by "rustc" "1.95.0"))
            (@custom ".debug_info" "abcd"))"#,
    );
    assert_eq!(facts.kind, Kind::Module);
    assert_eq!(facts.sections.iter().map(|section| section.bytes).sum::<u64>(), facts.size_bytes);
    let module = &facts.modules[0];
    assert_eq!((module.name.as_deref(), module.bytes, module.functions), (Some("main"), facts.size_bytes, 1));
    assert!(module.data_bytes > 10 && module.code_bytes > 3 && module.custom_bytes > 4);
    let memory = &facts.memories[0];
    assert_eq!((memory.initial_pages, memory.maximum_pages, memory.page_size_bytes), (2, Some(16), 65536));
    assert_eq!(facts.languages, ["Rust"]);
    assert_eq!(facts.producers.len(), 2);
    assert!(facts.has_dwarf && !facts.has_embedded_world);
}

#[test]
fn sums_the_sections_of_nested_modules() {
    let facts = facts_of_wat(
        "(component
            (core module $a (func) (memory 1))
            (core module $b (func) (func))
            (component (core module $c (func))))",
    );
    assert_eq!(facts.modules.iter().map(|module| module.functions).collect::<Vec<_>>(), [1, 2, 1]);
    assert_eq!(facts.modules[1].name.as_deref(), Some("b"));
    let code = facts.sections.iter().find(|section| section.name == "code").unwrap();
    assert_eq!(code.count, 3);
    assert_eq!(facts.sections.iter().map(|section| section.bytes).sum::<u64>(), facts.size_bytes);
}
