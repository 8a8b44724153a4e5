//! One request at a time: fresh instances, reused ones, and what is left after them.

use http_body_util::{BodyExt, Empty};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wharf_host::{Caller, Outbound, Recipe, Stdio};
use wharf_runtime::{Call, Component, Diagnostics, Lane, Limits, Reuse, Runtime, Settings, Source, digest, invoke};
use wharf_telemetry::log::Log;

fn load(guest: &str, limits: Limits, reuse: Option<Reuse>) -> Arc<Component> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests").join(format!("{guest}.wasm"));
    let bytes =
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask guests`", path.display()));
    let runtime = Runtime::new(Settings { instances: 8, ..Settings::default() }, None);
    let source = Source {
        app: "app".into(),
        component: guest.into(),
        bytes: &bytes,
        digest: digest(&bytes),
        lane: if guest.ends_with("-p3") { Lane::Concurrent } else { Lane::Plain },
        limits,
        reuse,
        recipe: Recipe::bare("app", guest, Stdio::Log(Log::discard())),
        outbound: Outbound::denied("app".into(), guest.into()),
        dependencies: Vec::new(),
        diagnostics: Diagnostics::default(),
    };
    runtime.load(source).unwrap().component
}

pub(crate) async fn get(component: &Arc<Component>, path: &str) -> (u16, String) {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = http::Request::get(format!("http://localhost{path}")).body(body).unwrap();
    match invoke::http::handle(component, Call { request, caller: Caller::default() }).await {
        Ok(response) => {
            let status = response.status().as_u16();
            match response.into_body().collect().await {
                Ok(body) => (status, String::from_utf8_lossy(&body.to_bytes()).into_owned()),
                Err(failure) => (status, format!("broken: {failure}")),
            }
        }
        Err(failure) => (failure.cause.status(), failure.to_string()),
    }
}

async fn settled(component: &Component) {
    let idle = async {
        while component.running() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), idle).await.expect("every permit comes back");
}

#[tokio::test]
async fn more_requests_than_slots_are_answered_one_after_the_other() {
    for guest in ["hello", "hello-p3", "hello-c", "hello-c-p3"] {
        let component = load(guest, Limits::default(), None);
        for _ in 0..20 {
            let (status, body) = get(&component, "/").await;
            assert_eq!(status, 200, "{guest}: {body}");
            assert!(body.starts_with("hello"), "{guest}: {body}");
            assert!(component.running() <= 1, "{guest}: a guest is still running after its answer");
        }
        settled(&component).await;
    }
}

#[tokio::test]
async fn a_reused_instance_keeps_its_memory_up_to_its_bound() {
    for guest in ["misbehave", "misbehave-p3"] {
        let reuse = Reuse { requests: 3, concurrent: 2, idle: Duration::from_secs(5) };
        let component = load(guest, Limits::default(), Some(reuse));
        let mut counts = Vec::new();
        for _ in 0..7 {
            counts.push(get(&component, "/count").await.1.trim().to_owned());
        }
        assert_eq!(counts, ["1", "2", "3", "1", "2", "3", "1"], "{guest}");
    }
}

#[tokio::test]
async fn a_fresh_instance_remembers_nothing() {
    for guest in ["misbehave", "misbehave-p3"] {
        let component = load(guest, Limits::default(), None);
        for _ in 0..3 {
            assert_eq!(get(&component, "/count").await.1.trim(), "1", "{guest}");
        }
    }
}

#[tokio::test]
async fn a_guest_that_spins_ends_at_its_budget() {
    for guest in ["misbehave", "misbehave-p3"] {
        let limits = Limits { cpu: Duration::from_millis(20), ..Limits::default() };
        let component = load(guest, limits.clone(), None);
        assert_eq!(get(&component, "/loop-before").await.0, 504, "{guest}");
        assert!(get(&component, "/loop-mid").await.1.contains("broken"), "{guest}");
        get(&component, "/loop-after").await;
        settled(&component).await;
        let reuse = Reuse { requests: 3, concurrent: 2, idle: Duration::from_secs(5) };
        let component = load(guest, limits, Some(reuse));
        assert_eq!(get(&component, "/loop-before").await.0, 504, "{guest} reused");
        assert_eq!(get(&component, "/ok").await.0, 200, "{guest} reused");
    }
}
