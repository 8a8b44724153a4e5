//! Streams and futures between two stores, of a type that the host has no Rust type for: a [pump](wharf_pump) in each store moves elements
//! between the guest and the host.
//!
//! In: the readable end that a guest passed. Out: what opens a readable end in the other store, as from [`super::flow`]. Next: [`yard`],
//! which has the pumps of one store.
//!
//! A pump is compiled when the dependency is linked, and instantiated when the first such stream is in a store: who has none pays nothing.
//! Its memory counts as the guest's, and so does its time.

mod goods;
mod shape;
mod yard;

use crate::broken::Broken;
use crate::carry::Trade;
use crate::fallback;
use crate::flow::Opener;
use crate::handles::Handles;
use crate::shared::Line;
use crate::slot::{ReadEnd, WriteEnd, pair};
use goods::{Goods, Item};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use wasmtime::component::types::Type;
use wasmtime::component::{
    Accessor, ComponentExportIndex, ComponentType, InstancePre, Linker, LinkerInstance, Lower, Val,
};
use wasmtime::{Result, StoreContextMut};
use wharf_engine::{Cache, Compiler, Engine, Settings, digest};
use wharf_host::Ctx;
use wharf_pump::Flow;

pub(crate) use goods::weigh;
pub(crate) use shape::shape;

/// Which of two stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Caller,
    Dependency,
}

/// How elements of one type are carried.
pub(crate) struct Pump {
    flow: Flow,
    element: Type,
    is_of_bytes: bool,
    /// Whether there are streams or futures in the elements.
    has_flows: bool,
    element_bytes: usize,
    of_caller: Arc<Works>,
    of_dependency: Arc<Works>,
}

/// A compiled pump, linked.
struct Works {
    /// Tells pumps of one store apart.
    number: u64,
    pre: InstancePre<Ctx>,
    drain: ComponentExportIndex,
    fill: ComponentExportIndex,
    open: ComponentExportIndex,
}

impl Pump {
    /// Takes a stream or a future out of a store.
    pub(crate) fn take(
        &self,
        store: StoreContextMut<'_, Ctx>,
        from: Side,
        flow: Val,
        line: &Line,
        handles: &Arc<Handles>,
    ) -> Result<Opener> {
        let trade = self.has_flows.then(|| Trade::new(from, self.flow, line, handles, &self.element));
        if self.is_of_bytes {
            self.take_of::<u8>(store, from, flow, line, trade)
        } else {
            self.take_of::<Item>(store, from, flow, line, trade)
        }
    }

    fn take_of<T: Goods>(
        &self,
        store: StoreContextMut<'_, Ctx>,
        from: Side,
        flow: Val,
        line: &Line,
        trade: Option<Trade>,
    ) -> Result<Opener> {
        let (works, others) = match from {
            Side::Caller => (&self.of_caller, &self.of_dependency),
            Side::Dependency => (&self.of_dependency, &self.of_caller),
        };
        let (writer, reader) = pair::<T>(line);
        let other = trade.as_ref().map(Trade::other);
        yard::drain(store, works, flow, Writing::new(writer, self.element_bytes, trade))?;
        let (works, absent) = (Arc::clone(others), self.absent());
        Ok(Box::new(move |store, broken| {
            yard::fill(store, &works, Reading { end: reader, broken, absent, trade: other })
        }))
    }

    /// Makes a stream of nothing, for a caller.
    pub(crate) fn empty(&self, store: StoreContextMut<'_, Ctx>) -> Result<Val> {
        if self.is_of_bytes {
            let (_, end) = pair::<u8>(&Line::default());
            return yard::fill(store, &self.of_caller, Reading { end, broken: None, absent: None, trade: None });
        }
        let (_, end) = pair::<Item>(&Line::default());
        yard::fill(store, &self.of_caller, Reading { end, broken: None, absent: None, trade: None })
    }

    /// Makes a future that tells a caller of a failure, where its type can.
    pub(crate) fn failed(&self, store: StoreContextMut<'_, Ctx>, text: &str) -> Result<Option<Val>> {
        let Some(value) = fallback::error(Some(&self.element), text) else { return Ok(None) };
        let (writer, end) = pair::<Item>(&Line::default());
        writer.put([Item::new(value)].into())?;
        yard::fill(store, &self.of_caller, Reading { end, broken: None, absent: self.absent(), trade: None }).map(Some)
    }

    /// Tells whether it is a future that can tell of a failure.
    pub(crate) fn tells(&self) -> bool {
        self.flow == Flow::Future && fallback::error(Some(&self.element), "").is_some()
    }

    /// A future has a value in any case: what it is when nobody wrote one is made by its type.
    fn absent(&self) -> Option<Type> {
        (self.flow == Flow::Future).then(|| self.element.clone())
    }
}

/// The end that a pump writes to, in the store of the guest that writes.
struct Writing<T: Goods> {
    end: WriteEnd<T>,
    element_bytes: usize,
    /// How many elements the next piece has at most, if that shows by the last one.
    count: usize,
    /// By what elements with streams or futures in them are taken out of the store.
    trade: Option<Trade>,
}

