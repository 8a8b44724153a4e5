use proptest::prelude::*;

use super::{Conflicts, Methods, PathPattern, Route, RouteHost};

fn check_path(text: &str, expected: &str) {
    let found = match PathPattern::parse(text) {
        Ok(pattern) => format!("{:?}{}", pattern.segments(), if pattern.is_open_ended() { " ..." } else { "" }),
        Err(error) => format!("{:?} {error}", &text[error.range.clone()]),
    };
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn reads_paths() {
    check_path("/", r#"[Literal("")]"#);
    check_path("/...", "[] ...");
    check_path("/a", r#"[Literal("a")]"#);
    check_path("/a/", r#"[Literal("a"), Literal("")]"#);
    check_path("/a/:id/...", r#"[Literal("a"), Param("id")] ..."#);
    check_path("/a:b/%20", r#"[Literal("a:b"), Literal("%20")]"#);
}

#[test]
fn refuses_what_is_no_path() {
    check_path("", r#""" a route starts with `/`"#);
    check_path("a", r#""a" a route starts with `/`"#);
    check_path("/a/.../b", r#""..." `...` can only be the last part of a route"#);
    check_path("/.../...", r#""..." `...` can only be the last part of a route"#);
    check_path("/:a/:a", r#"":a" this name is used twice in the route"#);
    check_path("/:", r#"":" after `:` comes a name of letters, digits, `-` and `_`"#);
    check_path("/{id}", r#""{" `{` cannot be in a path"#);
    check_path("/a?b", r#""?" `?` cannot be in a path"#);
    check_path("/é", r#""é" `é` cannot be in a path"#);
    check_path("/a/*", r#""*" `*` is not a wildcard in a route"#);
    check_path("/a/../b", r#"".." clients take `.` and `..` out of paths, so this route would never be used"#);
    assert!(PathPattern::parse(&"/a".repeat(65)).is_err());
    assert!(PathPattern::parse(&format!("/{}", "a".repeat(2048))).is_err());
}

fn check_host(text: &str, expected: &str) {
    let found = match RouteHost::parse(text) {
        Ok(host) => format!("{host:?}"),
        Err(error) => format!("{:?} {error}", &text[error.range.clone()]),
    };
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn reads_hosts() {
    check_host("Example.COM", r#"Exact("example.com")"#);
    check_host("example.com.", r#"Exact("example.com")"#);
    check_host("*.example.com", r#"Suffix("example.com")"#);
    check_host("127.0.0.1", r#"Exact("127.0.0.1")"#);
    check_host("[0:0::1]", r#"Exact("[::1]")"#);
}

#[test]
fn refuses_what_is_no_host() {
    check_host("", r#""" a host name is missing"#);
    check_host("*", r#""*" a route for every host has no `host`"#);
    check_host("*.", r#""*" `*` cannot be in a host name"#);
    check_host("a.*.b", r#""*" `*` cannot be in a host name"#);
    check_host("a..b", r#""a..b" a host name has no empty part between its dots"#);
    check_host("a:80", r#"":80" the host of a route has no port"#);
    check_host("*.a/b", r#""/" `/` cannot be in a host name"#);
    check_host("[::g]", r#""[::g]" is no IPv6 address between its brackets"#);
}

#[test]
fn tells_conflicts() {
    let route = |path: &str, methods: &[&str]| Route {
        host: RouteHost::Any,
        path: PathPattern::parse(path).unwrap(),
        methods: match methods {
            [] => Methods::Any,
            names => Methods::only(names.iter().map(|&name| name.to_owned())),
        },
    };
    let check = |a: &Route, b: &Route, expected: bool| {
        assert_eq!(a.conflicts_with(b), expected, "{a} {b}");
        assert_eq!(b.conflicts_with(a), expected, "{b} {a}");
    };
    check(&route("/a", &[]), &route("/a", &[]), true);
    check(&route("/a", &["GET"]), &route("/a", &[]), true);
    check(&route("/a", &["GET"]), &route("/a", &["POST", "GET"]), true);
    check(&route("/a", &["GET"]), &route("/a", &["HEAD"]), false);
    check(&route("/:a/b", &[]), &route("/:c/b", &[]), true);
    check(&route("/:a/b", &[]), &route("/x/b", &[]), false);
    check(&route("/a", &[]), &route("/a/", &[]), false);
    check(&route("/a", &[]), &route("/a/...", &[]), false);
}

proptest! {
    #[test]
    fn the_first_conflict_is_found_without_comparing_each_with_each(
        drafts in proptest::collection::vec((
            proptest::sample::select(vec!["*.b", "a", "b"]),
            proptest::sample::select(vec!["/", "/:x", "/:y", "/...", "/x", "/x/", "/x/...", "/:x/..."]),
            proptest::option::of(proptest::collection::vec(proptest::sample::select(vec!["A", "B", "C"]), 0..3)),
        ), 0..12),
    ) {
        let route = |(host, path, methods): (&str, &str, Option<Vec<&str>>)| Route {
            host: RouteHost::parse(host).unwrap(),
            path: PathPattern::parse(path).unwrap(),
            methods: methods.map_or(Methods::Any, |names| Methods::only(names.into_iter().map(str::to_owned))),
        };
        let routes: Vec<Route> = drafts.into_iter().map(route).collect();
        let mut conflicts = Conflicts::default();
        for (at, route) in routes.iter().enumerate() {
            prop_assert_eq!(conflicts.add(route), routes[..at].iter().position(|other| other.conflicts_with(route)));
        }
    }
}
