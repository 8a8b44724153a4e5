//! The one constructor of engines: anything that makes or reads compiled code uses it.
//!
//! Two constructors would drift, and each difference silently turns every cached artifact into a recompile. There are two [lanes](Lane)
//! because what the engine keeps for tasks, streams and futures costs every call, and most components have none of them; and a third one
//! for the component that a debugger looks at. How much stack a guest has is a property of an engine too: so there is one for each
//! [size](stack_size) that components ask for. All of a lane run the same compiled code.

use crate::functions::Functions;
use crate::process::CompilerProcess;
use crate::ticker::Ticker;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::{
    Config, Enabled, Inlining, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Result,
    WasmBacktraceDetails,
};

/// How long a busy guest runs before it gives the core back.
pub const TICK: Duration = Duration::from_millis(1);

/// Stack above a guest's own: host calls run there, and must not run out of it however deep the guest is.
const HOST_STACK_BYTES: usize = 3 << 19;

/// The sizes of stacks that there are engines for: less starts no language, more is for nothing.
const STACK_BYTES_MIN: usize = 64 << 10;
const STACK_BYTES_MAX: usize = 16 << 20;

/// Low part of a memory that stays mapped between two instances and is cleared by copying: page faults cost more than copying does.
const MEMORY_RESIDENT_BYTES: usize = 1 << 20;
const TABLE_RESIDENT_BYTES: usize = 64 << 10;

/// What one component may ask of the pool: an interpreter with native extensions (CPython) links a few dozen core instances.
const CORE_INSTANCES_A_COMPONENT: u32 = 128;
const MEMORIES_A_COMPONENT: u32 = 16;
const TABLES_A_COMPONENT: u32 = 64;
const TABLE_ELEMENTS: usize = 40_000;

/// What differs between processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Instances that may be alive at a time, over all components. Costs address space, not memory: 8 GiB each.
    pub instances: u32,
    /// Memory slots of other components that are kept warm before they are taken over.
    pub warm_slots: u32,
    /// Whether a trap keeps what a core dump is made of.
    pub dumps: bool,
    /// Whether a change of a component compiles little more than what was changed: large components are compiled in parts, so that a change
    /// of a script does not compile its interpreter again, and functions stay in memory. For development: guests lose a little speed.
    pub incremental: bool,
    /// Where components are compiled; absent for this process. For whoever serves what others wrote.
    pub process: Option<CompilerProcess>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { instances: 1000, warm_slots: 256, dumps: false, incremental: false, process: None }
    }
}

/// What a component's calls may be. A component runs in one lane; all lanes isolate alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// No tasks, streams and futures: WASI 0.2, one call at a time in each instance. A call costs a third less than in the other lane.
    Plain,
    /// Everything of the Component Model: WASI 0.3, and instances that work on several requests at once.
    Concurrent,
    /// The same, compiled so that a debugger can stop it anywhere and see all values: several times slower.
    Debug,
}

impl Lane {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Concurrent => "concurrent",
            Self::Debug => "debug",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Plain, Self::Concurrent, Self::Debug].into_iter().find(|lane| lane.name() == name)
    }
}

/// One lane's engine, for one size of stacks, and its clock. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    engine: wasmtime::Engine,
    lane: Lane,
    stack_bytes: usize,
    ticker: Arc<Ticker>,
}

/// Returns the size of stack that a guest gets whose limit is `stack_bytes`: the next power of two. Each size has an engine of its own with
/// a pool of its own, which takes some TiB of the process's address space, so that there must be few.
pub fn stack_size(stack_bytes: usize) -> usize {
    stack_bytes.clamp(STACK_BYTES_MIN, STACK_BYTES_MAX).next_power_of_two()
}

/// Prepares the calling thread, so that its first request does not pay for it.
pub fn prepare_thread() {
    wasmtime::Engine::tls_eager_initialize();
}

impl Engine {
    /// Builds the engine of a lane whose guests may use `stack_bytes` of native stack. Reserves address space; takes a few milliseconds.
    ///
    /// # Errors
    /// When the machine cannot reserve the pool's address space or has no supported processor.
    pub fn new(settings: &Settings, lane: Lane, stack_bytes: usize) -> Result<Self> {
        // A guest can cause errors at will; with `RUST_BACKTRACE` set, each would walk the host's stack for a millisecond and more.
        wasmtime::error::disable_backtrace();
        let engine = wasmtime::Engine::new(&config(settings, lane, stack_bytes)?)?;
        let ticker = Ticker::start(&engine, TICK)?;
        Ok(Self { engine, lane, stack_bytes, ticker: Arc::new(ticker) })
    }

