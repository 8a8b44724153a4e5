use proptest::prelude::*;

use super::{Palette, Problem, Severity, position, render, render_with};

fn check(problem: Problem, text: &str, expected: &str) {
    let found = render(&[problem], "wharf.toml", text);
    assert_eq!(found, expected, "found:\n{found}");
}

#[test]
fn shows_the_line_and_a_caret() {
    let problem = Problem::error("WHARF-0103", 9..15, "unknown key `memroy`")
        .with_label("did you mean `memory`?")
        .with_related(0..8, "in this table")
        .with_help("write `memory`");
    let expected = "\
error[WHARF-0103]: unknown key `memroy`
 --> wharf.toml:2:1
  |
2 | memroy = 1
  | ^^^^^^ did you mean `memory`?
 ::: wharf.toml:1:1
  |
1 | [limits]
  | -------- in this table
  = help: write `memory`
";
    check(problem, "[limits]\nmemroy = 1\n", expected);
}

#[test]
fn tabs_and_wide_characters_keep_the_caret_in_place() {
    let text = "\t\"日本\" = é7 # x";
    let at = text.find('7').unwrap();
    let expected = "\
error[WHARF-0100]: m
 --> wharf.toml:1:10
  |
1 |     \"日本\" = é7 # x
  |               ^
";
    check(Problem::error("WHARF-0100", at..at + 1, "m"), text, expected);
}

#[test]
fn long_lines_are_cut_around_the_caret() {
    let text = format!("{}HERE{}", "a".repeat(500), "b".repeat(500));
    let found = render(&[Problem::error("WHARF-0100", 500..504, "m")], "wharf.toml", &text);
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines[3].chars().count(), 4 + 100);
    assert!(lines[3].starts_with("1 | …aaaa") && lines[3].ends_with("bbb…"));
    assert_eq!(lines[3].chars().skip(lines[4].find('^').unwrap()).take(4).collect::<String>(), "HERE");
    let whole = render(&[Problem::error("WHARF-0100", 0..text.len(), "m")], "wharf.toml", &text);
    assert_eq!(whole.lines().nth(4).unwrap().matches('^').count(), 100);
}

#[test]
fn a_span_over_several_lines_is_cut_at_the_first() {
    let expected = "\
error[WHARF-0100]: m
 --> wharf.toml:1:5
  |
1 | a = [
  |     ^
";
    check(Problem::error("WHARF-0100", 4..9, "m"), "a = [\n1,\n]", expected);
}

#[test]
fn an_empty_manifest_has_a_place_too() {
    check(Problem::error("WHARF-0101", 0..0, "m"), "", "error[WHARF-0101]: m\n --> wharf.toml:1:1\n  |\n1 |\n  | ^\n");
}

#[test]
fn control_characters_cannot_reach_the_terminal() {
    let text = "a = \"\u{1b}[31m\u{202e}\"";
    let found = render(&[Problem::error("WHARF-0100", 4..6, "\u{1b}]0;x\u{7}")], "x\u{1b}.toml", text);
    assert!(!found.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{found:?}");
}

#[test]
fn colours_wrap_the_parts() {
    let problems = [Problem::warning("WHARF-0118", 0..1, "m")];
    let found = render_with(&problems, "wharf.toml", "a", &Palette::ANSI);
    assert!(found.starts_with("\u{1b}[1;33mwarning[WHARF-0118]\u{1b}[0m\u{1b}[1m: m\u{1b}[0m\n"), "{found:?}");
    assert!(Severity::Warning < Severity::Error);
}

#[test]
fn tells_positions() {
    for (offset, expected) in [(0, (1, 1)), (2, (1, 2)), (3, (1, 3)), (4, (2, 1)), (99, (2, 2))] {
        assert_eq!(position("éa\nb", offset), expected, "{offset}");
    }
}

proptest! {
    #[test]
    fn any_span_in_any_text_is_shown(text in r"[\PC\n\r\t]{0,200}", start in 0..300usize, len in 0..300usize) {
        let problem = Problem::error("WHARF-0100", start..start + len, text.clone())
            .with_related(len..start, text.clone())
            .with_label(text.clone());
        let found = render(&[problem], &text, &text);
        prop_assert!(found.contains('^'));
    }
}
