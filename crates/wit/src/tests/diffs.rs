//! What changed, whom it breaks, and which version it asks for.

use crate::diff::{Audience, Level};
use crate::{Diff, Folder, diff, parse};

fn compare(old: &str, new: &str) -> Diff {
    let read = |text: &str| parse(&Folder::of_text("a.wit", text)).unwrap_or_else(|found| panic!("{found:?}\n{text}"));
    let (old, new) = (read(old), read(new));
    diff(old.side(), new.side())
}

fn package(version: &str, body: &str) -> String {
    format!("package a:b@{version};\n{body}\n")
}

/// The changes of an interface: mark and item, then whom each breaks and its level.
#[track_caller]
fn check(old: &str, new: &str, expected: &[(&str, &[Audience], Level)]) {
    let wrap = |body: &str| package("0.1.0", &format!("interface i {{ {body} }}"));
    checked(&compare(&wrap(old), &wrap(new)), expected);
}

#[track_caller]
fn checked(diff: &Diff, expected: &[(&str, &[Audience], Level)]) {
    let changes = diff.groups.iter().flat_map(|group| &group.changes);
    let found: Vec<(&str, &[Audience], Level)> =
        changes.map(|change| (change.item.as_str(), change.breaks.as_slice(), change.level)).collect();
    assert_eq!(found, expected, "{}", diff.text());
}

const BOTH: &[Audience] = &[Audience::Callers, Audience::Implementers];
const CALLERS: &[Audience] = &[Audience::Callers];
const IMPLEMENTERS: &[Audience] = &[Audience::Implementers];

#[test]
fn functions_that_come_go_and_change() {
    check("f: func();", "f: func(); g: func();", &[("g", IMPLEMENTERS, Level::Minor)]);
    check("f: func(); g: func();", "f: func();", &[("g", CALLERS, Level::Major)]);
    check("f: func(a: u32);", "f: func(a: u64);", &[("f", BOTH, Level::Major)]);
    check("f: func(a: u32);", "f: func(b: u32);", &[("f", BOTH, Level::Major)]);
    check("f: func() -> u32;", "f: func();", &[("f", BOTH, Level::Major)]);
    check("f: func();", "f: async func();", &[("f", BOTH, Level::Major)]);
    check("f: func();", "f: func();", &[]);
}

#[test]
fn types_of_values_have_no_subtypes() {
    for (old, new) in [
        ("record t { a: u32 }", "record t { a: u32, b: u32 }"),
        ("record t { a: u32, b: u32 }", "record t { b: u32, a: u32 }"),
        ("variant t { a, b(u32) }", "variant t { a, b(u32), c }"),
        ("variant t { a(u8) }", "variant t { a }"),
        ("enum t { a, b }", "enum t { a }"),
        ("flags t { a }", "flags t { a, b }"),
        ("type t = u32;", "type t = list<u32>;"),
        ("type t = list<u8>;", "type t = list<u16>;"),
        ("type t = tuple<u8, u8>;", "record t { a: u8, b: u8 }"),
        ("type t = future<u8>;", "type t = future;"),
        ("type t = result<u8>;", "type t = result<_, u8>;"),
    ] {
        let diff = compare(
            &package("0.1.0", &format!("interface i {{ {old} }}")),
            &package("0.1.0", &format!("interface i {{ {new} }}")),
        );
        assert_eq!(diff.verdict.level, Some(Level::Major), "{old} {new}");
        assert_eq!(diff.groups[0].changes.len(), 1, "{}", diff.text());
        assert_eq!(diff.groups[0].changes[0].breaks, BOTH, "{old} {new}");
    }
}

#[test]
fn another_name_for_the_same_structure_is_the_same() {
    check("f: func(a: u32);", "type t = u32; f: func(a: t);", &[("type t", &[], Level::Minor)]);
    check(
        "record a { x: u8 } f: func(a: a);",
        "record a { x: u8 } type b = a; f: func(a: b);",
        &[("type b", &[], Level::Minor)],
    );
    check(
        "record a { x: u8 } f: func(a: a);",
        "record b { x: u8 } f: func(a: b);",
        &[("record a", CALLERS, Level::Major), ("record b", &[], Level::Minor)],
    );
}

#[test]
fn only_a_resource_has_to_be_implemented() {
    check("", "record r { a: u8 }", &[("record r", &[], Level::Minor)]);
    check("", "resource r;", &[("resource r", IMPLEMENTERS, Level::Minor)]);
    check(
        "resource r { get: func(); }",
        "resource r { get: func(); put: func(); constructor(); }",
        &[("r.put", IMPLEMENTERS, Level::Minor), ("constructor of r", IMPLEMENTERS, Level::Minor)],
    );
    check("f: func(a: borrow<r>); resource r;", "f: func(a: r); resource r;", &[("f", BOTH, Level::Major)]);
}