/// The end that a pump reads from, in the store of the guest that reads.
struct Reading<T: Goods> {
    end: ReadEnd<T>,
    broken: Option<Broken>,
    absent: Option<Type>,
    /// By what elements with streams or futures in them are put into the store.
    trade: Option<Trade>,
}

/// Makes the pumps of one component's links, each once.
pub struct Workshop<'a> {
    engine: &'a Engine,
    settings: &'a Settings,
    cache: Option<&'a Cache>,
    made: RefCell<Vec<(Arc<str>, Arc<Works>)>>,
}

impl<'a> Workshop<'a> {
    /// Returns the workshop of a component that runs on this engine.
    pub fn new(engine: &'a Engine, settings: &'a Settings, cache: Option<&'a Cache>) -> Self {
        Self { engine, settings, cache, made: RefCell::default() }
    }

    /// Returns a pump for a type, between the component and a dependency that runs on that engine.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn pump(
        &self,
        dependency: &Engine,
        flow: Flow,
        element: &Type,
    ) -> std::result::Result<Arc<Pump>, String> {
        let shape = shape(element).ok_or("elements of that type cannot leave their store")?;
        let plan = wharf_pump::Pump::new(flow, shape);
        let bytes = plan.component().map_err(|error| error.to_string())?;
        let digest = digest(&bytes);
        let works = |engine| self.works(engine, &plan, &bytes, &digest);
        Ok(Arc::new(Pump {
            flow,
            element: element.clone(),
            is_of_bytes: plan.is_of_bytes(),
            has_flows: plan.has_flows(),
            element_bytes: plan.element_bytes() as usize,
            of_caller: works(self.engine)?,
            of_dependency: works(dependency)?,
        }))
    }

    fn works(
        &self,
        engine: &Engine,
        plan: &wharf_pump::Pump,
        bytes: &[u8],
        digest: &Arc<str>,
    ) -> std::result::Result<Arc<Works>, String> {
        let raw = engine.raw();
        let mut made = self.made.borrow_mut();
        let known =
            made.iter().find(|(known, works)| known == digest && wasmtime::Engine::same(works.pre.engine(), raw));
        if let Some((_, works)) = known {
            return Ok(Arc::clone(works));
        }
        let (code, _) = Compiler::new(engine, self.settings, self.cache)
            .code(bytes, digest)
            .map_err(|error| format!("it cannot be carried: {error}"))?;
        let works = if plan.is_of_bytes() {
            Works::new::<u8>(raw, &code.component)
        } else {
            Works::new::<Item>(raw, &code.component)
        };
        let works = Arc::new(works.map_err(|error| format!("it cannot be carried: {error:#}"))?);
        made.push((Arc::clone(digest), Arc::clone(&works)));
        Ok(works)
    }
}

/// The number of the next pump.
static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Works {
    fn new<T: Goods>(engine: &wasmtime::Engine, compiled: &wasmtime::component::Component) -> Result<Self> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut linker = Linker::new(engine);
        let mut root = linker.root();
        root.func_wrap("wanted", move |mut store: StoreContextMut<'_, Ctx>, (): ()| {
            Ok((yard::wanted(store.data_mut(), number)?,))
        })?;
        root.func_new("opened", move |mut store, _, params, _| match params {
            [flow, Val::U32(end), Val::U32(on)] => yard::opened(store.data_mut(), number, flow.clone(), *end, *on),
            _ => wasmtime::bail!("a pump opened what it should not"),
        })?;
        waits(&mut root, "room", yard::poll_room::<T>)?;
        waits(&mut root, "next", yard::poll_next::<T>)?;
        root.func_wrap("done", |mut store: StoreContextMut<'_, Ctx>, (id,): (u64,)| yard::done(store.data_mut(), id))?;
        T::link(&mut root)?;
        let pre = linker.instantiate_pre(compiled)?;
        let export = |name: &str| {
            let found = compiled.get_export_index(None, name);
            found.ok_or_else(|| wasmtime::format_err!("there is no `{name}`"))
        };
        Ok(Self { number, pre, drain: export("drain")?, fill: export("fill")?, open: export("open")? })
    }
}

/// Links a function that a pump waits for, with what it waits for.
fn waits<R>(
    root: &mut LinkerInstance<'_, Ctx>,
    name: &str,
    poll: fn(&mut Ctx, u64, &mut Context<'_>) -> Poll<Result<R>>,
) -> Result<()>
where
    R: ComponentType + Lower + Send + Sync + 'static,
{
    root.func_wrap_concurrent(name, move |accessor: &Accessor<Ctx>, (id,): (u64,)| {
        Box::pin(async move {
            let ready = std::future::poll_fn(|cx| accessor.with(|mut access| poll(access.get(), id, cx)));
            Ok((ready.await?,))
        })
    })
}

impl<T: Goods> Writing<T> {
    /// Elements that are read first, where their sizes show only then.
    const FIRST: usize = 16;

    fn new(end: WriteEnd<T>, element_bytes: usize, trade: Option<Trade>) -> Self {
        // Elements with streams in them go one at a time: each is something that somebody waits to read.
        let count = if trade.is_some() { 1 } else { Self::FIRST };
        Self { end, element_bytes: element_bytes.max(1), count, trade }
    }
}
