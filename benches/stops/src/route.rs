//! Stop 5, the route match, in a table of a thousand apps under names of their own, a thousand under wildcards and a
//! thousand that share the host.

use std::hint::black_box;

use anyhow::{Context as _, Result};
use http::Method;
use wharf_app::{Methods, PathPattern, Route, RouteHost};
use wharf_gateway::router::Router;

use crate::Stop;

const APPS: usize = 1000;
const PATHS: &[&str] = &["/", "/users/list", "/users/:id", "/users/:id/orders/:order", "/files/...", "/health"];

/// Returns the look-up of one `GET` request.
pub(crate) fn find(host: &'static str, path: &'static str) -> Result<Stop> {
    let router = table()?;
    Ok(Box::new(move || {
        black_box(router.find(Some(black_box(host)), black_box(path), &Method::GET));
    }))
}

fn table() -> Result<Router<usize>> {
    let mut apps = Vec::new();
    for number in 0..APPS {
        for host in [format!("app-{number}.example.com"), format!("*.wild-{number}.example.org")] {
            let host = RouteHost::parse(&host).ok().with_context(|| format!("`{host}` is no host"))?;
            let routes = PATHS.iter().map(|path| Ok((route(host.clone(), path)?, number)));
            apps.push(routes.collect::<Result<Vec<_>>>()?);
        }
        apps.push(vec![(route(RouteHost::Any, &format!("/c{number}"))?, number)]);
    }
    Ok(Router::new(apps)?)
}

fn route(host: RouteHost, path: &str) -> Result<Route> {
    let path = PathPattern::parse(path).ok().with_context(|| format!("`{path}` is no path"))?;
    Ok(Route { host, path, methods: Methods::Any })
}
