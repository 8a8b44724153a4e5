use proptest::prelude::*;

use super::*;

/// Fills `host` with `a.example`, `empty` with nothing and `tricky` with what looks like a variable.
fn filled(text: &str) -> Result<Option<String>, String> {
    let template = Template::parse(text).map_err(|error| {
        assert!(text.get(error.range.clone()).is_some(), "{text:?}: {error:?}");
        format!("{} at {}..{}", error.message, error.range.start, error.range.end)
    })?;
    Ok(template.fill(1000, |name| match name {
        "host" => Some("a.example"),
        "empty" => Some(""),
        "tricky" => Some("{{ host }}"),
        _ => None,
    }))
}

#[test]
fn variables_are_filled_in_and_everything_else_stays() {
    for (text, expected) in [
        ("", ""),
        ("hello", "hello"),
        ("{{ host }}", "a.example"),
        ("{{host}}", "a.example"),
        ("{{   host }}", "a.example"),
        ("https://{{ host }}/api", "https://a.example/api"),
        ("{{host}}{{host}}", "a.examplea.example"),
        ("-{{ empty }}-", "--"),
        ("{{ tricky }}", "{{ host }}"),
        ("{{{{ host }}", "{{ host }}"),
        ("{{{{{{ host }}", "{{a.example"),
        ("{{{{{{{{", "{{{{"),
        ("{ host } }} }", "{ host } }} }"),
        (r#"{"a":{"b":"{{ host }}"}}"#, r#"{"a":{"b":"a.example"}}"#),
        ("ä{{ host }}😀", "äa.example😀"),
    ] {
        assert_eq!(filled(text), Ok(Some(expected.to_owned())), "{text:?}");
    }
    assert_eq!(filled("{{ unknown }}"), Ok(None));
}

#[test]
fn what_is_no_variable_is_told_with_its_place() {
    for (text, expected) in [
        ("a {{ host", "`{{` begins a variable, and no `}}` follows at 2..4"),
        ("{{", "`{{` begins a variable, and no `}}` follows at 0..2"),
        ("ä{{}}", "there is no name of a variable between `{{` and `}}` at 2..6"),
        ("{{  }}", "there is no name of a variable between `{{` and `}}` at 0..6"),
        ("{{ Host }}", "the name of the variable does not start with a lower-case letter at 3..7"),
        ("{{ a b }}", "the name of the variable has characters other than lower-case letters, digits and `-` at 3..6"),
        ("{{{ host }}", "the name of the variable does not start with a lower-case letter at 2..8"),
        ("{{\thost }}", "the name of the variable does not start with a lower-case letter at 2..7"),
    ] {
        assert_eq!(filled(text), Err(expected.to_owned()), "{text:?}");
    }
}

#[test]
fn places_are_those_of_the_names() {
    let text = "ä{{ a }}{{{{{{b-1}}";
    let template = Template::parse(text).unwrap();
    let found: Vec<_> = template.variables().map(|(name, range)| (name, &text[range.clone()])).collect();
    assert_eq!(found, [("a", "a"), ("b-1", "b-1")]);
}

#[test]
fn a_text_that_gets_too_long_is_not_filled() {
    let template = Template::parse("{{ a }}{{ a }}b").unwrap();
    let value = "x".repeat(10);
    assert_eq!(template.fill(21, |_| Some(&value)).map(|text| text.len()), Some(21));
    assert_eq!(template.fill(20, |_| Some(&value)), None);
}

/// Writes a literal so that it stands for itself.
fn escaped(text: &str) -> String {
    text.replace("{{", "{{{{")
}

proptest! {
    #[test]
    fn any_text_is_answered_without_a_panic(text in r"[{} a-z\PC]{0,60}") {
        let _ = filled(&text);
    }

    #[test]
    fn a_text_without_braces_stands_for_itself(text in r"[^{]{0,60}") {
        prop_assert_eq!(filled(&text), Ok(Some(text.clone())));
    }

    #[test]
    fn what_is_escaped_stands_for_itself(text in r"[{} a-z]{0,40}") {
        // Three braces in a row are an escape and one brace, or the other way round.
        prop_assume!(!text.contains("{{{"));
        prop_assert_eq!(filled(&escaped(&text)), Ok(Some(text.clone())));
    }

    #[test]
    fn a_value_is_put_in_as_it_is(before in r"[^{]{0,20}", value in r"\PC{0,40}", after in r"[^{}]{0,20}") {
        let template = Template::parse(&format!("{before}{{{{ a }}}}{after}")).unwrap();
        let filled = template.fill(1000, |_| Some(value.as_str()));
        prop_assert_eq!(filled, Some(format!("{before}{value}{after}")));
    }
}
