//! A component that is ready to be called: compiled, linked, with its limits and its gate.

use crate::admit::{Gate, Need, Permit};
use crate::engine::Engine;
use crate::limits::{Limits, Reuse};
use crate::outcome::Cause;
use std::sync::Arc;
use wasmtime::component::InstancePre;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wharf_host::{Ctx, Outbound, Recipe};

/// Which component this is, for people and logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The app.
    pub app: Arc<str>,
    /// The component's name in the app.
    pub component: Arc<str>,
    /// The digest of its bytes, `blake3:…`.
    pub digest: Arc<str>,
}

/// The HTTP export of a component, resolved.
pub(crate) enum Handler {
    /// `wasi:http/incoming-handler@0.2.x`.
    P2(ProxyPre<Ctx>),
    /// `wasi:http/handler@0.3.x`.
    P3(ServicePre<Ctx>),
}

/// A component that is ready to be called. Shared by all cores; holds no instance.
pub struct Component {
    pub(crate) identity: Identity,
    pub(crate) engine: Engine,
    pub(crate) pre: InstancePre<Ctx>,
    pub(crate) handler: Option<Handler>,
    pub(crate) limits: Limits,
    pub(crate) reuse: Option<Reuse>,
    pub(crate) recipe: Arc<Recipe>,
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) gate: Gate,
    /// Tells instances of this version apart from those of an earlier one in the per-core pools.
    pub(crate) serial: u64,
}

impl Component {
    /// Returns which component this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns its limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns how many invocations run now, those included whose response is still being sent.
    pub fn running(&self) -> usize {
        self.gate.running()
    }

    /// Returns the version of `wasi:http` that the component serves, if it serves any.
    pub fn serves(&self) -> Option<&'static str> {
        self.handler.as_ref().map(|handler| match handler {
            Handler::P2(_) => "wasi:http@0.2",
            Handler::P3(_) => "wasi:http@0.3",
        })
    }

    pub(crate) async fn admit(&self, need: Need) -> Result<Permit, Cause> {
        self.gate.enter(need, self.limits.wall).await
    }
}
