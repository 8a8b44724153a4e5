//! What is wrong with texts, and how it is told.

use wharf_app::Palette;

use crate::{Dependency, Folder, SourceFile, check, has_errors, render};

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.to_owned(), text: text.to_owned() }
}

fn found(folder: &Folder) -> String {
    render(&check::check(folder), folder, &Palette::PLAIN)
}

#[track_caller]
fn check(folder: &Folder, expected: &str) {
    let found = found(folder);
    assert_eq!(found, expected, "found:\n{found}");
}

fn with_dep(main: &str, dep: &str) -> Folder {
    Folder { deps: vec![Dependency::Text(vec![file("deps/dep.wit", dep)])], ..Folder::of_text("world.wit", main) }
}

#[test]
fn nothing_is_said_of_a_package_without_mistakes() {
    check(&Folder::of_text("a.wit", "package a:b@0.1.0;\ninterface i { f: func() -> string; }\n"), "");
    let used = "package a:b;\nworld w { import c:d/i@1.0.0; }\n";
    check(&with_dep(used, "package c:d@1.0.0;\ninterface i {}\n"), "");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "package a:b;\n\ninterface one {\n  f: func(a: strng);\n}\n\ninterface two {\n  record {}\n}\n\ninterface three {\n  record type { a: u32 }\n}\n";
    let expected = "\
error[WHARF-0200]: expected an identifier or string, found '{'
 --> world.wit:8:10
  |
8 |   record {}
  |          ^

error[WHARF-0200]: expected an identifier or string, found keyword `type`
  --> world.wit:12:10
   |
12 |   record type { a: u32 }
   |          ^^^^
   = help: `type` is a word of WIT; a name may be one when it is written `%type`

error[WHARF-0201]: name `strng` does not exist
 --> world.wit:4:14
  |
4 |   f: func(a: strng);
  |              ^^^^^
";
    check(&Folder::of_text("world.wit", text), expected);
}

#[test]
fn a_misspelt_name_has_its_neighbour_named() {
    let text = "package a:b;\ninterface i {\n  record point { x: f64 }\n  f: func(a: piont);\n}\n";
    let expected = "\
error[WHARF-0201]: name `piont` does not exist
 --> world.wit:4:14
  |
4 |   f: func(a: piont);
  |              ^^^^^ did you mean `point`?
";
    check(&Folder::of_text("world.wit", text), expected);
}

#[test]
fn what_a_mistake_took_away_is_no_second_mistake() {
    let text = "package a:b;\ninterface i {\n  record point { x: }\n}\ninterface j {\n  use i.{point};\n}\n";
    let found = found(&Folder::of_text("world.wit", text));
    assert_eq!(found.matches("error[").count(), 1, "{found}");
}

#[test]
fn a_version_that_is_not_there_has_the_one_that_is_named() {
    let main = "package a:b;\nworld w {\n  import c:d/i@1.0.0;\n  export c:d/i@1.0.0;\n  import c:e/k@1.0.0;\n}\n";
    let expected = "\
error[WHARF-0202]: the package `c:d@1.0.0` is not there
 --> world.wit:3:10
  |
3 |   import c:d/i@1.0.0;
  |          ^^^^^^^^^^^ and in 1 more places
  = help: `c:d@1.2.0` is there, and versions are taken as written: write it so, or fetch this one with `wharf wit fetch`

error[WHARF-0202]: the package `c:e@1.0.0` is not there
 --> world.wit:5:10
  |
5 |   import c:e/k@1.0.0;
  |          ^^^^^^^^^^^
  = help: did you mean `c:d@1.2.0`?
";
    check(&with_dep(main, "package c:d@1.2.0;\ninterface i {}\n"), expected);
}

#[test]
fn the_rest_is_checked_without_the_packages_that_are_missing() {
    let main = "package a:b;\ninterface i {\n  use x:y/z@1.0.0.{r, s};\n  f: func(a: borrow<r>, b: list<s>) -> t;\n}\n\
                world w { include x:y/all@1.0.0; import nowhere; }\n";
    let found = found(&Folder::of_text("world.wit", main));
    let codes: Vec<&str> = found.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(
        codes,
        [
            "error[WHARF-0202]: the package `x:y@1.0.0` is not there",
            "error[WHARF-0201]: name `t` does not exist",
            "error[WHARF-0201]: interface or world `nowhere` does not exist",
        ],
        "{found}"
    );
}

#[test]
fn mistakes_in_dependencies_are_told_with_their_file() {
    let found =
        found(&with_dep("package a:b;\nworld w { import c:d/i; }\n", "package c:d;\ninterface i { f: func( }\n"));
    assert!(found.contains("--> deps/dep.wit:2:24"), "{found}");
}

#[test]
fn a_dependency_that_nothing_uses_is_a_warning() {
    let folder = with_dep("package a:b;\ninterface i {}\n", "/// Words.\npackage c:d@1.0.0;\ninterface i {}\n");
    let expected = "\
warning[WHARF-0204]: nothing uses `c:d@1.0.0`
 --> deps/dep.wit:2:9
  |
2 | package c:d@1.0.0;
  |         ^^^^^^^^^
  = help: remove it from `deps`
";
    check(&folder, expected);
    assert!(!has_errors(&check::check(&folder)));
}

#[test]
fn a_dependency_of_a_dependency_is_used() {
    let mut folder =
        with_dep("package a:b;\nworld w { import c:d/i; }\n", "package c:d;\ninterface i { use e:f/j.{t}; }\n");
    folder.deps.push(Dependency::Text(vec![file("deps/f.wit", "package e:f;\ninterface j { type t = u32; }\n")]));
    check(&folder, "");
}

#[test]
fn names_in_other_styles_are_written_as_wit_has_them() {
    let found =
        found(&Folder::of_text("a.wit", "package a:b;\ninterface i { my_name: func(); }\ninterface MyIface { }\n"));
    assert!(found.contains("`my-name`"), "{found}");
}

#[test]
fn a_package_without_a_name_is_told_how_to_begin() {
    let found = found(&Folder::of_text("a.wit", "interface i {}\n"));
    assert!(found.contains("package my-name:my-package@0.1.0;"), "{found}");
}

#[test]
fn two_packages_of_one_name_and_cycles_are_told() {
    let mut folder = with_dep("package a:b;\nworld w { import c:d/i; }\n", "package c:d;\ninterface i {}\n");
    folder.deps.push(Dependency::Text(vec![file("deps/again.wit", "package c:d;\ninterface i {}\n")]));
    let text = found(&folder);
    assert!(text.contains("WHARF-0203") && text.contains("keep one of"), "{text}");
    let folder = with_dep(
        "package a:b;\ninterface i { use c:d/j.{t}; type u = u32; }\n",
        "package c:d;\ninterface j { use a:b/i.{u}; type t = u32; }\n",
    );
    let text = found(&folder);
    assert!(text.contains("WHARF-0203") && text.contains("cycle"), "{text}");
}

#[test]
fn a_file_in_the_place_of_a_package_is_named() {
    let binary = Dependency::Binary { name: "deps/x.wasm".to_owned(), bytes: b"\0asm\x01\0\0\0".to_vec() };
    let folder = Folder { deps: vec![binary], ..Folder::of_text("a.wit", "package a:b;\n") };
    let found = found(&folder);
    assert!(found.contains("WHARF-0205") && found.contains("deps/x.wasm"), "{found}");
}
