//! How much one app, and one component, may use.

use crate::support::*;
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use wharf_http::{Asked, Error, Limits, Quota};

/// Answers when the test lets it.
async fn gated() -> (Server, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let server = Server::http(None, move |_| {
        let opened = Arc::clone(&opened);
        async move {
            opened.acquire().await.unwrap().forget();
            answer("x")
        }
    })
    .await;
    (server, gate)
}

fn of(quota: &Arc<Quota>) -> Setup {
    Setup { quota: Arc::clone(quota), ..Setup::default() }
}

fn hasty() -> Asked {
    Asked { connect: Some(Duration::from_millis(20)), ..Asked::default() }
}

#[tokio::test]
async fn an_app_has_so_many_connections() {
    let (server, gate) = gated().await;
    let quota = Arc::new(Quota::new(1));
    let (first, second) = (of(&quota).client(), of(&quota).client());
    let url = server.url("/");
    let mut held = Box::pin(text(&first, get(&url)));
    tokio::select! {
        _ = &mut held => panic!("nobody let it be answered"),
        () = until("the first has the place", || quota.used() == 1) => {}
    }
    let error = refused(soon(second.send(get(&url), hasty())).await);
    assert!(matches!(error, Error::Connections(1)), "{error:?}");
    // The connection that the first component is done with is closed for the second one.
    gate.add_permits(2);
    let (a, b) = tokio::join!(held, text(&second, get(&url)));
    assert_eq!((a.unwrap(), b.unwrap()), ("x".into(), "x".into()));
    assert_eq!((quota.used(), server.accepted()), (1, 2));
}

#[tokio::test]
async fn an_unused_connection_gives_its_place_to_who_needs_it() {
    let (server, gate) = gated().await;
    gate.add_permits(10);
    let quota = Arc::new(Quota::new(2));
    let clients = [of(&quota).client(), of(&quota).client(), of(&quota).client()];
    for client in &clients {
        text(client, get(&server.url("/"))).await.unwrap();
    }
    assert_eq!((quota.used(), server.accepted()), (2, 3));
}

#[tokio::test]
async fn who_waits_for_a_place_takes_a_connection_that_is_returned() {
    let (server, gate) = gated().await;
    gate.add_permits(10);
    let quota = Arc::new(Quota::new(1));
    let client = of(&quota).client();
    let url = server.url("/");
    let requests = (0..5).map(|_| text(&client, get(&url)));
    for answered in futures_util::future::join_all(requests).await {
        assert_eq!(answered.unwrap(), "x");
    }
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn a_component_has_so_many_requests_until_they_are_read() {
    let server = Server::http(None, |_| async { answer(vec![b'x'; 1 << 20]) }).await;
    let limits = Limits { requests: 1, ..Limits::default() };
    let client = Setup { limits, ..Setup::default() }.client();
    let unread = send(&client, get(&server.url("/"))).await.unwrap();
    let error = refused(soon(client.send(get(&server.url("/")), hasty())).await);
    assert!(matches!(error, Error::Requests(1)), "{error:?}");
    assert_eq!(soon(unread.into_body().collect()).await.unwrap().to_bytes().len(), 1 << 20);
    assert_eq!(text(&client, get(&server.url("/"))).await.unwrap().len(), 1 << 20);
}
