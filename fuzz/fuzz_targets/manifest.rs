//! Any text as a manifest: reading and showing it never panics, and what is said about it is true.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wharf_app::{App, HttpGrant, NetPattern, Palette, PathPattern, Problem, RouteHost, Severity, Span};

#[rustfmt::skip]
#[path = "../../crates/gateway/src/router.rs"]
#[allow(dead_code, reason = "the manifest only makes routers, it does not ask them")]
mod router;

/// Problems that are reported at most, as `parse` says.
const PROBLEMS_MAX: usize = 200;

/// Bytes that one problem may take when it is shown, beside what it repeats of the manifest: two excerpts of 100 columns
/// with their underlines, and our own sentences.
const PROBLEM_LEN_MAX: usize = 4 << 10;

/// Problems that the checks look at that cost as much for each as the whole manifest.
const LOOKS_MAX: usize = 4;

/// Bytes of our own sentences in one problem.
const SENTENCES_LEN_MAX: usize = 768;

fuzz_target!(|text: &str| {
    let (app, problems) = wharf_app::parse(text);
    let sound = problems.iter().all(|problem| problem.severity == Severity::Warning);
    assert_eq!(app.is_some(), sound, "an app exactly when no problem is an error");
    assert!(problems.len() <= PROBLEMS_MAX);
    assert!(problems.is_sorted_by_key(|problem| problem.span.start), "in the order of the file");
    for problem in &problems {
        check_problem(problem, text);
    }
    check_shown(&problems, text);
    let looks = &problems[..problems.len().min(LOOKS_MAX)];
    check_places(looks, text);
    check_colours(looks, text);
    if let Some(app) = &app {
        check_app(app, text);
    }
    assert_eq!(wharf_app::parse(text), (app, problems), "the same text, the same answer");
});

fn check_problem(problem: &Problem, text: &str) {
    check_span(&problem.span, text);
    problem.related.iter().for_each(|(span, _)| check_span(span, text));
    assert!(wharf_app::find_code(problem.code).is_some(), "{} has no page", problem.code);
    assert!(!problem.message.is_empty());
}

fn check_span(span: &Span, text: &str) {
    assert!(text.get(span.clone()).is_some(), "{span:?} cannot be cut out of {} bytes", text.len());
}

fn check_shown(problems: &[Problem], text: &str) {
    let shown = wharf_app::render(problems, "wharf.toml", text);
    let unsafe_to_print =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!shown.contains(unsafe_to_print), "{shown:?}");
    assert_eq!(shown.matches("^").count() > 0, !problems.is_empty());
    // Each byte of the manifest is repeated by few problems; a control character takes three bytes when shown.
    let from_text = 16 * text.len();
    assert!(shown.len() <= problems.len() * PROBLEM_LEN_MAX + from_text, "{} bytes shown", shown.len());
    let sentences = |problem: &Problem| {
        let labels: usize = problem.related.iter().map(|(_, label)| label.len()).sum();
        problem.message.len() + problem.label.len() + labels + problem.help.as_ref().map_or(0, String::len)
    };
    let said: usize = problems.iter().map(sentences).sum();
    assert!(said <= problems.len() * SENTENCES_LEN_MAX + from_text, "{said} bytes said");
}

fn check_places(problems: &[Problem], text: &str) {
    for problem in problems {
        let before = &text[..problem.span.start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) + 1;
        assert_eq!(wharf_app::position(text, problem.span.start), (line, column));
    }
}

fn check_colours(problems: &[Problem], text: &str) {
    let Palette { error, warning, message, frame, reset } = Palette::ANSI;
    let coloured = wharf_app::render_with(problems, "wharf.toml", text, &Palette::ANSI);
    let plain = [error, warning, message, frame, reset].iter().fold(coloured, |text, code| text.replace(code, ""));
    assert_eq!(plain, wharf_app::render(problems, "wharf.toml", text), "colours change nothing else");
}

fn check_app(app: &App, text: &str) {
    for (at, component) in app.components.iter().enumerate() {
        assert!(app.components[..at].iter().all(|other| other.name != component.name));
        check_span(&component.name_span, text);
        check_span(&component.source_span, text);
        for grant in &component.grants.http {
            if let HttpGrant::Internal { component } = grant {
                assert!(app.component(component).is_some(), "a call of {component}, which is not there");
            }
            assert_eq!(HttpGrant::parse(&grant.to_string()).as_ref(), Ok(grant), "read back");
        }
        for grant in &component.grants.net {
            assert_eq!(NetPattern::parse(&grant.to_string()).as_ref(), Ok(grant), "read back");
        }
        for bytes in [component.limits.memory_bytes, component.limits.response_body_bytes] {
            assert_eq!(wharf_app::parse_size(&wharf_app::format_size(bytes)), Ok(bytes));
        }
        for duration in [component.limits.cpu, component.limits.wall] {
            assert_eq!(wharf_app::parse_duration(&wharf_app::format_duration(duration)), Ok(duration));
        }
    }
    for trigger in &app.http {
        check_span(&trigger.span, text);
        if let wharf_app::Target::Component(name) = &trigger.target {
            assert!(app.component(name).is_some(), "a trigger of {name}, which is not there");
        }
        let Some(route) = &trigger.route else { continue };
        assert_eq!(PathPattern::parse(route.path.as_str()).as_ref(), Ok(&route.path), "read back");
        let host = match &route.host {
            RouteHost::Any => continue,
            RouteHost::Suffix(suffix) => format!("*.{suffix}"),
            RouteHost::Exact(name) => name.clone(),
        };
        assert_eq!(RouteHost::parse(&host).as_ref(), Ok(&route.host), "read back");
    }
    let routes = app.http.iter().filter_map(|trigger| Some((trigger.route.clone()?, ())));
    router::Router::new([routes]).expect("routes of a sound manifest do not conflict");
}
