use super::*;

const CONFIG_TEXT: &str = include_str!("../../tidy.toml");

/// Checks a tree of these files under the real configuration and returns what was found.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let mut config: Table = CONFIG_TEXT.parse().expect("the configuration is TOML");
    // Crates that are let through are those of the real tree.
    config.remove("large");
    check(&Tree::of(files), &config).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn finds(files: &[(&str, &str)], wanted: &str) {
    let found = found(files);
    assert!(found.iter().any(|finding| finding.starts_with(wanted)), "not {wanted:?} but {found:#?}");
}

fn source(lines: usize) -> String {
    format!("//! A file.\n{}", "fn f() {}\n".repeat(lines - 1))
}

const STATION: &str = "//! A room.\n//!\n//! In: a.\n//! Out: b. Next: c.\n";

#[test]
fn finds_nothing_in_a_tidy_tree() {
    let manifest = "[lints]\nworkspace = true\n[dependencies]\nserde-json.workspace = true\n";
    let library = format!("{STATION}mod one;\n");
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n"),
        ("Cargo.lock", ""),
        ("crates/gateway/Cargo.toml", manifest),
        ("crates/gateway/src/lib.rs", &library),
        ("crates/gateway/src/one.rs", "//! One.\nuse serde_json::Value;\n"),
    ];
    assert_eq!(found(&files), [""; 0]);
}

#[test]
fn limits_the_length_of_files() {
    let lib = ("crates/cli/src/lib.rs", "//! All.\nmod big;\nmod tests;");
    finds(&[lib, ("crates/cli/src/big.rs", &source(701))], "crates/cli/src/big.rs:1: 701 lines");
    finds(&[lib, ("crates/cli/src/big.rs", &source(401))], "crates/cli/src/big.rs:1: advice: 401 lines");
    assert_eq!(found(&[lib, ("crates/cli/src/tests.rs", &source(600))]), [""; 0]);
    let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", source(300), source(500));
    assert_eq!(found(&[lib, ("crates/cli/src/big.rs", &tested)]), [""; 0]);
}

#[test]
fn exceptions_only_shrink() {
    let config = |lines: usize| {
        let entry = format!("[[long]]\npath = \"xtask/src/main.rs\"\nlines = {lines}\nreason = \"a table\"");
        entry.parse::<Table>().expect("the test writes TOML")
    };
    let check = |lines: usize, limit: usize| {
        let source = source(lines);
        check(&Tree::of(&[("xtask/src/main.rs", &source)]), &config(limit)).len()
    };
    assert_eq!(check(800, 800), 0);
    assert_eq!(check(801, 800), 1, "it grew");
    assert_eq!(check(799, 800), 1, "the number is larger than needed");
    assert_eq!(check(700, 800), 1, "no exception is needed");
}

#[test]
fn crates_that_are_let_through_only_shrink() {
    let config = |lines: usize| {
        let entry = format!("[[large]]\npath = \"crates/cli\"\nlines = {lines}\nreason = \"commands\"");
        entry.parse::<Table>().expect("the test writes TOML")
    };
    let check = |lines: usize, limit: usize| {
        let files: Vec<(String, String)> =
            (0..lines / 100).map(|number| (format!("crates/cli/src/f{number}.rs"), source(100))).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let findings = check(&Tree::of(&files), &config(limit));
        findings.iter().filter(|finding| finding.to_string().contains("lines")).count()
    };
    assert_eq!(check(6500, 6500), 0);
    assert_eq!(check(6600, 6500), 1, "it grew");
    assert_eq!(check(6400, 6500), 1, "the number is larger than needed");
    assert_eq!(check(5000, 6500), 2, "no exception is needed, and it may be two crates");
}

#[test]
fn wants_a_header_and_at_stops_a_station() {
    finds(&[("xtask/src/main.rs", "fn main() {}")], "xtask/src/main.rs:1: no `//!`");
    finds(&[("crates/host/src/lib.rs", "//! What a guest finds.")], "crates/host/src/lib.rs:1: no station line");
    finds(&[("crates/gateway/src/tls.rs", "//! TLS.")], "crates/gateway/src/tls.rs:1: no station line");
    assert_eq!(found(&[("crates/cli/src/main.rs", "//! The program.")]), [""; 0]);
}