#[test]
fn a_changed_type_reaches_the_functions_that_use_it() {
    let body = |field: &str| {
        package(
            "0.1.0",
            &format!(
                "interface t {{ record p {{ {field} }} record q {{ p: p }} }}\ninterface i {{ use t.{{q}}; f: func(a: list<q>); g: func(); }}"
            ),
        )
    };
    let diff = compare(&body("x: u8"), &body("x: u8, y: u8"));
    checked(&diff, &[("record p", BOTH, Level::Major)]);
    assert_eq!(diff.groups[0].changes[0].reaches, ["i.f"]);
    assert!(diff.text().contains("field `y: u8` added") && diff.text().contains("reaches i.f"), "{}", diff.text());
}

#[test]
fn worlds_are_told_for_components_and_for_hosts() {
    let world = |body: &str| package("0.1.0", &format!("interface i {{}} interface j {{}} world w {{ {body} }}"));
    let (hosts, components): (&[Audience], &[Audience]) = (&[Audience::Hosts], &[Audience::Components]);
    for (old, new, expected) in [
        ("", "import i;", ("import a:b/i@0.1.0", hosts, Level::Minor)),
        ("import i;", "", ("import a:b/i@0.1.0", components, Level::Major)),
        ("", "export i;", ("export a:b/i@0.1.0", components, Level::Major)),
        ("export f: func();", "", ("export f", hosts, Level::Major)),
        (
            "import k: interface { f: func(); }",
            "import k: interface { f: func(); g: func(); }",
            ("import k: g", hosts, Level::Minor),
        ),
    ] {
        checked(&compare(&world(old), &world(new)), &[expected]);
    }
}

#[test]
fn what_is_gated_as_unstable_is_promised_to_nobody() {
    let gated = |gate: &str, ty: &str| format!("{gate} f: func(a: {ty});");
    let wrap = |body: &str| package("0.1.0", &format!("interface i {{ g: func(); {body} }}"));
    let unstable = "@unstable(feature = x)";
    let diff = compare(&wrap(&gated(unstable, "u8")), &wrap(&gated(unstable, "u16")));
    checked(&diff, &[("f", &[], Level::Patch)]);
    let diff = compare(&wrap(&gated(unstable, "u8")), &wrap(&gated("@since(version = 0.1.0)", "u8")));
    checked(&diff, &[("f", &[], Level::Minor)]);
    let diff = compare(&wrap(&gated("", "u8")), &wrap(&gated(unstable, "u8")));
    checked(&diff, &[("f", BOTH, Level::Major)]);
}

#[test]
fn a_new_item_that_claims_to_be_old_is_told() {
    let diff = compare(
        &package("0.2.0", "interface i {}"),
        &package("0.2.1", "interface i { @since(version = 0.2.0) f: func(); }"),
    );
    assert!(diff.text().contains("0.2.0 did not have it"), "{}", diff.text());
    assert_eq!(diff.verdict.is_enough, Some(true));
}

#[test]
fn the_verdict_is_about_the_versions_that_were_given() {
    let old = package("1.2.0", "interface i { f: func(); }");
    let new = |version| package(version, "interface i { f: func(a: u8); }");
    let diff = compare(&old, &new("1.3.0"));
    assert_eq!((diff.verdict.required.as_deref(), diff.verdict.is_enough), (Some("2.0.0"), Some(false)));
    assert!(diff.text().ends_with("at least 2.0.0 is asked for, and not given\n"), "{}", diff.text());
    assert_eq!(compare(&old, &new("2.0.0")).verdict.is_enough, Some(true));
}

#[test]
fn the_text_is_for_people() {
    let old = package("0.1.0", "interface ops { add: func(a: s32, b: s32) -> s32; mul: func(a: s32) -> s32; }");
    let new = package("0.2.0", "interface ops { add: func(a: s64, b: s64) -> s64; div: func(a: s32) -> s32; }");
    let expected = "\
a:b@0.1.0 -> a:b@0.2.0

  interface ops
    ~ add   breaks callers and implementers
        its parameters changed
        its result changed
        was add: func(a: s32, b: s32) -> s32
        is  add: func(a: s64, b: s64) -> s64
    - mul: func(a: s32) -> s32   breaks callers
    + div: func(a: s32) -> s32   breaks implementers

3 changes, breaks callers, implementers: a major version: something that worked does not any more; at least 0.2.0 is asked for, and given
";
    let found = compare(&old, &new).text();
    assert_eq!(found, expected, "found:\n{found}");
}

#[test]
fn packages_that_are_used_move_within_their_track() {
    let text = |dep: &str| {
        format!(
            "package a:b@0.1.0;\nworld w {{ import c:d/i@{dep}; }}\npackage c:d@{dep} {{ interface i {{ f: func(); }} }}\n"
        )
    };
    checked(&compare(&text("0.2.0"), &text("0.2.1")), &[("import c:d/i@0.2.1", &[Audience::Hosts], Level::Minor)]);
    let diff = compare(&text("0.2.0"), &text("0.3.0"));
    let items: Vec<&str> = diff.groups[0].changes.iter().map(|change| change.item.as_str()).collect();
    assert_eq!(items, ["import c:d/i@0.2.0", "import c:d/i@0.3.0"]);
}
