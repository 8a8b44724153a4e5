//! What comes out is a component; and how large its elements are.

use super::*;

fn simple(simple: Simple) -> Shape {
    Shape::Simple(simple)
}

fn text(name: &str) -> String {
    name.to_owned()
}

fn shapes() -> Vec<(Shape, u32, bool)> {
    let string = || simple(Simple::String);
    let reading = Shape::Record(vec![
        (text("name"), string()),
        (text("ok"), simple(Simple::Bool)),
        (text("at"), simple(Simple::U64)),
        (text("tags"), Shape::List(Box::new(string()))),
    ]);
    let level = Shape::Enum(vec![text("low"), text("high")]);
    let event = Shape::Variant(vec![
        (text("none"), None),
        (text("reading"), Some(reading.clone())),
        (text("level"), Some(level.clone())),
    ]);
    vec![
        (reading.clone(), 32, false),
        (level.clone(), 1, true),
        (event.clone(), 40, false),
        (Shape::Flags((0..9).map(|number| format!("f{number}")).collect()), 2, true),
        (Shape::Tuple(vec![simple(Simple::U8), simple(Simple::F32), level.clone()]), 12, true),
        (Shape::Stream(Some(Box::new(reading.clone()))), 4, false),
        (Shape::Future(None), 4, false),
        (
            Shape::Record(vec![
                (text("level"), level.clone()),
                (text("rest"), Shape::Stream(Some(Box::new(Shape::Future(Some(Box::new(simple(Simple::U8)))))))),
            ]),
            8,
            false,
        ),
        (Shape::Option(Box::new(simple(Simple::U64))), 16, true),
        (Shape::Result(Some(Box::new(event)), Some(Box::new(level.clone()))), 48, false),
        (Shape::Result(None, Some(Box::new(level))), 2, true),
        (Shape::List(Box::new(Shape::List(Box::new(reading.clone())))), 8, false),
        (Shape::Map(Box::new(string()), Box::new(reading)), 8, false),
        (Shape::Variant((0..300).map(|number| (format!("c{number}"), None)).collect()), 2, true),
    ]
}

#[test]
fn a_pump_of_any_type_is_a_component() {
    for (shape, _, _) in shapes() {
        for flow in [Flow::Stream, Flow::Future] {
            let pump = Pump::new(flow, shape.clone());
            let component = pump.component().unwrap_or_else(|error| panic!("{error:?}\n{}", pump.text()));
            let mut features = wasmparser::WasmFeatures::default();
            features.insert(wasmparser::WasmFeatures::CM_ASYNC | wasmparser::WasmFeatures::CM_MAP);
            let checked = wasmparser::Validator::new_with_features(features).validate_all(&component);
            checked.unwrap_or_else(|error| panic!("{error}\n{}", pump.text()));
        }
    }
}

#[test]
fn elements_are_as_large_as_the_canonical_abi_says() {
    for (shape, size, is_flat) in shapes() {
        let pump = Pump::new(Flow::Stream, shape.clone());
        assert_eq!((pump.element_bytes(), pump.is_of_bytes()), (size, is_flat), "{shape:?}");
        assert!(!Pump::new(Flow::Future, shape).is_of_bytes());
    }
}

#[test]
fn a_name_that_is_none_is_an_error() {
    let shape =
        Shape::Record(vec![(text("a\") (field \"b"), simple(Simple::U8)), (text("\u{0}\\"), simple(Simple::U8))]);
    Pump::new(Flow::Stream, shape).component().unwrap_err();
}
