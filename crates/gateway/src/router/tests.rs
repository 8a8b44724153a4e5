use std::collections::HashSet;
use std::sync::Arc;

use http::Method;
use proptest::prelude::*;
use wharf_app::{Methods, PathPattern, Route, RouteHost, Segment};

use super::{Match, Router, host_name};

/// Reads `[METHOD,METHOD ][HOST]/PATH`, as routes are shown.
fn route(text: &str) -> Route {
    let (methods, text) = match text.split_once(' ') {
        Some((names, text)) => (Methods::only(names.split(',').map(str::to_owned)), text),
        None => (Methods::Any, text),
    };
    let (host, path) = text.split_at(text.find('/').unwrap());
    let host = if host.is_empty() { RouteHost::Any } else { RouteHost::parse(host).unwrap() };
    Route { host, path: PathPattern::parse(path).unwrap(), methods }
}

fn router(apps: &[&[&str]]) -> Router<String> {
    Router::new(apps.iter().map(|routes| routes.iter().map(|text| (route(text), (*text).to_owned())))).unwrap()
}

/// Shows what answers `METHOD [HOST]PATH`: the route with its params and rest, or the refusal.
fn show<T>(router: &Router<T>, request: &str) -> String {
    let (method, target) = request.split_once(' ').unwrap();
    let (host, path) = target.split_at(target.find(['/', '*']).unwrap_or(target.len()));
    let host = Some(host).filter(|host| !host.is_empty());
    match router.find(host, path, &Method::from_bytes(method.as_bytes()).unwrap()) {
        Match::Found(found) => {
            let params: String = found.params().map(|(name, value)| format!(" {name}={value}")).collect();
            let rest = found.rest().map(|rest| format!(" ...={rest}")).unwrap_or_default();
            format!("{}{params}{rest}", found.route)
        }
        Match::MethodNotAllowed { allow } => format!("allow {}", allow.join(",")),
        Match::NotFound => "none".to_owned(),
    }
}

fn check(apps: &[&[&str]], requests: &[(&str, &str)]) {
    let router = router(apps);
    for (request, expected) in requests {
        assert_eq!(show(&router, request), *expected, "{request} of {apps:?}");
    }
}

#[test]
fn the_most_specific_path_wins() {
    check(
        &[&["/...", "/a", "/:x", "/a/...", "/a/:y/c", "/a/b/...", "/:x/b/c"]],
        &[
            ("GET /", "/... ...=/"),
            ("GET /a", "/a"),
            ("GET /a/", "/a/... ...=/"),
            ("GET /z", "/:x x=z"),
            ("GET /a/b/c", "/a/b/... ...=/c"),
            ("GET /a/z/c", "/a/:y/c y=z"),
            ("GET /a/z/d", "/a/... ...=/z/d"),
            ("GET /z/b/c", "/:x/b/c x=z"),
            ("GET /z/b", "/... ...=/z/b"),
            ("GET /ab", "/:x x=ab"),
        ],
    );
}

#[test]
fn paths_are_compared_as_they_arrive() {
    check(
        &[&["/", "/a", "/b/", "/p/:x", "/q/%41", "/w/..."]],
        &[
            ("GET ", "/"),
            ("GET /A", "none"),
            ("GET /a/", "none"),
            ("GET /b", "none"),
            ("GET /b/", "/b/"),
            ("GET //a", "none"),
            ("GET /p/", "none"),
            ("GET /p//", "none"),
            ("GET /p/%2F", "/p/:x x=%2F"),
            ("GET /q/A", "none"),
            ("GET /q/%41", "/q/%41"),
            ("GET /w", "/w/... ...="),
            ("GET /w/", "/w/... ...=/"),
            ("GET /w//x/../y", "/w/... ...=//x/../y"),
            ("GET /wx", "none"),
            ("GET /./a", "none"),
            ("OPTIONS *", "none"),
        ],
    );
}

#[test]
fn a_route_with_another_method_is_passed_over() {
    check(
        &[&["GET /a", "POST /a", "PUT /:x", "DELETE /...", "GET,HEAD /b"]],
        &[
            ("GET /a", "GET /a"),
            ("HEAD /a", "GET /a"),
            ("POST /a", "POST /a"),
            ("PUT /a", "PUT /:x x=a"),
            ("DELETE /a", "DELETE /... ...=/a"),
            ("PATCH /a", "allow DELETE,GET,HEAD,POST,PUT"),
            ("PATCH /z", "allow DELETE,PUT"),
            ("HEAD /b", "GET,HEAD /b"),
        ],
    );
    check(
        &[&["GET /a", "HEAD /a", "HEAD /:x", "GET /c", "GET h/"]],
        &[("HEAD /a", "HEAD /a"), ("HEAD /c", "GET /c"), ("GET /z", "allow HEAD"), ("GET /z/z", "none")],
    );
}

