mod dependencies;

use std::time::Duration;

use proptest::prelude::*;

use crate::{
    Access, Adapter, App, Build, HttpGrant, Methods, Reuse, RouteHost, Severity, Source, StaticResponse, Target, parse,
    position, render,
};

/// Compares the problems of a manifest, one a line: place, code, message, label, other places, help. Nothing expected
/// means that the manifest is sound.
fn check(manifest: &str, expected: &str) {
    let (app, problems) = parse(manifest);
    let mut found = String::new();
    for problem in &problems {
        let (line, column) = position(manifest, problem.span.start);
        found.push_str(&format!("{line}:{column} {} {}", &problem.code[6..], problem.message));
        for note in [Some(&problem.label), problem.help.as_ref()].into_iter().flatten().filter(|note| !note.is_empty())
        {
            found.push_str(&format!("; {note}"));
        }
        for (span, label) in &problem.related {
            let (line, column) = position(manifest, span.start);
            found.push_str(&format!("; {line}:{column} {label}"));
        }
        found.push('\n');
    }
    assert_eq!(found.trim_end(), expected.trim(), "found:\n{found}");
    assert_eq!(app.is_some(), problems.iter().all(|problem| problem.severity == Severity::Warning));
}

/// Checks a manifest that starts with a name and one component `a`; line 1 is the first of `rest`.
fn check_app(rest: &str, expected: &str) {
    check(&format!("{rest}\n{A}"), expected);
}

const A: &str = "[component.a]\nsource = \"a.wasm\"\n";

fn sound(manifest: &str) -> App {
    let (app, problems) = parse(manifest);
    assert_eq!(problems, [], "{}", render(&problems, "wharf.toml", manifest));
    app.unwrap()
}

#[test]
fn reads_the_smallest_app() {
    let app = sound("name = \"hello\"\n[component.a]\nsource = \"a.wasm\"\n");
    let expected = App::implicit("a", "a.wasm");
    assert_eq!((app.name.as_str(), app.version.as_str(), app.http.len()), ("hello", "0.0.0", 0));
    assert_eq!(app.components[0].limits, expected.components[0].limits);
    assert_eq!(app.components[0].reuse, Reuse::Never);
    assert_eq!(app.components[0].grants, expected.components[0].grants);
}

const SHOP: &str = r#"
name = "shop"
version = "1.2.3-rc.1+build.7"

[component.web]
source = { path = "web/out.wasm" }
build = { command = "make web", dir = "web", watch = ["src/**"] }
limits = { memory = "64MiB", cpu = "50ms", wall = "10s", concurrency = 64, queue = 0, request-body = 0, response-body = 10, handles = 0x20, hostcall-bytes = "1MB", stack = "1MiB" }
reuse = { requests = 5, idle = "2m" }

[component.web.grants]
environment = { MODE = "fast", EMPTY = "" }
files = ["data::/data", { host = "tmp", guest = "/tmp", writable = true }, { host = "www" }]
http = ["http://auth.wharf.internal", "https://api.stripe.com"]
net = ["db:5432", "10.0.0.0/8:*"]

[component.auth]
source = "auth.wasm"
build = "make auth"

[[trigger.http]]
route = "/:lang/..."
host = "*.Shop.example"
methods = ["POST", "GET"]
component = "web"

[[trigger.http]]
route = { private = true }
component = "auth"

[[trigger.http]]
route = "/health"
static = { body = "ok\n", headers = { Cache-Control = "no-store" } }

[[trigger.http]]
route = "/old"
static = { status = 301, headers = { location = "/" } }
"#;

