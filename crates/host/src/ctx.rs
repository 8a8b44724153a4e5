//! The one store type: everything a guest's calls can reach, as plain fields.

use crate::capabilities::Used;
use crate::clocks;
use crate::next::{Next, Passing};
use crate::outbound::{Hooks, Outbound};
use crate::sockets::{self, Reach};
use crate::{Budget, LineSink, Recipe};
use std::any::Any;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::clocks::WasiClocksCtxView;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wharf_kit::Counts;
use wharf_telemetry::RequestId;

/// Header bytes that one message of a guest may carry.
const HEADER_BYTES: usize = 64 * 1024;

/// Who caused an invocation, handed on to what the guest calls.
#[derive(Clone, Default)]
pub struct Caller {
    /// The request that is being answered.
    pub request: Option<RequestId>,
    /// How many components called each other in process to get here.
    pub depth: u8,
    /// What comes after this component, if it is middleware.
    pub next: Option<Arc<dyn Next>>,
}

/// What one store holds. Small, because one is made for each request: the WASI part is built when the guest first asks for it.
pub struct Ctx {
    own: Member,
    /// The other members of a fused component that have grants of their own; each is made when it first asks for something.
    members: Vec<Option<Box<Member>>>,
    caller: Caller,
    http: WasiHttpCtx,
    /// For middleware; made when it first passes something on.
    passing: Option<Box<Passing>>,
    pub(crate) table: ResourceTable,
    /// The memory budget: the store's limiter.
    pub budget: Budget,
    /// What the runtime keeps for the components that this one is linked to, by their places; absent until it first calls one.
    pub dependencies: Vec<Option<Box<dyn Any + Send>>>,
    /// What the runtime keeps for streams of types that the host does not have; absent until there is one.
    pub pumps: Option<Box<dyn Any + Send>>,
}

/// What one member of a fused component may touch, and has touched. A component that is not fused is its own only member.
pub(crate) struct Member {
    pub(crate) recipe: Arc<Recipe>,
    pub(crate) used: Used,
    wasi: Option<WasiCtx>,
    /// Where what it prints on standard error and what it logs goes; made with the first of both.
    stderr: Option<LineSink>,
    /// Made when the guest first asks for a socket or a name.
    reach: Option<Arc<Reach>>,
    pub(crate) hooks: Hooks,
}

/// One member with what all members share.
pub(crate) struct Lent<'a> {
    pub(crate) member: &'a mut Member,
    pub(crate) table: &'a mut ResourceTable,
    caller: &'a Caller,
    http: &'a mut WasiHttpCtx,
}

impl Ctx {
    /// Returns the state of a new store. `handles` bounds the resources that the guest may hold at a time.
    pub fn new(recipe: Arc<Recipe>, outbound: Arc<Outbound>, caller: Caller, budget: Budget, handles: usize) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(handles);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(HEADER_BYTES);
        let own = Member::new(recipe, outbound, &caller);
        Self {
            own,
            members: Vec::new(),
            caller,
            http,
            passing: None,
            table,
            budget,
            dependencies: Vec::new(),
            pumps: None,
        }
    }

    /// Returns who caused the invocation.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns the request that is being answered.
    pub(crate) fn request(&self) -> Option<&RequestId> {
        self.caller.request.as_ref()
    }

    /// Returns what middleware needs to pass requests on.
    pub(crate) fn passing(&mut self) -> &mut Passing {
        self.passing.get_or_insert_with(|| Box::new(Passing::new(self.caller.clone())))
    }

    /// Lends what HTTP needs, for a request that is passed on.
    pub(crate) fn passing_view(&mut self) -> WasiHttpCtxView<'_> {
        let Self { passing, caller, http, table, .. } = self;
        let hooks = passing.get_or_insert_with(|| Box::new(Passing::new(caller.clone())));
        WasiHttpCtxView { hooks: &mut **hooks, table, ctx: http }
    }

    /// Returns all members that have asked for anything, the outermost component first.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        std::iter::once(&self.own).chain(self.members.iter().flatten().map(Box::as_ref))
    }

    /// Lends one member. Zero is the outermost component; another number is one of its recipe's `members`, from one on.
    pub(crate) fn lend(&mut self, number: u8) -> Lent<'_> {
        let Self { own, members, caller, http, table, .. } = self;
        let member = match number.checked_sub(1).map(usize::from) {
            None => own,
            Some(place) => joined(own, members, caller, place),
        };
        Lent { member, table, caller, http }
    }
}

