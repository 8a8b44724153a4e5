//! Lists of routes and requests: the router answers what a naive model of the rules answers.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use wharf_app::{Methods, Route, Segment};

use draft::Input;
use router::{Found, Match, Router};

mod draft;
mod model;
#[rustfmt::skip]
#[path = "../../crates/gateway/src/router.rs"]
mod router;

fuzz_target!(|input: Input<'_>| {
    let mut routes = input.routes();
    check_conflicts(&routes);
    let mut kept: Vec<(usize, Route)> = Vec::new();
    for (app, route) in routes.drain(..) {
        if !kept.iter().any(|(_, other)| other.conflicts_with(&route)) {
            kept.push((app, route));
        }
    }
    let router = Router::new(by_app(&kept)).expect("no two of these routes conflict");
    for request in input.requests() {
        let (host, path, method) = (request.host.as_deref(), request.path.as_ref(), &request.method);
        let found = match router.find(host, path, method) {
            Match::Found(found) => {
                check_parts(&found, path);
                model::Answer::Found(*found.target)
            }
            Match::MethodNotAllowed { allow } => {
                assert!(allow.is_sorted() && !allow.contains(&method.as_str()), "{allow:?} refused {method}");
                model::Answer::Refused(allow.into_iter().collect::<BTreeSet<&str>>())
            }
            Match::NotFound => model::Answer::None,
        };
        let expected = model::answer(&kept, host, path, method);
        assert_eq!(found, expected, "{method} {host:?} {path:?} of {kept:#?}");
    }
});

/// Puts routes into the lists of their apps, each with its place in `routes`.
fn by_app(routes: &[(usize, Route)]) -> Vec<Vec<(Route, usize)>> {
    let numbered = || routes.iter().enumerate();
    let of = |app| numbered().filter(move |(_, (of, _))| *of == app).map(|(at, (_, route))| (route.clone(), at));
    (0..draft::APPS).map(|app| of(app).collect()).collect()
}

/// A conflict is found exactly when there is one, and it is the first in the list.
fn check_conflicts(routes: &[(usize, Route)]) {
    let listed: Vec<(usize, &Route)> = (0..draft::APPS)
        .flat_map(|app| routes.iter().filter(move |(of, _)| *of == app).map(|(app, route)| (*app, route)))
        .collect();
    let pairs = (0..listed.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
    let expected = pairs
        .map(|(first, second)| (listed[first], listed[second]))
        .find(|((_, first), (_, second))| first.conflicts_with(second))
        .map(|((a, first), (b, second))| (a, first.to_string(), b, second.to_string()));
    let conflict = Router::new(by_app(routes)).err();
    let found = conflict.map(|found| (found.first_app, found.first, found.second_app, found.second));
    assert_eq!(found, expected, "of {routes:#?}");
}

/// Params and rest put back into the pattern make the path.
fn check_parts(found: &Found<'_, '_, usize>, path: &str) {
    let mut params = found.params();
    let mut rebuilt = String::new();
    for segment in found.route.path.segments() {
        rebuilt.push('/');
        rebuilt.push_str(match segment {
            Segment::Literal(text) => text,
            Segment::Param(name) => {
                let (found, value) = params.next().expect("each param has a value");
                assert_eq!(found, name);
                assert!(!value.is_empty() && !value.contains('/'));
                value
            }
        });
    }
    assert!(params.next().is_none());
    assert_eq!(found.rest().is_some(), found.route.path.is_open_ended());
    rebuilt.push_str(found.rest().unwrap_or_default());
    assert_eq!(rebuilt, if path.is_empty() { "/" } else { path }, "of {}", found.route);
    if let Methods::Only(names) = &found.route.methods {
        assert!(!names.is_empty(), "a route without methods answers nothing");
    }
}