#[test]
fn reads_components() {
    let app = sound(SHOP);
    assert_eq!((app.name.as_str(), app.version.as_str()), ("shop", "1.2.3-rc.1+build.7"));
    let web = app.component("web").unwrap();
    assert_eq!(app.components[0], *web);
    assert_eq!(web.source, Source::File("web/out.wasm".into()));
    assert_eq!(&SHOP[web.name_span.clone()], "web");
    assert_eq!(&SHOP[web.source_span.clone()], "\"web/out.wasm\"");
    let build = web.build.as_ref().unwrap();
    assert_eq!(
        (build.command.as_str(), build.dir.as_deref(), &build.watch[..]),
        ("make web", Some("web"), &["src/**".to_owned()][..])
    );
    let limits = &web.limits;
    assert_eq!((limits.memory_bytes, limits.stack_bytes, limits.hostcall_bytes), (64 << 20, 1 << 20, 1_000_000));
    assert_eq!((limits.request_body_bytes, limits.response_body_bytes), (0, 10));
    assert_eq!((limits.cpu, limits.wall), (Duration::from_millis(50), Duration::from_secs(10)));
    assert_eq!((limits.concurrency, limits.queue, limits.handles), (64, 0, 32));
    assert_eq!(web.reuse, Reuse::Bounded { requests: 5, concurrent: 16, idle: Duration::from_secs(120) });
    assert_eq!(app.component("auth").unwrap().build.as_ref().unwrap().command, "make auth");
}

#[test]
fn reads_grants() {
    let app = sound(SHOP);
    let grants = &app.component("web").unwrap().grants;
    let variables: Vec<_> = grants.environment.iter().map(|grant| (grant.name.as_str(), grant.value.text())).collect();
    assert_eq!(variables, [("MODE", Some("fast")), ("EMPTY", Some(""))]);
    let dirs: Vec<_> = grants.files.iter().map(|dir| (dir.host.as_str(), dir.guest.as_str(), dir.access)).collect();
    let expected =
        [("data", "/data", Access::ReadOnly), ("tmp", "/tmp", Access::ReadWrite), ("www", "www", Access::ReadOnly)];
    assert_eq!(dirs, expected);
    let spans = &app.component("web").unwrap().files_spans;
    let places: Vec<_> = spans.iter().map(|span| &SHOP[span.clone()]).collect();
    assert_eq!((places.len(), places[0], places[2]), (3, "\"data::/data\"", "{ host = \"www\" }"));
    assert_eq!(grants.http[0], HttpGrant::Internal { component: "auth".into() });
    assert_eq!(grants.http[1].to_string(), "https://api.stripe.com");
    assert_eq!(grants.net.iter().map(ToString::to_string).collect::<Vec<_>>(), ["db:5432", "10.0.0.0/8:*"]);
}

#[test]
fn reads_triggers() {
    let app = sound(SHOP);
    let route = app.http[0].route.as_ref().unwrap();
    assert_eq!(route.to_string(), "GET,POST *.shop.example/:lang/...");
    assert_eq!(route.host, RouteHost::Suffix("shop.example".into()));
    assert_eq!(route.methods, Methods::only(["GET".to_owned(), "POST".to_owned()]));
    assert_eq!(&SHOP[app.http[0].span.clone()], "\"/:lang/...\"");
    assert_eq!((&app.http[1].route, &app.http[1].target), (&None, &Target::Component("auth".into())));
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let health = StaticResponse {
        status: 200,
        headers: vec![header("cache-control", "no-store"), header("content-type", "text/plain; charset=utf-8")],
        body: "ok\n".into(),
    };
    assert_eq!(app.http[2].target, Target::Static(health));
    let moved = StaticResponse { status: 301, headers: vec![header("location", "/")], body: String::new() };
    assert_eq!(app.http[3].target, Target::Static(moved));
}

#[test]
fn an_app_of_static_answers_needs_no_component() {
    check("name = \"n\"\n[[trigger.http]]\nroute = \"/\"\nstatic = {}\n", "");
}