#[test]
fn the_most_specific_host_wins() {
    check(
        &[&["/...", "/any", "*.com/s", "*.a.com/...", "a.com/x", "b.a.com/y", "[::1]/v6"]],
        &[
            ("GET /x", "/... ...=/x"),
            ("GET a.com/x", "a.com/x"),
            ("GET A.Com.:8080/x", "a.com/x"),
            ("GET a.com/s", "*.com/s"),
            ("GET a.com/any", "/any"),
            ("GET b.a.com/y", "b.a.com/y"),
            ("GET b.a.com/s", "*.a.com/... ...=/s"),
            ("GET x.y.a.com/any", "*.a.com/... ...=/any"),
            ("GET com/s", "/... ...=/s"),
            ("GET xa.com/s", "*.com/s"),
            ("GET [::1]:80/v6", "[::1]/v6"),
            ("GET [0:0::1]/v6", "[::1]/v6"),
            ("GET [::2]/v6", "/... ...=/v6"),
        ],
    );
}

#[test]
fn a_host_longer_than_any_name_fits_no_name() {
    let long = format!("{}a.com", "x.".repeat(200));
    check(&[&["*.a.com/x", "/..."]], &[(&format!("GET {long}/x"), "/... ...=/x"), ("GET x.a.com/x", "*.a.com/x")]);
}

#[test]
fn a_host_belongs_to_the_apps_that_name_it() {
    check(
        &[&["a.com/x", "/mine"], &["/...", "*.com/com"]],
        &[
            ("GET a.com/x", "a.com/x"),
            ("GET a.com/mine", "/mine"),
            ("GET a.com/other", "none"),
            ("GET a.com/com", "none"),
            ("GET b.com/com", "*.com/com"),
            ("GET b.com/mine", "/... ...=/mine"),
            ("GET /mine", "/mine"),
        ],
    );
}

#[test]
fn an_empty_router_finds_nothing() {
    check(&[], &[("GET /", "none"), ("GET a.com/", "none")]);
}

#[test]
fn conflicts_name_both_routes() {
    let apps = [vec![(route("a.com/:x"), ())], vec![(route("/:x"), ()), (route("GET a.com/:y"), ())]];
    let conflict = Router::new(apps).unwrap_err();
    assert_eq!((conflict.first_app, conflict.second_app), (0, 1));
    assert_eq!(conflict.to_string(), "two routes answer the same requests: `a.com/:x` and `GET a.com/:y`");
}

#[test]
fn the_first_of_several_conflicts_is_told() {
    let pairs: Vec<_> = (0..20).map(|at| (route(&format!("h{at}/")), ())).collect();
    let conflict = Router::new([pairs.clone(), pairs]).unwrap_err();
    assert_eq!((conflict.first.as_str(), conflict.second.as_str()), ("h0/", "h0/"));
}

#[test]
fn hosts_of_one_app_share_what_they_fall_through_to() {
    let hosts = (0..300).flat_map(|at| [route(&format!("h{at}.a/")), route(&format!("/x{at}"))]);
    let others = [route("*.a/y"), route("h7.a/z")];
    let routes = hosts.chain(others).map(|route| (0, route));
    let router = Router::new(by_app(&routes.collect::<Vec<_>>())).unwrap();
    let tables = router.exact.values().chain(router.suffix.values()).chain([&router.any]);
    let trees: HashSet<_> = tables.flatten().map(Arc::as_ptr).collect();
    assert_eq!(trees.len(), 300 + 2);
    assert_eq!(show(&router, "GET h7.a/x9"), "/x9");
    assert_eq!(show(&router, "GET h8.a/y"), "*.a/y");
    assert_eq!(show(&router, "GET h8.a/z"), "none");
}

