//! Texts that nobody means.

use proptest::prelude::*;

use crate::{Folder, check, diff, parse, references};

/// A text with something of everything.
const TEXT: &str = "package a:b@0.1.0;
interface t { record p { x: u8, y: option<string> } variant v { a, b(p) } flags f { m, n } enum e { k } }
interface i {
  use t.{p, v as w};
  resource r { constructor(a: p); get: func() -> w; make: static async func() -> result<own<r>, string>; }
  @since(version = 0.1.0)
  g: func(a: list<borrow<r>>, b: stream<u8>) -> future<tuple<u8, map<string, p>>>;
}
world one { import i; export run: func(a: s32); type q = u32; }
world two { include one; export k: interface { f: func(); } }
package c:d { interface z { h: func(); } }
";

fn text_of(seed: &[(usize, usize, String)]) -> String {
    let mut text = TEXT.to_owned();
    for (at, length, put) in seed {
        let start = text.floor_char_boundary(at % (text.len() + 1));
        let end = text.floor_char_boundary((start + length).min(text.len())).max(start);
        text.replace_range(start..end, put);
    }
    text
}

#[test]
fn the_text_is_one_that_can_be_read() {
    assert_eq!(check::check(&Folder::of_text("a.wit", TEXT)), []);
}

#[test]
fn chains_of_types_and_packages_do_not_exhaust_the_stack() {
    let mut types = "package a:b;\ninterface i {\n type t0 = u8;\n".to_owned();
    for n in 1..5_000 {
        types.push_str(&format!("type t{n} = t{};\n", n - 1));
    }
    types.push('}');
    let mut records = "package a:b;\ninterface i {\n record r0 { a: u8 }\n".to_owned();
    for n in 1..5_000 {
        records.push_str(&format!("record r{n} {{ a: r{} }}\n", n - 1));
    }
    records.push('}');
    let mut packages = "package a:b;\n".to_owned();
    for n in 1..400 {
        packages.push_str(&format!("package a:c{n} {{ interface i {{ use a:c{}/i.{{t}}; }} }}\n", n + 1));
    }
    for text in [types, records, packages] {
        let folder = Folder::of_text("a.wit", &text);
        let _ = check::check(&folder);
        if let Ok(parsed) = parse(&folder) {
            assert!(diff(parsed.side(), parsed.side()).is_empty());
            let renamed = text.replace("r0", "s0").replace("t0", "s0");
            let renamed = parse(&Folder::of_text("a.wit", &renamed)).unwrap();
            assert!(!diff(parsed.side(), renamed.side()).is_empty());
        }
    }
}

#[test]
fn more_packages_than_anybody_has_are_refused() {
    let packages: String = (0..1_000).map(|n| format!("package a:c{n} {{ }}\n")).collect();
    let found = check::check(&Folder::of_text("a.wit", &format!("package a:b;\n{packages}")));
    assert_eq!(found[0].problem.message, "there are more than 500 packages");
}

#[test]
fn texts_that_never_end_end() {
    for part in ["/*", "{", "interface i {", "package a:b {", "\"", "list<", "a:b/c@", "@since(", "use ", "%"] {
        let text = format!("package a:b;\n{}", part.repeat(3000));
        assert!(!check::check(&Folder::of_text("a.wit", &text)).is_empty(), "{part}");
        references(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_text_can_be_checked(seed in prop::collection::vec((0..700_usize, 0..30_usize, "[a-z{}();:,<>@/.*%\" \\n-]{0,6}"), 1..6)) {
        let text = text_of(&seed);
        let folder = Folder::of_text("a.wit", &text);
        for finding in check::check(&folder) {
            prop_assert!(finding.problem.span.end <= text.len() + 1);
        }
        for reference in references(&text) {
            prop_assert!(text.get(reference.range).is_some());
        }
    }

    #[test]
    fn what_can_be_read_differs_from_itself_in_nothing(seed in prop::collection::vec((0..700_usize, 0..6_usize, "[a-z0-9]{0,3}"), 0..3)) {
        if let Ok(parsed) = parse(&Folder::of_text("a.wit", &text_of(&seed))) {
            prop_assert!(diff(parsed.side(), parsed.side()).is_empty());
            let original = parse(&Folder::of_text("a.wit", TEXT)).unwrap();
            let (there, back) = (diff(original.side(), parsed.side()), diff(parsed.side(), original.side()));
            prop_assert_eq!(there.is_empty(), back.is_empty());
        }
    }
}
