//! What fits, and what is refused with which words.

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
        let resource = match instance.get_export(engine.raw(), "q").map(|item| item.ty) {
            Some(ComponentItem::Resource(resource)) => Some(resource),
            _ => None,
        };
        (function, resource)
    };
    let ((wanted, own), (found, other)) = (function(wanted), function(found));
    let mut resources = Resources::default();
    if let (Some(own), Some(other)) = (own, other) {
        resources.add(own, other, || 7);
    }
    Signature::new(&wanted, &found, &resources, &workshop, &engine)
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
        assert!(fits.handles().is_some());
    }
}

#[test]
fn a_type_of_the_app_fits_itself_and_no_other() {
    let stream = format!("{RECORD} (type $t (stream $r))");
    assert!(compare(&stream, &stream).unwrap().handles().is_some());
    let future = format!("{RECORD} (type $e (result $r (error string))) (type $t (future $e))");
    assert!(compare(&future, &future).unwrap().handles().is_some());
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
    let record = "(export \"q\" (type $q (sub resource))) (type $o (own $q))
                  (type $r' (record (field \"name\" string) (field \"body\" $o)))
                  (export \"r\" (type $r (eq $r'))) (type $t (future $r))";
    check_refused(
        record,
        record,
        "has a parameter `x` that is a future<record { name, body }>; elements of that type cannot leave their store, use \
         `link = \"fused\"`",
    );
    let inner = format!("{} (type $t (stream $s))", record.replace("(type $t (future $r))", "(type $s (stream $r))"));
    check_refused(
        &inner,
        &inner,
        "has a parameter `x` that is a stream whose element is a stream<record { name, body }>; elements of that type cannot \
         leave their store, use `link = \"fused\"`",
    );
}

#[test]
fn resources_are_refused_deeper_in_streams() {
    let inner =
        "(export \"q\" (type $q (sub resource))) (type $o (own $q)) (type $i (stream $o)) (type $t (stream $i))";
    check_refused(
        inner,
        inner,
        "has a parameter `x` that is a stream<stream<resource>>; elements of that type cannot leave their store, use \
         `link = \"fused\"`",
    );
}

#[test]
fn streams_and_futures_in_streams_fit_and_so_do_resources_that_are_not_in_records() {
    let record = "(type $s (stream u8)) (type $r' (record (field \"name\" string) (field \"body\" $s)))
                  (export \"r\" (type $r (eq $r')))";
    let resource = "(export \"q\" (type $q (sub resource))) (type $o (own $q))";
    let elements = [
        "(type $i (stream u8)) (type $t (stream $i))".to_owned(),
        format!("{record} (type $t (future $r))"),
        format!("{record} (type $i (future $r)) (type $l (list $i)) (type $t (stream $l))"),
        format!("{resource} (type $t (stream $o))"),
        format!("{resource} (type $t (future $o))"),
        format!("{resource} (type $l (list $o)) (type $t (stream $l))"),
        format!("{resource} (type $l (option $o)) (type $t (stream $l))"),
        format!("{resource} (type $l (tuple string $o)) (type $t (stream $l))"),
        format!("{resource} (type $l (result $o)) (type $t (future $l))"),
        format!("{resource} (type $l (result $o (error string))) (type $t (future $l))"),
    ];
    for ty in elements {
        let fits = compare(&ty, &ty).unwrap_or_else(|why| panic!("{ty} {why}"));
        assert!(fits.handles().is_some(), "{ty}");
    }
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