#[test]
fn reads_builds() {
    let text = |build: &str| {
        format!("name = \"n\"\n[component.a]\nsource = \"a.wasm\"\nbuild = {{ command = \"go\", {build} }}\n")
    };
    let build = |more: &str| sound(&text(more)).components.remove(0).build.unwrap();
    let whole = build(
        "dir = \"d\", module = \"core.wasm\", wit = \"wit\", world = \"w\", adapter = \"proxy\", preinit = \"start\", timeout = \"90s\"",
    );
    let expected = Build {
        dir: Some("d".into()),
        module: Some("core.wasm".into()),
        wit: Some("wit".into()),
        world: Some("w".into()),
        adapter: Some(Adapter::Proxy),
        preinit: Some("start".into()),
        timeout: Duration::from_secs(90),
        ..Build::new("go")
    };
    assert_eq!(whole, expected);
    assert_eq!(build("preinit = true").preinit.as_deref(), Some("wizer-initialize"));
    assert_eq!(build("preinit = false"), Build::new("go"));
    for (more, problem) in [
        (
            "world = \"w\"",
            "4:35 0101 `world` names a world, and no `wit` has it; add `wit = \"wit\"`, the folder of the world's WIT",
        ),
        (
            "adapter = \"p1\"",
            "4:37 0102 `adapter` is none that there is; write one of `\"command\"`, `\"reactor\"`, `\"proxy\"`, `\"none\"`",
        ),
        ("module = \"\"", "4:36 0114 `module` is empty"),
        ("preinit = 3", "4:37 0102 `preinit` has the wrong type; expected `true`, `false` or text, found a number"),
        ("timeout = \"1ms\"", "4:37 0107 `timeout` is too small; at least 1s: no toolchain is done sooner"),
    ] {
        check(&text(more), problem);
    }
}

#[test]
fn reports_what_is_missing() {
    check(
        "",
        "
1:1 0101 the manifest has no `name`; write `name = \"my-app\"` at the top
1:1 0121 the app has no components; add `[component.NAME]` with `source = \"FILE.wasm\"`",
    );
    check(
        "name = \"n\"\n[trigger]\n",
        "1:1 0121 the app has no components; add `[component.NAME]` with `source = \"FILE.wasm\"`",
    );
    check(
        "name = \"n\"\n[component.a]\nbuild = { dir = \"x\" }\n[[trigger.http]]\n",
        "
2:1 0101 `component.a` has no `source`; write `source = \"FILE.wasm\"`
3:9 0101 `component.a.build` has no `command`; write the command line that makes the component
4:1 0101 `trigger.http` has no `route`; write `route = \"/...\"` to answer every path, or `private = true`
4:1 0101 `trigger.http` has no `component`; write `component = \"NAME\"`, or a `static` answer",
    );
}

#[test]
fn a_misspelt_key_is_not_also_missing() {
    check(
        "nmae = \"n\"\n[component.a]\nsorce = \"a.wasm\"\n",
        "
1:1 0103 unknown key `nmae` at the top of the manifest; did you mean `name`?
3:1 0103 unknown key `sorce` in `component.a`; did you mean `source`?",
    );
}

#[test]
fn unknown_keys_are_answered_with_their_place() {
    check(
        "name = \"n\"\nroute = \"/\"\n[component.a]\nsource = \"a.wasm\"\nmemory = 1\nlimits = { max = 1 }\n",
        "
2:1 0103 unknown key `route` at the top of the manifest; not known here; `route` is a key of `trigger.http`
5:1 0103 unknown key `memory` in `component.a`; not known here; `memory` is a key of `component.NAME.limits`
6:12 0103 unknown key `max` in `component.a.limits`; not known; the keys here are `memory`, `cpu`, `wall`, \
`concurrency`, `queue`, `request-body`, `response-body`, `handles`, `hostcall-bytes`, `stack`, `clock-resolution`",
    );
}

#[test]
fn reports_wrong_types() {
    check_app(
        "name = 1\nversion = 1.0\ntrigger = { http = { route = \"/\" } }",
        "
1:8 0102 `name` has the wrong type; expected text, found a number; put quotes around it
2:11 0102 `version` has the wrong type; expected text, found a fraction; put quotes around it
3:20 0102 `http` has the wrong type; expected list of tables, found a table; write `[[trigger.http]]`",
    );
    check(
        "name = \"n\"\ncomponent = { a = \"a.wasm\", b = { source = 1, grants = { http = \"*\", net = [1] }, reuse = 1 } }",
        "
2:19 0102 `component.a` has the wrong type; expected table, found a text; write `[component.a]`
2:44 0102 `source` has the wrong type; expected text or table, found a number
2:65 0102 `http` has the wrong type; expected list of texts, found a text; write `[\"*\"]`
2:77 0102 an entry of `net` has the wrong type; expected text, found a number
2:91 0102 `reuse` has the wrong type; expected text or table, found a number",
    );
}

