//! A component that is ready to be called: compiled, linked, with its limits and its gate.

use crate::admit::{Gate, Need, Permit};
use crate::diagnose::Diagnostics;
use crate::limits::{Limits, Reuse};
use crate::outcome::{Cause, Failure};
use crate::profile::{Profiles, Sampled};
use crate::trace;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wasmtime::component::InstancePre;
use wasmtime::{Error, Store};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wharf_debugger::Debuggee;
use wharf_engine::Engine;
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
    pub(crate) diagnostics: Diagnostics,
    /// Where samples of this version are kept, if it is profiled.
    pub(crate) sampled: Option<Arc<Sampled>>,
    /// What a debugger stops, if it is the one that is debugged.
    pub(crate) debuggee: Option<Debuggee>,
    /// Whether it was said that its traps have no source lines.
    pub(crate) is_noted: AtomicBool,
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

    /// Returns the same component, whose instances get other command line arguments. It has a gate of its own.
    #[must_use]
    pub fn with_arguments(&self, arguments: Vec<String>) -> Self {
        Self {
            identity: self.identity.clone(),
            engine: self.engine.clone(),
            pre: self.pre.clone(),
            handler: None,
            limits: self.limits.clone(),
            reuse: None,
            recipe: Arc::new(Recipe { arguments, ..Recipe::clone(&self.recipe) }),
            outbound: Arc::clone(&self.outbound),
            gate: self.gate.again(self.limits.queue),
            diagnostics: self.diagnostics.clone(),
            sampled: self.sampled.clone(),
            debuggee: self.debuggee.clone(),
            is_noted: AtomicBool::new(false),
            serial: self.serial,
        }
    }

    pub(crate) async fn admit(&self, need: Need) -> Result<Permit, Cause> {
        let mut permit = self.gate.enter(need, self.limits.wall).await?;
        permit.counted = self.diagnostics.profiles.as_ref().map(Profiles::count);
        Ok(permit)
    }

    /// Tells why an instance failed, with all that helps to find the reason: its stack, and a core dump if they are written.
    pub(crate) fn failure(&self, error: &Error, store: &mut Store<Ctx>) -> Failure {
        let trace = trace::describe(error, self.diagnostics.sources.as_deref());
        let mut text = trace.text;
        if trace.is_without_lines && !self.is_noted.swap(true, Ordering::Relaxed) {
            text.push_str(trace::note_without_lines());
        }
        if let Some(dumps) = &self.diagnostics.dumps {
            let name = format!("{}-{}", self.identity.app, self.identity.component);
            if let Some(line) = dumps.write(&name, error, &mut *store) {
                text.push('\n');
                text.push_str(&line);
            }
        }
        Failure::from_engine(error, store.data().budget.refusal(), text)
    }
}
