//! What is printed can be read again and is the same.

use crate::{Folder, Part, PartError, diff, json, parse, print};

const TEXT: &str = "package a:b@0.1.0;

interface types {
  record point { x: f64, y: f64 }
}

interface shapes {
  use types.{point};
  resource shape {
    constructor(at: point);
    area: func() -> f64;
  }
  move-all: async func(by: point, of: list<borrow<shape>>) -> result<u32, string>;
}

interface other {}

world draw {
  import shapes;
  export run: func();
}

world empty {}
";

fn printed(text: &str, part: Part<'_>) -> Result<String, PartError> {
    let parsed = parse(&Folder::of_text("a.wit", text)).unwrap();
    print(&parsed.resolve, parsed.package, part)
}

#[test]
fn what_is_printed_is_what_was_read() {
    let text = printed(TEXT, Part::Whole).unwrap();
    let (one, other) =
        (parse(&Folder::of_text("a.wit", TEXT)).unwrap(), parse(&Folder::of_text("b.wit", &text)).unwrap());
    assert!(diff(one.side(), other.side()).is_empty(), "{text}");
    assert_eq!(printed(&text, Part::Whole).unwrap(), text);
}

#[test]
fn a_world_comes_with_what_it_needs() {
    let text = printed(TEXT, Part::World("draw")).unwrap();
    assert!(
        text.contains("interface types") && text.contains("interface shapes") && text.contains("world draw"),
        "{text}"
    );
    assert!(!text.contains("other") && !text.contains("empty"), "{text}");
    assert!(parse(&Folder::of_text("w.wit", &text)).is_ok(), "{text}");
}

#[test]
fn an_interface_comes_with_what_it_uses() {
    let text = printed(TEXT, Part::Interface("a:b/shapes")).unwrap();
    assert!(text.contains("interface types") && text.contains("move-all") && !text.contains("world"), "{text}");
    assert_eq!(
        printed(TEXT, Part::Interface("a:b/types@0.1.0")).unwrap(),
        printed(TEXT, Part::Interface("types")).unwrap()
    );
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let known = vec!["a:b/draw@0.1.0".to_owned(), "a:b/empty@0.1.0".to_owned()];
    assert_eq!(printed(TEXT, Part::World("types")), Err(PartError::Unknown(known)));
}

#[test]
fn the_json_form_has_the_names() {
    let parsed = parse(&Folder::of_text("a.wit", TEXT)).unwrap();
    let value = json(&parsed.resolve).unwrap();
    assert_eq!(value["packages"][0]["name"], "a:b@0.1.0");
    assert_eq!(value["worlds"][0]["name"], "draw");
}
