//! What fits, and what is refused with which words.

use super::super::pump::Workshop;
use super::*;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;
use wharf_engine::{Engine, Lane, Settings};

/// Compares functions with one parameter `x` of each type.
fn compare(wanted: &str, found: &str) -> Result<Signature, String> {
    let settings = Settings { instances: 1, ..Settings::default() };
    let engine = Engine::new(&settings, Lane::Concurrent, 64 << 10).unwrap();
    let workshop = Workshop::new(&engine, &settings, None);
    let function = |ty: &str| {
        let text = format!("(component (import \"i\" (instance {ty} (export \"f\" (func (param \"x\" $t))))))");
        let component = Component::new(engine.raw(), wat::parse_str(&text).unwrap()).unwrap();
        let item = component.component_type().get_import(engine.raw(), "i").unwrap().ty;
        let ComponentItem::ComponentInstance(instance) = item else { panic!("no instance") };
        let ComponentItem::ComponentFunc(function) = instance.get_export(engine.raw(), "f").unwrap().ty else {
            panic!("no function")
        };
        function
    };
    Signature::new(&function(wanted), &function(found), &Resources::default(), &|flow, element| {
        workshop.pump(&engine, flow, element)
    })
}

#[track_caller]
fn check_refused(wanted: &str, found: &str, expected: &str) {
    match compare(wanted, found) {
        Ok(_) => panic!("{wanted} fits {found}"),
        Err(why) => assert_eq!(why, expected),
    }
}

const RECORD: &str =
    "(type $r' (record (field \"name\" string) (field \"size\" u64))) (export \"r\" (type $r (eq $r')))";

#[test]
fn streams_and_futures_of_the_same_fit() {
    for ty in ["(stream u8)", "(stream)", "(future)", "(stream (list u8))", "(future (result u64 (error string)))"] {
        let ty = format!("(type $t {ty})");
        let fits = compare(&ty, &ty).unwrap_or_else(|why| panic!("{ty} {why}"));
        assert!(fits.has_handles);
    }
}

#[test]
fn a_type_of_the_app_fits_itself_and_no_other() {
    let stream = format!("{RECORD} (type $t (stream $r))");
    assert!(compare(&stream, &stream).unwrap().has_handles);
    let future = format!("{RECORD} (type $e (result $r (error string))) (type $t (future $e))");
    assert!(compare(&future, &future).unwrap().has_handles);
    let other = "(type $r' (record (field \"name\" string) (field \"length\" u64))) (export \"r\" (type $r (eq $r')))
                 (type $t (stream $r))";
    check_refused(
        &stream,
        other,
        "has a parameter `x` that is a stream whose element is record { name, size } here and record { name, length } in the \
         dependency",
    );
}

#[test]
fn what_cannot_be_carried_is_refused_with_its_type() {
    let nested = "(type $s (stream u8)) (type $t (stream $s))";
    check_refused(
        nested,
        nested,
        "has a parameter `x` that is a stream<stream<u8>>; elements of that type cannot leave their store, use `link = \"fused\"`",
    );
    let record = "(type $s (stream u8)) (type $r' (record (field \"name\" string) (field \"body\" $s)))
                  (export \"r\" (type $r (eq $r'))) (type $t (future $r))";
    check_refused(
        record,
        record,
        "has a parameter `x` that is a future<record { name, body }>; elements of that type cannot leave their store, use \
         `link = \"fused\"`",
    );
}

#[test]
fn streams_of_something_else_are_refused() {
    let (bytes, words, ticks, value) =
        ("(type $t (stream u8))", "(type $t (stream string))", "(type $t (stream))", "(type $t (future u8))");
    check_refused(
        bytes,
        words,
        "has a parameter `x` that is a stream whose element is u8 here and string in the dependency",
    );
    check_refused(bytes, ticks, "has a parameter `x` that is a stream of something on one side only");
    check_refused(bytes, value, "has a parameter `x` that is stream<u8> here and future<u8> in the dependency");
}