#[test]
fn reads_host_names() {
    for (authority, expected) in [
        ("a.com", "a.com"),
        ("A.com.:80", "a.com"),
        ("a.com:", "a.com"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[::0001]:80", "[::1]"),
        ("[x", "[x"),
        ("[x]:1", "[x]:1"),
        ("", ""),
        (":", ""),
        (".", ""),
    ] {
        assert_eq!(host_name(authority), expected, "{authority:?}");
    }
}

// The model: the rules of `wharf_app::route`, one after the other, over all routes.

/// Returns how specific the host of a route is for a host, if it fits at all.
fn host_rank(pattern: &RouteHost, host: Option<&str>) -> Option<usize> {
    match pattern {
        RouteHost::Any => Some(0),
        RouteHost::Suffix(suffix) => host.filter(|host| host.ends_with(&format!(".{suffix}"))).map(|_| suffix.len()),
        RouteHost::Exact(name) => (host == Some(name)).then_some(usize::MAX),
    }
}

/// Returns how specific each segment of a route is, if it fits the path.
fn path_rank(pattern: &PathPattern, path: &str) -> Option<Vec<u8>> {
    let parts: Vec<&str> = path[1..].split('/').collect();
    let mut rank = Vec::new();
    for (at, segment) in pattern.segments().iter().enumerate() {
        match (segment, parts.get(at)?) {
            (Segment::Literal(text), part) if text == part => rank.push(3),
            (Segment::Param(_), part) if !part.is_empty() => rank.push(2),
            _ => return None,
        }
    }
    if pattern.is_open_ended() {
        rank.push(0);
    } else if parts.len() == rank.len() {
        rank.push(1);
    } else {
        return None;
    }
    Some(rank)
}

fn method_rank(methods: &Methods, method: &str) -> Option<u8> {
    match methods {
        _ if methods.contains(method) => Some(1),
        _ if method == "HEAD" && methods.contains("GET") => Some(0),
        _ => None,
    }
}

fn model(routes: &[(usize, Route)], host: Option<&str>, path: &str, method: &str) -> String {
    let host_of = |route: &Route| host_rank(&route.host, host);
    let best_host = routes.iter().filter_map(|(_, route)| host_of(route)).max();
    let owners: Vec<usize> = routes
        .iter()
        .filter(|(_, route)| best_host.is_some() && host_of(route) == best_host)
        .map(|(app, _)| *app)
        .collect();
    let fitting: Vec<_> = routes
        .iter()
        .filter(|(app, _)| owners.contains(app))
        .filter_map(|(_, route)| Some((host_of(route)?, path_rank(&route.path, path)?, route)))
        .collect();
    let best = fitting
        .iter()
        .filter_map(|(host, path, route)| Some(((host, path, method_rank(&route.methods, method)?), route)))
        .max_by(|(a, _), (b, _)| a.cmp(b));
    match best {
        Some((_, route)) => route.to_string(),
        None if fitting.is_empty() => "none".to_owned(),
        None => "refused".to_owned(),
    }
}

fn some_route() -> impl Strategy<Value = (usize, Route)> {
    let host = proptest::sample::select(vec!["", "", "a.b", "*.b", "c.a.b", "*.a.b", "c"]);
    let part = proptest::sample::select(vec!["/a", "/b", "/:x", "/:y", "/c"]);
    let end = proptest::sample::select(vec!["", "", "/", "/..."]);
    let methods = proptest::sample::select(vec!["", "", "GET ", "HEAD ", "POST ", "GET,POST "]);
    let parts = proptest::collection::vec(part, 0..4);
    (0..3usize, methods, host, parts, end).prop_map(|(app, methods, host, parts, end)| {
        let mut parts = parts;
        // A name may be used once in a path.
        for name in ["/:x", "/:y"] {
            let mut seen = false;
            parts.retain(|part| *part != name || !std::mem::replace(&mut seen, true));
        }
        let path = format!("{}{end}", parts.concat());
        (app, route(&format!("{methods}{host}{}", if path.is_empty() { "/" } else { &path })))
    })
}

/// Puts routes into the lists of their apps.
fn by_app(routes: &[(usize, Route)]) -> Vec<Vec<(Route, ())>> {
    let of = |app: usize| routes.iter().filter(move |(of, _)| *of == app).map(|(_, route)| (route.clone(), ()));
    (0..3).map(|app| of(app).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_the_model(
        routes in proptest::collection::vec(some_route(), 0..12),
        requests in proptest::collection::vec(
            ("(|a\\.b|b|c\\.a\\.b|d\\.a\\.b|c|e\\.c)", "(/a|/b|/c|/d|/|/a){0,4}/?", "(GET|HEAD|POST|PUT)"),
            1..12,
        ),
    ) {
        let mut kept: Vec<(usize, Route)> = Vec::new();
        for (app, route) in routes {
            if !kept.iter().any(|(_, other)| other.conflicts_with(&route)) {
                kept.push((app, route));
            }
        }
        let router = Router::new(by_app(&kept)).unwrap();
        for (host, path, method) in requests {
            let host = Some(host.as_str()).filter(|host| !host.is_empty());
            let path = if path.is_empty() { "/" } else { &path };
            let found = match router.find(host, path, &Method::from_bytes(method.as_bytes()).unwrap()) {
                Match::Found(found) => found.route.to_string(),
                Match::MethodNotAllowed { allow } => {
                    prop_assert!(!allow.contains(&method.as_str()));
                    "refused".to_owned()
                }
                Match::NotFound => "none".to_owned(),
            };
            prop_assert_eq!(found, model(&kept, host, path, &method), "{:?} {} {}", host, path, method);
        }
    }

    #[test]
    fn refuses_exactly_what_conflicts(routes in proptest::collection::vec(some_route(), 0..8)) {
        let pairs = routes.iter().enumerate().flat_map(|(at, a)| routes[..at].iter().map(move |b| (a, b)));
        let conflict = pairs.into_iter().any(|((_, a), (_, b))| a.conflicts_with(b));
        prop_assert_eq!(Router::new(by_app(&routes)).is_err(), conflict);
    }

    #[test]
    fn any_request_is_answered_without_a_panic(
        host in proptest::option::of(r"\PC{0,12}|[a.:\[\]*]{0,8}"),
        path in r"\PC{0,12}|/[a/:.*%]{0,12}",
    ) {
        let router = router(&[&["/:x/...", "a.com/a", "*.a/..."]]);
        if let Match::Found(found) = router.find(host.as_deref(), &path, &Method::GET) {
            prop_assert!(found.params().count() <= 1);
            prop_assert!(found.rest().is_none_or(|rest| path.ends_with(rest) || path.is_empty()));
        }
    }
}
