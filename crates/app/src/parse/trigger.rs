//! Reads `[[trigger.http]]`.

use toml::Spanned;
use toml::de::DeValue;

use super::{Mention, refuse_later};
use crate::app::{HttpTrigger, Middleware, StaticResponse, Target};
use crate::codes;
use crate::grant::INTERNAL_SUFFIX;
use crate::read::{Problems, Section, as_text, wrong_type};
use crate::route::{Methods, PathPattern, Route, RouteHost};
use wharf_problem::{Problem, Span};

mod fixed;

const PATH: &str = "trigger.http";

pub(super) fn read(root: &Section<'_>, mentions: &mut Vec<Mention>, problems: &mut Problems) -> Vec<HttpTrigger> {
    let Some(section) = root.section("trigger", "trigger", problems) else { return Vec::new() };
    refuse_later(&section, "cron", "triggers for times", problems);
    refuse_later(&section, "message", "triggers for messages", problems);
    let mut triggers = Vec::new();
    for value in section.list("http", problems) {
        let DeValue::Table(table) = value.get_ref() else {
            let problem = wrong_type(value.span(), "an entry of `trigger.http`", "table", value.get_ref());
            problems.add(problem.with_help("write `[[trigger.http]]`"));
            continue;
        };
        let section = Section::open(table, value.span(), PATH, PATH.to_owned(), problems);
        triggers.extend(read_http(&section, mentions, problems));
    }
    triggers
}

fn read_http(section: &Section<'_>, mentions: &mut Vec<Mention>, problems: &mut Problems) -> Option<HttpTrigger> {
    let path = read_path(section, problems);
    let host = read_host(section, problems);
    let methods = read_methods(section, problems);
    let target = read_target(section, matches!(path, Path::Private(_)), mentions, problems);
    let middleware = read_middleware(section, mentions, problems);
    let (route, span) = match path {
        Path::Invalid => return None,
        Path::Private(span) => {
            refuse_what_private_has_no_use_for(section, &span, problems);
            (None, span)
        }
        Path::Public(path, span) => (Some(Route { host: host?, path, methods: methods? }), span),
    };
    Some(HttpTrigger { route, target: target?, middleware, span })
}

enum Path {
    Public(PathPattern, Span),
    Private(Span),
    Invalid,
}

/// Reads `route` and `private`, either of which can say that a trigger is private.
fn read_path(section: &Section<'_>, problems: &mut Problems) -> Path {
    let private = section.bool("private", problems).filter(|private| *private.get_ref());
    let route = match section.value("route") {
        None => None,
        Some(value) => match value.get_ref() {
            DeValue::String(_) => as_text(value),
            DeValue::Table(_) => {
                let Some(table) = section.section("route", "trigger.http.route", problems) else {
                    return Path::Invalid;
                };
                if table.bool("private", problems).is_some_and(Spanned::into_inner) {
                    return Path::Private(value.span());
                }
                table.missing("private = true", "write the route as a text, or `{ private = true }`", problems);
                return Path::Invalid;
            }
            _ => {
                section.mistyped::<()>("route", value, problems);
                return Path::Invalid;
            }
        },
    };
    match (route, private) {
        (None, Some(private)) => Path::Private(private.span()),
        (None, None) => {
            section.missing("route", "write `route = \"/...\"` to answer every path, or `private = true`", problems);
            Path::Invalid
        }
        (Some(route), Some(private)) => {
            let problem = Problem::error(codes::EXCLUSIVE, private.span(), "a private trigger has no route");
            let problem = problem.with_label("not reachable from outside");
            problems.add(problem.with_related(route.span(), "so no request can have this path"));
            Path::Private(private.span())
        }
        (Some(route), None) => match PathPattern::parse(route.get_ref()) {
            Ok(path) => Path::Public(path, route.span()),
            Err(error) => {
                problems.add_pattern(codes::PATH_PATTERN, &route, error);
                Path::Invalid
            }
        },
    }
}

fn refuse_what_private_has_no_use_for(section: &Section<'_>, private: &Span, problems: &mut Problems) {
    for key in ["host", "methods", "static"] {
        if let Some(span) = section.key_span(key) {
            let problem = Problem::error(codes::EXCLUSIVE, span, format!("a private trigger has no `{key}`"));
            problems.add(problem.with_related(private.clone(), "private because of this"));
        }
    }
}

