//! The app as a program of a test sees it: a server at every address.

use super::ask;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;
use wharf_gateway::Gateway;
use wharf_host::{Reply, ReplyFuture, Servers, Simulation};

/// Sends what a program of a test sends to servers to the routes of the app.
pub(super) struct Front {
    gateway: Arc<Gateway>,
    world: Arc<Simulation>,
}

impl Front {
    pub(super) fn new(gateway: Arc<Gateway>, world: Arc<Simulation>) -> Self {
        Self { gateway, world }
    }
}

impl Servers for Front {
    fn answer(&self, mut request: Request<Bytes>, patience: Option<Duration>) -> ReplyFuture {
        to_origin(&mut request);
        let gateway = Arc::clone(&self.gateway);
        #[expect(clippy::disallowed_methods, reason = "owned by the future, which aborts it when dropped")]
        let asked = tokio::task::spawn(async move { ask(&gateway, request).await });
        let task = Task(asked.abort_handle());
        let world = Arc::clone(&self.world);
        Box::pin(async move {
            let _task = task;
            let answer = async {
                match asked.await {
                    Ok(asked) if asked.broken.is_none() => Reply::Answer(asked.response.map(|()| asked.body)),
                    _ => Reply::BrokenOff,
                }
            };
            let Some(patience) = patience else { return answer.await };
            tokio::select! {
                biased;
                reply = answer => reply,
                () = world.sleep(patience) => Reply::Late,
            }
        })
    }

    fn note(&self, _: &Request<Bytes>, _: &Response<Bytes>) {}
}

/// Makes of a URL what a client would send: the host in its header, and of the rest the path.
fn to_origin(request: &mut Request<Bytes>) {
    let uri = std::mem::take(request.uri_mut());
    if let Some(host) = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok()) {
        request.headers_mut().insert(HOST, host);
    }
    let path = uri.into_parts().path_and_query;
    *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);
}

/// Ends its task when dropped.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