#[test]
fn finds_texts_and_words() {
    let path = ["/", "home/me"].concat();
    finds(&[("docs/a.md", &format!("one\nsee {path}"))], "docs/a.md:2: `/");
    let later = ["// TO", "DO: later"].concat();
    finds(&[("examples/a.py", &later)], "examples/a.py:1: ");
    let named = |name: &str| found(&[("crates/cli/src/main.rs", &format!("//! A {name}.\n"))]).len();
    let word = ["pro", "vider"].concat();
    assert_eq!(named(&word), 1);
    assert_eq!(named(&format!("`Store{}{}`", "Pro", "vider")), 1);
    assert_eq!(named(&format!("`{word}s_of`")), 1);
    assert_eq!(named(&format!("im{word}")), 0);
    assert_eq!(named(&format!("default_{word}")), 0);
}

#[test]
fn finds_a_forgotten_file() {
    let main = ("crates/cli/tests/it/main.rs", "//! Tests.\nmod one;\n");
    finds(&[main, ("crates/cli/tests/it/two.rs", "")], "crates/cli/tests/it/two.rs:1: no parent has `mod two;`");
    assert_eq!(found(&[main, ("crates/cli/tests/it/one.rs", "")]), [""; 0]);
    let nested = [("crates/cli/src/main.rs", "//! M.\nmod a;"), ("crates/cli/src/a.rs", "//! A.\npub(crate) mod b;")];
    assert_eq!(found(&[nested[0], nested[1], ("crates/cli/src/a/b.rs", "//! B.")]), [""; 0]);
}

#[test]
fn wants_every_code_explained_and_every_page_used() {
    let code = |number: &str| format!("//! A.\nconst A: &str = \"WHARF-{number}\";\n");
    let (one, manifest) = (code("0030"), code("0100"));
    let user = ("crates/cli/src/main.rs", one.as_str());
    finds(&[user], "crates/cli/src/main.rs:2: WHARF-0030 is explained nowhere");
    assert_eq!(found(&[user, ("docs/errors/WHARF-0030.md", "It traps.")]), [""; 0]);
    finds(&[("docs/errors/WHARF-0031.md", "")], "docs/errors/WHARF-0031.md:1: nothing says WHARF-0031");
    finds(&[("crates/cli/src/main.rs", &manifest)], "crates/cli/src/main.rs:2: WHARF-0100 is explained nowhere");
    let lib = ("crates/app/src/lib.rs", "//! In: a. Out: b. Next: c.\nmod codes;");
    assert_eq!(found(&[lib, ("crates/app/src/codes.rs", &manifest)]), [""; 0]);
}

#[test]
fn wants_manifests_in_one_form() {
    let main = ("crates/cli/src/main.rs", "//! The program.\n");
    let manifest = |text: &str| found(&[main, ("crates/cli/Cargo.toml", text)]);
    let lints = "[lints]\nworkspace = true\n";
    assert!(manifest("")[0].contains("lints are off"));
    assert!(manifest(&format!("{lints}[dependencies]\nhttp = \"1\"\n"))[0].contains("its own version"));
    let unused = manifest(&format!("{lints}[dependencies]\nhttp.workspace = true\n"));
    assert!(unused[0].starts_with("crates/cli/Cargo.toml:4: `http` is named nowhere"), "{unused:?}");
    assert!(manifest(&format!("{lints}[dependencies]\nhttp.workspace = true # Not named in code: x.\n")).is_empty());
    let root = ("Cargo.toml", "[workspace]\nmembers = [\"xtask\"]\n");
    finds(&[root, ("Cargo.lock", ""), main, ("crates/cli/Cargo.toml", lints)], "crates/cli/Cargo.toml:1: no member");
    finds(&[root], "Cargo.toml:1: a workspace without Cargo.lock");
    assert_eq!(found(&[("templates/a/Cargo.toml", "[workspace]\n")]), [""; 0]);
    let lock = "[[package]]\nsource = \"registry+https://elsewhere.example/index\"\n";
    finds(&[("Cargo.lock", lock)], "Cargo.lock:2: source = ");
}
