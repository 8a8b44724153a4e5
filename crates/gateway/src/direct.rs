//! Stops 1 to 4 left out: a request that is made in this process, answered as one that came by a connection.
//!
//! In: a request. Out: the answer, with a body that runs its guest while it is read. Next: [`crate::service`].

use crate::Gateway;
use crate::service::Connection;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use wharf_trigger::http::Origin;
use wharf_trigger::{BodyError, Forwarding};

impl Gateway {
    /// Answers a request as if `client` had sent it on a connection of its own, without TLS. Absent if the client left, and this one never
    /// does.
    pub async fn ask(
        self: &Arc<Self>,
        request: Request<Bytes>,
        client: SocketAddr,
    ) -> Option<Response<impl Body<Data = Bytes, Error = BodyError> + use<>>> {
        let forwarding = Forwarding::new(client, false, self.trusts(client.ip()));
        let origin = Origin { secure: false, forwarding, page: self.page };
        let connection = Arc::new(Connection::new(Arc::clone(self), origin, client, None));
        let body = |bytes| Full::new(bytes).map_err(|never: Infallible| -> hyper::Error { match never {} });
        connection.answer(request.map(body)).await.ok()
    }
}