#[test]
fn reports_names_and_versions() {
    check(
        "name = \"My App\"\nversion = \"1.02.3\"\n[component.-x]\nsource = \"a.wasm\"\n",
        "
1:8 0104 the name of the app does not start with a lower-case letter; write `my-app`
2:11 0105 the version of the app is not a semantic version; write three numbers with dots, as in `1.4.0`
3:12 0104 the name of the component does not start with a lower-case letter; write `x`",
    );
}

#[test]
fn limits_have_bounds_with_reasons() {
    check(
        "name = \"n\"\n[component.a]\nsource = \"a\"\n[component.a.limits]\nmemory = 0\nstack = \"1GiB\"\ncpu = \"0s\"\n\
         wall = \"25h\"\nqueue = 5000000000\nhandles = -1\nconcurrency = 0\nrequest-body = \"1 MB!\"\n\
         hostcall-bytes = \"1.5MiB\"\n",
        "
5:10 0107 `memory` is too small; at least 64KiB: one page of WebAssembly memory
6:9 0107 `stack` is too large; at most 16MiB: each instance reserves it in the node's address space
7:7 0107 `cpu` is too small; at least 1ms: processor time is counted in milliseconds
8:8 0107 `wall` is too large; at most 24h: an invocation does not outlive a day's releases
9:9 0107 `queue` is too large; at most 1000000: those at its end would time out before their turn
10:11 0107 `handles` is below zero
11:15 0107 `concurrency` is too small; at least 1: with zero the component could never run
12:16 0106 `request-body` is not a valid size; unknown unit; sizes end with `KiB`, `MiB`, `GiB`, `KB`, `MB`, `GB` or `B`
13:18 0106 `hostcall-bytes` is not a valid size; unknown unit; sizes end with `KiB`, `MiB`, `GiB`, `KB`, `MB`, `GB` or `B`",
    );
}

#[test]
fn warns_of_a_limit_that_is_never_reached() {
    check(
        "name = \"n\"\n[component.a]\nsource = \"a\"\nlimits = { cpu = \"2s\", wall = \"1s\" }\n",
        "4:18 0122 the limit `cpu` is never reached; an invocation ends after 1s of `wall`; 4:31 because of this",
    );
}

#[test]
fn references_have_to_resolve() {
    check_app(
        "name = \"n\"\ntrigger.http = [{ route = \"/\", component = \"aa\" }, { route = \"/b\", component = \"other\" }]",
        "
2:44 0108 the app has no component `aa`; did you mean `a`?
2:80 0108 the app has no component `other`; add `[component.other]`, or name another component",
    );
    check(
        &format!(
            "name = \"n\"\n{A}[component.a.grants]\nhttp = [\"http://A.wharf.internal\", \"http://other.wharf.internal\"]\n"
        ),
        "5:44 0108 the app has no component `other`; add `[component.other]`, or name another component",
    );
}