/// Returns the member at `place`, which is made at its first call.
fn joined<'a>(
    own: &Member,
    members: &'a mut Vec<Option<Box<Member>>>,
    caller: &Caller,
    place: usize,
) -> &'a mut Member {
    if members.len() <= place {
        members.resize_with(place + 1, || None);
    }
    members[place].get_or_insert_with(|| {
        let (recipe, outbound) = match own.recipe.members.get(place) {
            Some((recipe, outbound)) => (Arc::clone(recipe), Arc::clone(outbound)),
            // The linker has names for no more members than the recipe has; if that were broken, the member may touch nothing.
            None => nothing(&own.recipe),
        };
        Box::new(Member::new(recipe, outbound, caller))
    })
}

fn nothing(recipe: &Recipe) -> (Arc<Recipe>, Arc<Outbound>) {
    let (app, component) = (Arc::clone(&recipe.app), Arc::clone(&recipe.component));
    let denied = Outbound::denied(Arc::clone(&app), Arc::clone(&component));
    (Arc::new(Recipe::bare(app, component, recipe.stdio.clone())), Arc::new(denied))
}

impl Member {
    fn new(recipe: Arc<Recipe>, outbound: Arc<Outbound>, caller: &Caller) -> Self {
        let hooks = Hooks::new(outbound, caller.clone());
        Self { recipe, used: Used::default(), wasi: None, stderr: None, reach: None, hooks }
    }

    /// Returns where standard error goes; nothing where it is the process's own.
    fn stderr(&mut self, caller: &Caller) -> Option<LineSink> {
        if self.stderr.is_none() {
            self.stderr = self.recipe.stderr(caller.request.as_ref());
        }
        self.stderr.clone()
    }

    /// Returns what the member did with sockets and names so far.
    pub(crate) fn socket_counts(&self) -> Counts {
        self.reach.as_deref().map(Reach::counts).unwrap_or_default()
    }
}

impl<'a> Lent<'a> {
    /// Lends what waiting for a time needs.
    pub(crate) fn timer(self) -> clocks::View<'a> {
        let world = self.member.recipe.simulation.clone();
        let WasiCtxView { ctx, table } = self.wasi();
        clocks::View { world, engine: WasiClocksCtxView { ctx: ctx.clocks(), table } }
    }

    /// Lends what looking names up needs.
    pub(crate) fn names(self) -> sockets::View<'a> {
        let Member { reach, recipe, .. } = self.member;
        sockets::View { reach: reach_of(reach, recipe), table: self.table }
    }

    /// Lends what WASI needs.
    pub(crate) fn wasi(self) -> WasiCtxView<'a> {
        // Looked at first: it is there for all calls but one.
        let stderr = if self.member.wasi.is_none() { self.member.stderr(self.caller) } else { None };
        let Member { wasi, reach, recipe, .. } = self.member;
        let caller = self.caller;
        let ctx = wasi.get_or_insert_with(|| {
            let reach = recipe.sockets.has_any().then(|| Arc::clone(reach_of(reach, recipe)));
            recipe.build(caller.request.as_ref(), stderr, reach)
        });
        WasiCtxView { ctx, table: self.table }
    }

    /// Returns where messages go; nothing where standard error is the process's own.
    pub(crate) fn log(self) -> Option<LineSink> {
        self.member.stderr(self.caller)
    }

    /// Lends what HTTP needs.
    pub(crate) fn http(self) -> WasiHttpCtxView<'a> {
        WasiHttpCtxView { hooks: &mut self.member.hooks, table: self.table, ctx: self.http }
    }
}

fn reach_of<'a>(reach: &'a mut Option<Arc<Reach>>, recipe: &Recipe) -> &'a Arc<Reach> {
    reach.get_or_insert_with(|| Reach::new(Arc::clone(&recipe.sockets)))
}

impl WasiView for Ctx {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.lend(0).wasi()
    }
}

impl WasiHttpView for Ctx {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.lend(0).http()
    }
}