/// Returns the hosts, or nothing when they cannot be used: a guess would only conflict with other routes.
fn read_host(section: &Section<'_>, problems: &mut Problems) -> Option<RouteHost> {
    if section.value("host").is_none() {
        return Some(RouteHost::Any);
    }
    let text = section.text("host", problems)?;
    match RouteHost::parse(text.get_ref()) {
        Ok(RouteHost::Exact(name) | RouteHost::Suffix(name)) if is_internal(&name) => {
            let problem = Problem::error(codes::ROUTE_HOST, text.span(), "`wharf.internal` is for calls in process");
            problems.add(problem.with_help("write `private = true` instead of a host and a route"));
            None
        }
        Ok(host) => Some(host),
        Err(error) => {
            problems.add_pattern(codes::ROUTE_HOST, &text, error);
            None
        }
    }
}

fn is_internal(host: &str) -> bool {
    host.ends_with(INTERNAL_SUFFIX) || host == &INTERNAL_SUFFIX[1..]
}

/// Returns the methods, or nothing when one of them cannot be used.
fn read_methods(section: &Section<'_>, problems: &mut Problems) -> Option<Methods> {
    let Some(value) = section.value("methods") else { return Some(Methods::Any) };
    let names = section.texts("methods", problems);
    let list = value.get_ref().as_array()?;
    if list.is_empty() {
        let problem = Problem::error(codes::METHOD, value.span(), "a route without methods answers nothing");
        problems.add(problem.with_help("leave `methods` out to answer every method"));
        return None;
    }
    let mut sound = names.len() == list.len();
    for name in &names {
        if let Some(problem) = method_problem(name) {
            problems.add(problem);
            sound = false;
        }
    }
    sound.then(|| Methods::only(names.into_iter().map(|name| name.into_inner().to_owned())))
}

fn method_problem(name: &Spanned<&str>) -> Option<Problem> {
    let text = *name.get_ref();
    let error = |message: String| Some(Problem::error(codes::METHOD, name.span(), message));
    if text.is_empty() || !text.bytes().all(fixed::is_token_byte) {
        error(format!("`{text}` is not an HTTP method"))
    } else if text == "CONNECT" {
        error("`CONNECT` is for proxies and never reaches a component".to_owned())
    } else if text.bytes().any(|b| b.is_ascii_lowercase()) {
        let problem = error("HTTP methods are written in upper case".to_owned());
        problem.map(|problem| problem.with_help(format!("write `{}`", text.to_ascii_uppercase())))
    } else {
        None
    }
}

/// More than anybody needs, and few enough for a chain to be one request's work.
const MIDDLEWARE_MAX: usize = 8;

fn read_middleware(section: &Section<'_>, mentions: &mut Vec<Mention>, problems: &mut Problems) -> Vec<Middleware> {
    let names = section.texts("middleware", problems);
    if let Some(extra) = names.get(MIDDLEWARE_MAX) {
        let message = format!("a trigger has at most {MIDDLEWARE_MAX} components as middleware");
        problems.add(Problem::error(codes::BOUNDS, extra.span(), message));
    }
    let mut middleware: Vec<Middleware> = Vec::new();
    let target = section.value("component").and_then(as_text);
    for name in names.into_iter().take(MIDDLEWARE_MAX) {
        mentions.push(Mention { name: (*name.get_ref()).to_owned(), span: name.span() });
        let first = middleware.iter().find(|other| other.component == *name.get_ref()).map(|other| other.span.clone());
        let first =
            first.or_else(|| target.as_ref().filter(|target| target.get_ref() == name.get_ref()).map(Spanned::span));
        if let Some(first) = first {
            let message = format!("a request would pass `{}` twice", name.get_ref());
            let problem = Problem::error(codes::DUPLICATE, name.span(), message);
            problems.add(problem.with_label("the second time").with_related(first, "here too"));
        }
        middleware.push(Middleware { component: name.get_ref().to_string(), span: name.span() });
    }
    middleware
}

fn read_target(
    section: &Section<'_>,
    private: bool,
    mentions: &mut Vec<Mention>,
    problems: &mut Problems,
) -> Option<Target> {
    let component = section.text("component", problems);
    if let Some(name) = &component {
        mentions.push(Mention { name: (*name.get_ref()).to_owned(), span: name.span() });
    }
    let answer: Option<StaticResponse> =
        section.section("static", "trigger.http.static", problems).map(|table| fixed::read(&table, problems));
    if let (Some(name), Some(span)) = (&component, section.key_span("static"))
        && !private
    {
        let problem = Problem::error(codes::EXCLUSIVE, span, "a trigger has either a component or a static answer");
        problems.add(problem.with_related(name.span(), "the component"));
    }
    if section.value("component").is_none() && section.value("static").is_none() {
        section.missing("component", "write `component = \"NAME\"`, or a `static` answer", problems);
    }
    component.map(|name| Target::Component(name.into_inner().to_owned())).or(answer.map(Target::Static))
}
