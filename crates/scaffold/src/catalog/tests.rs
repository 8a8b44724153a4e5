use super::*;
use crate::{Origin, Values};

fn chosen(language: &str, kind: &str, wasi: &str) -> Result<&'static str, Error> {
    let given = |word: &str| (!word.is_empty()).then(|| word.to_owned());
    Wanted { language: given(language), kind: given(kind), wasi: given(wasi) }.choose()
}

#[test]
fn every_template_is_described_and_renders_to_a_manifest_that_parses() {
    let folders: std::collections::BTreeSet<&str> =
        TEMPLATES.iter().filter_map(|(path, _)| Some(path.split_once('/')?.0)).collect();
    assert_eq!(folders.len(), EMBEDDED.len(), "a description cannot be read: {folders:?}");
    for (name, _) in catalog() {
        let template = Origin::BuiltIn(name.to_owned()).load().unwrap();
        let values = Values::new("my-2nd-app").unwrap().with(&template.description, &[]).unwrap();
        let files = template.render(&values).unwrap_or_else(|error| panic!("{name}: {error}"));
        let has = |path: &str| files.iter().any(|file| file.path == path);
        for path in ["README.md", ".gitignore"] {
            assert!(has(path), "{name} has no {path}");
        }
        assert!(files.iter().any(|file| file.path.starts_with("tests/") && file.path.ends_with(".toml")), "{name}");
        let manifest = files.iter().find(|file| file.path == "wharf.toml").unwrap();
        let (app, problems) = wharf_app::parse(std::str::from_utf8(&manifest.bytes).unwrap());
        assert!(problems.is_empty(), "{name}: {problems:#?}");
        assert_eq!(app.unwrap().name, "my-2nd-app", "{name}");
        assert!(!template.next(&values).unwrap().is_empty(), "{name}");
    }
}

#[test]
fn wishes_choose_a_template() {
    assert_eq!(chosen("rust", "", "").unwrap(), "rust-http");
    assert_eq!(chosen("", "", "").unwrap(), "rust-http");
    assert_eq!(chosen("rust", "http", "0.3").unwrap(), "rust-http-p3");
    assert_eq!(chosen("javascript", "", "").unwrap(), "js-http");
    assert_eq!(chosen("py", "http", "0.2").unwrap(), "python-http");
}

#[test]
fn what_fits_nothing_names_what_is_near() {
    let error = chosen("rust", "http", "0.4").unwrap_err();
    let Error::NoneFits { wanted, near } = error else { panic!("{error}") };
    assert_eq!(wanted, "rust, http, WASI 0.4");
    assert_eq!(near, ["rust-http", "rust-http-p3"]);
    assert!(chosen("cobol", "", "").is_err());
}

#[test]
fn a_mistyped_name_leads_to_the_right_one() {
    let nearest = |name: &str| match Origin::BuiltIn(name.to_owned()).load() {
        Err(Error::Unknown { nearest, .. }) => nearest,
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(nearest("rust-htp"), Some("rust-http".to_owned()));
    assert_eq!(nearest("kubernetes"), None);
}
