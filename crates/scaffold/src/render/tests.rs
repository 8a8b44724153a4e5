use super::*;
use crate::files::File;
use proptest::prelude::*;

fn template(description: &str, files: &[(&str, &str)]) -> Template {
    let head = "description = \"d\"\nlanguage = \"x\"\nkind = \"http\"\nwasi = \"0.2\"\n";
    let description = Description::read("t", &format!("{head}{description}")).unwrap();
    let file = |(path, text): &(&str, &str)| File {
        path: (*path).to_owned(),
        bytes: text.as_bytes().to_vec(),
        executable: false,
    };
    Template { name: "t".to_owned(), description, files: files.iter().map(file).collect() }
}

fn rendered(template: &Template, given: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let values =
        Values::new("my-2nd-app").unwrap().with(&template.description, &given).map_err(|error| error.to_string())?;
    let files = template.render(&values).map_err(|error| error.to_string())?;
    Ok(files.into_iter().map(|file| (file.path, String::from_utf8_lossy(&file.bytes).into_owned())).collect())
}

#[test]
fn variables_stand_in_texts_and_names() {
    let template = template(
        "verbatim = [\"*.html\"]\n[variables.port]\ndescription = \"p\"\ndefault = \"80\"",
        &[("src/{{ name-snake }}.rs", "{{ name }} {{ name-wit }} {{ port }} {{{{"), ("a.html", "{{ name }} {{")],
    );
    let files = rendered(&template, &[]).unwrap();
    let expected = [("a.html", "{{ name }} {{"), ("src/my_2nd_app.rs", "my-2nd-app my2nd-app 80 {{")];
    assert_eq!(files, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    assert_eq!(rendered(&template, &[("port", "81")]).unwrap()[1].1, "my-2nd-app my2nd-app 81 {{");
}

#[test]
fn what_cannot_be_filled_in_is_told_with_its_line() {
    let unknown = rendered(&template("", &[("a", "x\n{{ colour }}")]), &[]).unwrap_err();
    assert!(unknown.starts_with("the template's file a, line 2: there is no variable `colour`"), "{unknown}");
    let open = rendered(&template("", &[("a", "x\n\n{{")]), &[]).unwrap_err();
    assert!(open.starts_with("the template's file a, line 3: `{{` begins a variable"), "{open}");
    let needed = rendered(&template("[variables.port]\ndescription = \"the port\"", &[]), &[]).unwrap_err();
    assert_eq!(needed, "the template needs a value for `port`: the port");
    let none = rendered(&template("", &[]), &[("port", "1")]).unwrap_err();
    assert_eq!(none, "the template has no variable `port`");
}

#[test]
fn a_value_cannot_lead_out_of_the_folder() {
    let template = template("[variables.place]\ndescription = \"p\"", &[("{{ place }}", "x")]);
    for place in ["../x", "/etc/x", "a/../../x", ""] {
        assert!(rendered(&template, &[("place", place)]).is_err(), "{place}");
    }
    assert_eq!(rendered(&template, &[("place", "a/b")]).unwrap()[0].0, "a/b");
}

#[test]
fn names_that_a_manifest_refuses_are_refused_with_one_that_would_do() {
    let error = Values::new("My App!").unwrap_err();
    assert!(matches!(&error, Error::Name { better, .. } if better == "my-app"), "{error:?}");
}

proptest! {
    #[test]
    fn any_text_is_answered_without_a_panic(text in r"[{} a-z\n\PC]{0,80}") {
        let _ = rendered(&template("", &[("a", &text), (&text, "")]), &[]);
    }

    #[test]
    fn names_for_wit_are_accepted_by_wit(name in "[a-z][a-z0-9-]{0,20}[a-z0-9]") {
        let text = format!("package local:{};", wit_name(&name));
        prop_assert!(wit_parser::UnresolvedPackageGroup::parse("a.wit", &text).is_ok(), "{}", text);
    }
}
