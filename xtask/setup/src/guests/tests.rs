use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::list::{self, Guest, Recipe};
use super::{Paths, digest, parse, select};

fn guests() -> Vec<Guest> {
    list::find(&Paths::find().expect("the repository is there")).expect("every manifest can be read")
}

#[test]
fn gives_every_guest_its_own_name() {
    let guests = guests();
    let names: BTreeSet<&str> = guests.iter().map(|guest| guest.name.as_str()).collect();
    assert_eq!(names.len(), guests.len());
}

#[test]
fn documents_every_test_guest() {
    let paths = Paths::find().expect("the repository is there");
    let readme = fs::read_to_string(paths.root.join("guests/README.md")).expect("the guests have a README");
    for guest in guests() {
        let is_example = matches!(guest.recipe, Recipe::Command { .. });
        assert!(is_example || readme.contains(&format!("`{}`", guest.name)), "README.md has no `{}`", guest.name);
    }
}

#[test]
fn selects_a_whole_example_by_its_name() {
    let select = |name: &str| select(guests(), &[name.to_owned()]).map(|guests| guests.len());
    assert_eq!(select("two-languages").ok(), Some(2));
    assert_eq!(select("two-languages-front").ok(), Some(1));
    assert!(select("no-such-guest").is_err());
}

#[test]
fn refuses_options_that_it_does_not_know() {
    let parse = |args: &[&str]| parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>());
    assert!(parse(&["--only", "hello", "--force"]).is_some());
    assert!(parse(&["--only"]).is_none());
    assert!(parse(&["--fast"]).is_none());
}

#[test]
fn digests_what_a_guest_is_made_of_and_nothing_else() {
    let root = std::env::temp_dir().join(format!("wharf-xtask-digest-{}", std::process::id()));
    fs::create_dir_all(root.join("target")).expect("the temporary folder is writable");
    let write = |file: &str, text: &str| fs::write(root.join(file), text).expect("the file is writable");
    let guest = Guest {
        name: "case".to_owned(),
        group: "case".to_owned(),
        recipe: Recipe::Wat { file: PathBuf::new() },
        inputs: vec![root.clone()],
    };
    let paths = Paths { root: root.clone(), guests: root.clone(), tools: root.clone() };
    let digest = || digest::of(&guest, &paths).expect("the inputs can be read");

    write("source.c", "one");
    let first = digest();
    write("out.wasm", "output");
    write("target/cache", "output");
    assert_eq!(digest(), first);
    write("source.c", "two");
    assert_ne!(digest(), first);
    fs::remove_dir_all(&root).expect("the folder was made above");
}
