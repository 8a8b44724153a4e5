//! `wharf call`: values as text in, values as text or JSON out.

use crate::support::wharf;
use wharf_testkit::{Ended, guest};

fn call(text: &str, flags: &[&str]) -> Ended {
    let file = guest("calculator").display().to_string();
    wharf().run([&["call", &file, text], flags].concat())
}

#[test]
fn results_are_printed_as_wave_or_json() {
    for (text, wave, json) in [
        ("add(1, 2)", "3", "3"),
        ("add(2147483647, 1)", "-2147483648", "-2147483648"),
        ("docs:calculator/ops.subtract(1, 2)", "-1", "-1"),
        ("docs:calculator/ops@0.1.0.subtract(5, -6)", "11", "11"),
        (
            "summarize([1.5, 2.5])",
            "ok({count: 2, smallest: 1.5, largest: 2.5, mean: 2})",
            r#"{"ok":{"count":2,"largest":2.5,"mean":2.0,"smallest":1.5}}"#,
        ),
        ("summarize([])", "err(empty)", r#"{"error":"empty"}"#),
        ("summarize([0.0, nan])", "err(not-finite(1))", r#"{"error":{"not-finite":1}}"#),
    ] {
        assert_eq!(call(text, &[]).well().stdout, format!("{wave}\n"), "{text}");
        assert_eq!(call(text, &["--json"]).well().stdout, format!("{json}\n"), "{text}");
    }
}

#[test]
fn a_call_that_does_not_fit_says_why() {
    for (text, said) in [
        ("add(1)", "the arguments do not fit add: func(a: s32, b: s32) -> s32"),
        ("add(1, 2, 3)", "the arguments do not fit"),
        ("add(1, \"two\")", "the arguments do not fit"),
        ("add(99999999999, 1)", "the arguments do not fit"),
        ("add(1", "cannot read the call"),
        ("", "cannot read the call"),
        ("multiply(1, 2)", "it exports docs:calculator/ops@0.1.0.add"),
        ("other:package/ops.add(1, 2)", "exports no function"),
    ] {
        call(text, &[]).badly(2, &[said]);
    }
    let hello = guest("hello").display().to_string();
    wharf().run(["call", &hello, "handle()"]).badly(2, &["has nothing to call"]);
}
