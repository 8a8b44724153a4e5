//! What is seen of a component without reading it whole.

use crate::{Capability, outline};

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

#[test]
fn a_component_of_wasi_0_2_is_not_concurrent() {
    let bytes = binary(
        r#"(component
            (core module (func (export "f")))
            (import "wasi:keyvalue/store@0.2.0-draft" (instance))
            (component (import "wasi:http/client@0.3.0" (instance)))
            (import "wasi:http/types@0.2.12" (instance $types (export "fields" (type (sub resource))))))"#,
    );
    let outline = outline(&bytes);
    assert!(!outline.is_concurrent());
    let capabilities = outline.capabilities();
    assert!(capabilities.contains(&Capability::KeyValue) && !capabilities.contains(&Capability::CallHttp));
}

#[test]
fn a_component_with_asynchronous_calls_is_concurrent() {
    for text in [
        r#"(component (import "wasi:clocks/monotonic-clock@0.3.0" (instance)))"#,
        r#"(component (core func (canon task.cancel)))"#,
        r#"(component
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func (export "f") async (canon lift (core func $i "f") async)))"#,
    ] {
        assert!(outline(&binary(text)).is_concurrent(), "{text}");
    }
}

#[test]
fn bytes_that_are_no_component_have_no_outline() {
    let whole = binary(r#"(component (import "wasi:keyvalue/store@0.2.0-draft" (instance)))"#);
    for end in 0..whole.len() {
        let _ = outline(&whole[..end]);
    }
    for bytes in [&b""[..], b"\0asm", b"hello", &binary("(module)")] {
        assert_eq!(outline(bytes), crate::Outline::default());
    }
}
