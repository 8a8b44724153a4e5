//! The one store type: everything a guest's calls can reach, as plain fields.

use crate::capabilities::Used;
use crate::outbound::{Hooks, Outbound};
use crate::sockets::{self, Reach};
use crate::{Budget, Recipe};
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wharf_kit::Counts;
use wharf_telemetry::RequestId;

/// Header bytes that one message of a guest may carry.
const HEADER_BYTES: usize = 64 * 1024;

/// Who caused an invocation, handed on to what the guest calls.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The request that is being answered.
    pub request: Option<RequestId>,
    /// How many components called each other in process to get here.
    pub depth: u8,
}

/// What one store holds. Small, because one is made for each request: the WASI part is built when the guest first asks for it.
pub struct Ctx {
    pub(crate) recipe: Arc<Recipe>,
    pub(crate) used: Used,
    caller: Caller,
    wasi: Option<WasiCtx>,
    /// Made when the guest first asks for a socket or a name.
    reach: Option<Arc<Reach>>,
    http: WasiHttpCtx,
    pub(crate) hooks: Hooks,
    pub(crate) table: ResourceTable,
    /// The memory budget: the store's limiter.
    pub budget: Budget,
}

impl Ctx {
    /// Returns the state of a new store. `handles` bounds the resources that the guest may hold at a time.
    pub fn new(recipe: Arc<Recipe>, outbound: Arc<Outbound>, caller: Caller, budget: Budget, handles: usize) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(handles);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(HEADER_BYTES);
        let hooks = Hooks::new(outbound, caller.clone());
        Self { recipe, used: Used::default(), caller, wasi: None, reach: None, http, hooks, table, budget }
    }

    /// Returns the request that is being answered.
    pub(crate) fn request(&self) -> Option<&RequestId> {
        self.caller.request.as_ref()
    }
}

impl Ctx {
    /// Lends what looking names up needs.
    pub(crate) fn names(&mut self) -> sockets::View<'_> {
        sockets::View { reach: reach_of(&mut self.reach, &self.recipe), table: &mut self.table }
    }

    /// Returns what the store did with sockets and names so far.
    pub(crate) fn socket_counts(&self) -> Counts {
        self.reach.as_deref().map(Reach::counts).unwrap_or_default()
    }
}

fn reach_of<'a>(reach: &'a mut Option<Arc<Reach>>, recipe: &Recipe) -> &'a Arc<Reach> {
    reach.get_or_insert_with(|| Reach::new(Arc::clone(&recipe.sockets)))
}

impl WasiView for Ctx {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Self { wasi, reach, recipe, caller, table, .. } = self;
        let ctx = wasi.get_or_insert_with(|| {
            let reach = recipe.sockets.has_any().then(|| Arc::clone(reach_of(reach, recipe)));
            recipe.build(caller.request.as_ref(), reach)
        });
        WasiCtxView { ctx, table }
    }
}

impl WasiHttpView for Ctx {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}