#[test]
fn routes_must_not_conflict() {
    check_app(
        "name = \"n\"
trigger.http = [
  { route = \"/:a\", component = \"a\" },
  { route = \"/:b\", component = \"a\", methods = [\"GET\"] },
  { route = \"/:b\", component = \"a\", host = \"h\" },
  { route = \"/:b\", component = \"a\", host = \"H.\", methods = [\"GET\"] },
  { route = \"/...\", component = \"a\", methods = [\"GET\", \"POST\"] },
  { route = \"/...\", component = \"a\", methods = [\"PUT\"] },
  { route = \"/...\", component = \"a\", methods = [\"PUT\", \"POST\"] },
]",
        "
4:13 0112 two triggers answer the same requests: `GET /:b`; the second; \
give them different paths, hosts or methods; 3:13 the first
6:13 0112 two triggers answer the same requests: `GET h/:b`; the second; \
give them different paths, hosts or methods; 5:13 the first
9:13 0112 two triggers answer the same requests: `POST,PUT /...`; the second; \
give them different paths, hosts or methods; 7:13 the first",
    );
}

#[test]
fn reports_triggers_that_cannot_work() {
    check_app(
        "name = \"n\"
trigger.http = [
  { route = \"a\", component = \"a\" },
  { route = \"/a/{b}\", component = \"a\" },
  { route = \"/a\", component = \"a\", static = {} },
  { route = \"/b\", component = \"a\", private = true },
  { private = true, component = \"a\", host = \"x\", methods = [\"GET\"] },
  { private = true, static = {} },
  { route = \"/c\", component = \"a\", host = \"a.wharf.internal\" },
  { route = \"/d\", component = \"a\", host = \"a:80\" },
  { route = \"/e\", component = \"a\", methods = [\"get\", \"CONNECT\", \"A B\"] },
  { route = \"/f\", component = \"a\", methods = [] },
  { route = {}, component = \"a\" },
]",
        "
3:14 0109 a route starts with `/`; write `/a`
4:17 0109 `{` cannot be in a path; a part that may be anything is written `:name`
5:36 0119 a trigger has either a component or a static answer; 5:31 the component
6:46 0119 a private trigger has no route; not reachable from outside; 6:13 so no request can have this path
7:38 0119 a private trigger has no `host`; 7:15 private because of this
7:50 0119 a private trigger has no `methods`; 7:15 private because of this
8:21 0119 a private trigger has no `static`; 8:15 private because of this
9:43 0110 `wharf.internal` is for calls in process; write `private = true` instead of a host and a route
10:45 0110 the host of a route has no port; a route answers on every port that the node listens on; leave the port out
11:47 0111 HTTP methods are written in upper case; write `GET`
11:54 0111 `CONNECT` is for proxies and never reaches a component
11:65 0111 `A B` is not an HTTP method
12:46 0111 a route without methods answers nothing; leave `methods` out to answer every method
13:13 0101 `trigger.http.route` has no `private = true`; write the route as a text, or `{ private = true }`",
    );
}

#[test]
fn reports_static_answers_that_cannot_be_sent() {
    check_app(
        "name = \"n\"
trigger.http = [
  { route = \"/a\", static = { status = 99 } },
  { route = \"/b\", static = { status = 204, body = \"x\" } },
  { route = \"/c\", static = { headers = { Content-Length = \"1\", \"a b\" = \"\", x = \"a\\nb\", X = \"\" } } },
  { route = \"/d\", static = { headers = { content-type = \"a\" }, content-type = \"b\" } },
]",
        "
3:39 0120 the status of an answer is from 200 to 599
4:51 0120 an answer with status 204 has no body
5:42 0120 the header `Content-Length` is written by the server
5:64 0120 the header `a b` is not a valid header name
5:80 0120 the value of a header has characters that cannot be sent; use ASCII without line breaks and without space at the ends
5:88 0120 the header `X` is given twice
6:79 0123 the header `content-type` is given twice",
    );
}

#[test]
fn reports_grants_that_cannot_be_read() {
    check(
        &format!(
            "name = \"n\"\n{A}[component.a.grants]
http = [\"a.com\", \"https://a.com/v1\", \"ht\\u0074p://a b\"]
net = [\"db\"]
files = [\"a::/x\", \"b::/x/\", \"..\", {{ guest = \"x\" }}, {{ host = \"\" }}]
environment = {{ \"A=\" = \"1\", B = 2 }}
"
        ),
        "
5:10 0113 an HTTP grant needs a scheme; write `https://a.com`
5:32 0113 an HTTP grant has no path; a grant covers the whole server; leave the path out
5:38 0113 ` ` cannot be in a host name
6:9 0113 a network grant needs a port; write `db:443`, or `db:*` for every port
7:19 0123 two folders for the path `/x/` of the component; the second; 7:10 the first
7:30 0114 the path that the component sees goes up with `..`; write `HOST::GUEST`, as in `data::/data`
7:35 0101 `grants.files` has no `host`; write the folder on the node, as in `host = \"data\"`
7:61 0114 the folder on the node is empty
8:17 0115 the name of an environment variable has no `=` and no NUL
8:33 0102 `B` in `environment` has the wrong type; expected text, found a number",
    );
}

#[test]
fn components_come_from_files_urls_and_registries() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let source = |text: &str| {
        let app = sound(&format!("name = \"n\"\n[component.a]\nsource = {{ {text} }}\n"));
        app.components[0].source.clone()
    };
    let url = source(&format!("url = \"https://x/a.wasm\", digest = \"{digest}\""));
    assert_eq!(url, Source::Url { url: "https://x/a.wasm".to_owned(), digest: digest.clone() });
    let registry = |version: Option<&str>, digest: Option<&String>| Source::Registry {
        reference: "ghcr.io/a/b".to_owned(),
        version: version.map(str::to_owned),
        digest: digest.cloned(),
    };
    assert_eq!(source("registry = \"ghcr.io/a/b\", version = \"1.0.0\""), registry(Some("1.0.0"), None));
    assert_eq!(source(&format!("registry = \"ghcr.io/a/b\", digest = \"{digest}\"")), registry(None, Some(&digest)));
}

#[test]
fn a_source_that_names_nothing_is_told() {
    check(
        "name = \"n\"\n[component.a]\nsource = { registry = \"auth\", version = \"1\" }\n\
         [component.b]\nsource = { url = \"https://x\" }\n\
         [component.c]\nsource = \"https://x/c.wasm\"\n[component.d]\nsource = { path = \"d\", digest = \"x\" }\n\
         [component.e]\nsource = { registry = \"ghcr.io/a\" }\n[component.f]\nsource = { path = \"d\", url = \"x\" }\n\
         [component.g]\nsource = {}\n",
        "
3:23 0116 this names no artifact of a registry; write the registry and the name in it, as in `ghcr.io/acme/auth`
5:10 0101 `component.b.source` has no `digest`; write the digest of the file, `sha256:` and what `sha256sum` prints: nobody can change it unnoticed
7:10 0116 a path is no URL; write `source = { url = \"https://…\", digest = \"sha256:…\" }`
9:24 0116 a file has no `digest`; remove `digest`: `wharf.lock` has the digests of files
9:33 0116 a digest begins with `sha256:`
11:10 0101 `component.e.source` has no `version`; write a `version`, or better a `digest`, which nobody can move
13:24 0119 a component comes from one place; 13:12 the other place
15:10 0101 `component.g.source` has no `path`; write `path = \"FILE.wasm\"`, or a `url` with its `digest`",
    );
}

#[test]
fn what_comes_later_is_refused_where_ignoring_it_would_matter() {
    check(
        "name = \"n\"\n\n\n[component.a]\nsource = \"a\"\n\
         [[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n[[trigger.cron]]\n[[trigger.message]]\n",
        "
9:11 0117 this version of Wharf does not have triggers for times; not in this version; remove `cron`
10:11 0117 this version of Wharf does not have triggers for messages; not in this version; remove `message`",
    );
}

#[test]
fn capabilities_that_come_later_are_kept_with_a_warning() {
    let manifest = format!("name = \"n\"\n{A}[component.a.grants]\ninference = [\"default\"]\n");
    check(&manifest, "5:1 0118 this version of Wharf does not provide `inference` yet; the grant has no effect");
    let later = parse(&manifest).0.unwrap().components[0].grants.later.clone();
    assert_eq!(later.iter().map(|grant| grant.capability.as_str()).collect::<Vec<_>>(), ["inference"]);
}

#[test]
fn labels_are_a_list_or_a_table_with_bounds() {
    let manifest = format!(
        "name = \"n\"\n{A}[component.a.grants]\nkeyvalue = [\"default\", \"carts\"]\n\
         sql = {{ orders = {{ access = \"read\", timeout = \"1s\", concurrency = 4, size = \"1MiB\" }}, audit = {{}} }}\n"
    );
    let (app, problems) = parse(&manifest);
    assert_eq!(problems, []);
    let grants = &app.unwrap().components[0].grants;
    let names: Vec<_> = grants.keyvalue.iter().map(|grant| (grant.label.as_str(), grant.access)).collect();
    assert_eq!(names, [("default", Access::ReadWrite), ("carts", Access::ReadWrite)]);
    let orders = grants.sql.iter().find(|grant| grant.label == "orders").unwrap();
    assert_eq!((orders.access, orders.timeout), (Access::ReadOnly, Some(Duration::from_secs(1))));
    assert_eq!((orders.concurrency, orders.size_bytes), (Some(4), Some(1 << 20)));
}

#[test]
fn labels_that_cannot_be_are_reported() {
    check(
        &format!(
            "name = \"n\"\n{A}[component.a.grants]\nkeyvalue = [\"Default\", \"a\", \"a\", 1]\n\
             sql = {{ a = {{ acces = \"read\", timeout = \"0s\" }}, b = {{ access = \"all\" }}, c = true }}\nblobstore = \"x\"\n"
        ),
        "
5:13 0125 `Default` is no label: it does not start with a lower-case letter; labels are names that you choose, such as `default` or `orders`
5:29 0123 the label `a` is there twice; the second; 5:24 the first
5:34 0102 an entry of `keyvalue` has the wrong type; expected text, found a number
6:15 0103 unknown key `acces` in `grants.sql.a`; did you mean `access`?
6:41 0107 `timeout` is too small; at least 1ms: no backend answers sooner
6:64 0102 `access` is `\"read\"` or `\"read-write\"`
6:77 0102 `grants.sql.c` has the wrong type; expected table, found `true` or `false`
7:13 0102 `blobstore` has the wrong type; expected list of labels, or tables by label, found a text",
    );
}

#[test]
fn messages_are_only_sent() {
    let manifest = |access: &str| {
        format!("name = \"n\"\n{A}[component.a.grants]\nmessaging = {{ news = {{ access = \"{access}\" }} }}\n")
    };
    check(
        &manifest("read"),
        "5:33 0102 `access` to messages is `\"read-write\"`, as they are only sent; \
         leave `access` out, or the label if the component may not send",
    );
    let (app, problems) = parse(&manifest("read-write"));
    assert_eq!((problems, app.unwrap().components[0].grants.messaging[0].access), (vec![], Access::ReadWrite));
}

#[test]
fn syntax_errors_do_not_hide_other_problems() {
    check(
        "name = \nversion = \"1\n[component.a\nsource = 1\n[component.b]\nsource = \"x\"\nlimits = { memory = 0,\n  memory = 1 }\n= 3\n",
        "
1:8 0100 the key has no value
2:13 0100 invalid basic string; expected `\"`
3:13 0100 unclosed table; expected `]`
7:21 0107 `memory` is too small; at least 64KiB: one page of WebAssembly memory
8:3 0100 duplicate key
9:1 0100 unquoted keys cannot be empty; expected letters, numbers, `-`, `_`",
    );
}

#[test]
fn a_syntax_error_is_one_problem_and_not_more() {
    let manifest = |damaged: &str, sound: &str| SHOP.replacen(sound, damaged, 1);
    for (damaged, expected) in [
        // A header that cannot be read, or is not where a header is.
        (manifest("[component.auth", "[component.auth]"), "17:16 0100 unclosed table; expected `]`"),
        (
            manifest("[component.auth]]", "[component.auth]"),
            "17:17 0100 unexpected key or value; expected newline, `#`",
        ),
        (
            manifest("build.7\"}[component.web]", "build.7\"\n\n[component.web]"),
            "3:31 0100 unexpected key or value; expected newline, `#`",
        ),
        // A value that is not there, which has no place either.
        (manifest("source = = \"auth.wasm\"", "source = \"auth.wasm\""), "18:10 0100 extra `=`; expected nothing"),
    ] {
        check(&damaged, expected);
    }
    // What belongs to the next table is read again, and what stands before the error was read already.
    check(
        "name = 1\nversion = \"1\"]\nx = 1\n[component.a]\nsource = \"a\"\ny = 1\n",
        "
1:8 0102 `name` has the wrong type; expected text, found a number; put quotes around it
2:14 0100 unexpected key or value; expected newline, `#`
6:1 0103 unknown key `y` in `component.a`; not known; the keys here are `source`, `build`, `limits`, `reuse`, \
`grants`, `dependencies`",
    );
}

#[test]
fn deep_long_and_hostile_manifests_end() {
    let app = format!("name = \"n\"\n{A}");
    for text in [
        "a=".to_owned() + &"[".repeat(50_000),
        "a.".repeat(50_000) + "b=1",
        "[[a]]\n".repeat(20_000),
        "=\n".repeat(100_000),
        "a=1\n".repeat(50_000),
        format!("{app}grants.files = [{}]", "'a', ".repeat(20_000)),
        format!("{app}grants.http = [{}]", "'http://b.wharf.internal', ".repeat(10_000)),
        app + &"[[trigger.http]]\nroute='/'\ncomponent='b'\n".repeat(5_000),
        "#".repeat(1 << 21),
    ] {
        let (app, problems) = parse(&text);
        assert!(app.is_none() && (1..=200).contains(&problems.len()));
        assert!(problems.iter().any(|problem| problem.severity == Severity::Error));
        let _ = render(&problems, "wharf.toml", &text);
    }
}

#[test]
fn a_long_name_is_not_repeated_in_each_problem_of_its_table() {
    let keys: String = (0..1000).map(|at| format!("k{at} = 1\n")).collect();
    let text = format!("name = \"n\"\n[component.\"{}\"]\nsource = \"b\"\n{keys}", "é".repeat(100_000));
    let (_, problems) = parse(&text);
    assert_eq!(problems.len(), 200);
    let shown = render(&problems, "wharf.toml", &text);
    assert!(shown.len() < 500_000, "{} bytes", shown.len());
    assert!(shown.contains(&format!("unknown key `k7` in `component.{}…`", "é".repeat(63))), "{}", &shown[..2000]);
}

#[test]
fn many_wrong_names_are_compared_with_many_right_ones_in_no_time() {
    let right: String = (0..256).map(|at| format!("[component.a{at:020}]\nsource='a'\n")).collect();
    let wrong: String =
        (0..9000).map(|at| format!("[[trigger.http]]\nroute='/{at}'\ncomponent='{at:b>20}'\n")).collect();
    let text = format!("name='n'\n{wrong}{right}");
    let (_, problems) = parse(&text);
    assert_eq!(problems.len(), 200);
    assert!(problems.last().unwrap().message.ends_with("bb199`"), "the first of the file");
}

#[test]
fn many_methods_of_one_path_are_compared_in_no_time() {
    let triggers = |methods: &dyn Fn(usize) -> String| -> String {
        (0..10_000).map(|at| format!("[[trigger.http]]\nroute='/'\nmethods=[{}]\nstatic={{}}\n", methods(at))).collect()
    };
    let app = sound(&format!("name = 'n'\n{}", triggers(&|at| format!("'A{at}'"))));
    assert_eq!(app.http.len(), 10_000);
    let list = |start: usize| (start..start + 40_000).map(|at| format!("'{at}',")).collect::<String>();
    let two = [0, 40_000].map(|start| format!("[[trigger.http]]\nroute='/'\nstatic={{}}\nmethods=[{}]\n", list(start)));
    assert_eq!(sound(&format!("name = 'n'\n{}", two.concat())).http.len(), 2);
}

proptest! {
    #[test]
    fn any_text_is_answered_without_a_panic(text in r"[\PC\n\r\t]{0,200}") {
        let (app, problems) = parse(&text);
        prop_assert_eq!(app.is_some(), problems.iter().all(|problem| problem.severity == Severity::Warning));
        let _ = render(&problems, "wharf.toml", &text);
    }

    /// Cuts and doubles parts of a sound manifest, which reaches further into the reader than arbitrary text does.
    #[test]
    fn a_damaged_manifest_is_answered_without_a_panic(
        cuts in proptest::collection::vec((0..SHOP.len(), 0..60usize, any::<bool>()), 1..6),
    ) {
        let mut text = SHOP.to_owned();
        for (start, len, double) in cuts {
            let start = start.min(text.len());
            let end = (start + len).min(text.len());
            let (start, end) = (text.floor_char_boundary(start), text.floor_char_boundary(end));
            let part = if double { text[start..end].repeat(2) } else { String::new() };
            text.replace_range(start..end, &part);
        }
        let (app, problems) = parse(&text);
        prop_assert_eq!(app.is_some(), problems.iter().all(|problem| problem.severity == Severity::Warning));
        for problem in &problems {
            prop_assert!(text.get(problem.span.clone()).is_some());
        }
        let _ = render(&problems, "wharf.toml", &text);
    }
}
