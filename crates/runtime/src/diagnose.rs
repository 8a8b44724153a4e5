//! What is watched while components run, for those who develop them. Nothing by default, and then it costs nothing.

use crate::dump::Dumps;
use crate::profile::Profiles;
use std::path::Path;
use std::sync::Arc;

/// What is watched while a component runs.
#[derive(Clone, Default)]
pub struct Diagnostics {
    /// The project's folder: backtraces show the files in it from there.
    pub sources: Option<Arc<Path>>,
    /// Where core dumps of traps go.
    pub dumps: Option<Arc<Dumps>>,
    /// Where samples of what guests do are kept.
    pub profiles: Option<Arc<Profiles>>,
}
