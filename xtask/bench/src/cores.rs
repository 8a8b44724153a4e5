//! Which core does what: the server has one to itself, whatever drives it another.

use anyhow::{Context as _, Result, bail};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The two cores of a measurement.
#[derive(Clone, Copy)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) load: usize,
}

impl Cores {
    /// Takes the first two cores that this process may use.
    pub(crate) fn find() -> Result<Cores> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let (Some(server), Some(load)) = (cores.next(), cores.next()) else {
            bail!("measuring takes two cores: one for the server, one for the load");
        };
        Ok(Cores { server, load })
    }
}

/// Does something on one core; processes that it starts stay there.
pub(crate) fn on<T>(core: usize, work: impl FnOnce() -> T) -> Result<T> {
    let before = sched_getaffinity(None)?;
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).with_context(|| format!("cannot run on core {core}"))?;
    let result = work();
    sched_setaffinity(None, &before)?;
    Ok(result)
}