    /// Returns the engine itself, for what runs on it and is no component of an app.
    pub fn raw(&self) -> &wasmtime::Engine {
        &self.engine
    }

    /// Tells whether instances may have several calls at once.
    pub fn is_concurrent(&self) -> bool {
        self.lane != Lane::Plain
    }

    pub(crate) fn lane(&self) -> Lane {
        self.lane
    }

    pub(crate) fn stack_bytes(&self) -> usize {
        self.stack_bytes
    }

    /// Returns the clock that its guests run by.
    pub fn ticker(&self) -> &Arc<Ticker> {
        &self.ticker
    }
}

pub(crate) fn config(settings: &Settings, lane: Lane, stack_bytes: usize) -> Result<Config> {
    let mut config = Config::new();
    isolate(&mut config);
    if lane == Lane::Plain {
        // Validation refuses what the engine could not run.
        config.wasm_component_model_async(false);
        config.concurrency_support(false);
    }
    config.cranelift_opt_level(OptLevel::Speed);
    if lane == Lane::Debug {
        config.guest_debug(true);
        // Nothing is optimised across an instruction at which a guest may stop.
        config.cranelift_opt_level(OptLevel::None);
        // Each call is a frame that a debugger can leave.
        config.compiler_inlining(Inlining::No);
    }
    if settings.incremental && lane != Lane::Debug {
        config.enable_incremental_compilation(Arc::new(Functions::new()))?;
    }
    config.memory_init_cow(true);
    // Snapshots of interpreters are sparse: without a dense image their data would be copied for each instance.
    config.memory_guaranteed_dense_image_size(64 << 20);
    config.epoch_interruption(true);
    config.max_wasm_stack(stack_bytes);
    config.async_stack_size(stack_bytes + HOST_STACK_BYTES);
    // For unwinders of others: traces of guests are the engine's own, and no panic of the host passes a guest's frames. With it a fourteenth
    // of each artifact is tables, and what is registered with the system's unwinder makes loading slower the more is loaded.
    config.native_unwind_info(false);
    config.wasm_backtrace_details(WasmBacktraceDetails::Enable);
    config.wasm_backtrace_max_frames(NonZeroUsize::new(30));
    config.coredump_on_trap(settings.dumps);
    config.allocation_strategy(match lane {
        Lane::Plain | Lane::Concurrent => InstanceAllocationStrategy::Pooling(pool(settings)),
        // One instance at a time needs no pool, nor the address space of one.
        Lane::Debug => InstanceAllocationStrategy::OnDemand,
    });
    Ok(config)
}

/// Switches off what tenants do not need. The features stay compiled in: without them their built-ins abort the process
/// (GHSA-rc4p-x33f-vpr2, GHSA-2674-w29h-wqvj); validation refuses code that uses them.
fn isolate(config: &mut Config) {
    config.gc_support(false);
    config.wasm_gc(false);
    config.wasm_function_references(false);
    config.wasm_exceptions(false);
    config.wasm_threads(false);
    config.shared_memory(false);
    config.wasm_memory64(false);
    // WASI 0.3.1 names both.
    config.wasm_component_model_map(true);
    config.wasm_component_model_implements(true);
}

fn pool(settings: &Settings) -> PoolingAllocationConfig {
    let n = settings.instances;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(n)
        .total_core_instances(n.saturating_mul(8))
        .total_memories(n.saturating_mul(2))
        .total_tables(n.saturating_mul(4))
        .total_stacks(n.saturating_add(16))
        .max_core_instances_per_component(CORE_INSTANCES_A_COMPONENT)
        .max_memories_per_component(MEMORIES_A_COMPONENT)
        .max_tables_per_component(TABLES_A_COMPONENT)
        .max_memories_per_module(1)
        .max_tables_per_module(8)
        .table_elements(TABLE_ELEMENTS)
        .max_unused_warm_slots(settings.warm_slots)
        .linear_memory_keep_resident(MEMORY_RESIDENT_BYTES)
        .table_keep_resident(TABLE_RESIDENT_BYTES)
        .decommit_batch_size(1)
        .pagemap_scan(if swap_is_off() { Enabled::Auto } else { Enabled::No });
    pool
}

/// Tells whether no page of this process can be swapped out.
///
/// Scanning the page map for dirty pages skips pages that are in swap, and the next guest in that slot could read them
/// (bytecodealliance/wasmtime#14357). So the scan is used only where there is no swap.
fn swap_is_off() -> bool {
    let Ok(swaps) = std::fs::read_to_string("/proc/swaps") else {
        return false;
    };
    swaps.lines().count() <= 1
}
