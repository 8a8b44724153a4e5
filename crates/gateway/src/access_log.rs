//! One line for each request, written when its answer was sent or the client left.

use http::Request;
use http::response::Parts;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use wharf_runtime::Component;
use wharf_telemetry::log::{Access, Log, Record};
use wharf_telemetry::{RequestId, clock};
use wharf_trigger::ErrorCode;

/// The line of one request, being filled in. Written when dropped.
pub(crate) struct Entry {
    log: Log,
    started: Instant,
    access: Option<Access>,
}

impl Entry {
    pub(crate) fn start<B>(log: &Log, request: &Request<B>, client: SocketAddr, id: &RequestId) -> Self {
        let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
        let access = Access {
            at: clock::wall(),
            request: id.clone(),
            client: client.to_string(),
            method: request.method().to_string(),
            host: request.uri().authority().map(|authority| authority.as_str()).or(host).unwrap_or("-").to_owned(),
            path: request.uri().path().to_owned(),
            status: 0,
            component: None,
            response_bytes: 0,
            duration: std::time::Duration::ZERO,
            error: None,
        };
        Self { log: log.clone(), started: clock::now(), access: Some(access) }
    }

    pub(crate) fn answered(mut self, parts: &Parts, component: Option<&Component>) -> Self {
        if let Some(access) = &mut self.access {
            access.status = parts.status.as_u16();
            access.error = parts.extensions.get().map(|ErrorCode(code)| *code);
            access.component = component.map(|component| {
                let identity = component.identity();
                (Arc::clone(&identity.app), Arc::clone(&identity.component))
            });
        }
        self
    }

    pub(crate) fn count(&mut self, bytes: usize) {
        if let Some(access) = &mut self.access {
            access.response_bytes += bytes as u64;
        }
    }

    pub(crate) fn broke_off(&mut self, code: &'static str) {
        if let Some(access) = &mut self.access {
            access.error = Some(code);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(mut access) = self.access.take() {
            access.at = clock::wall();
            access.duration = clock::since(self.started);
            self.log.write(Record::Access(access));
        }
    }
}
