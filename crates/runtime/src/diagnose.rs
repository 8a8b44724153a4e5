//! What is watched while components run, for those who develop them. Nothing by default, and then it costs nothing.

use crate::profile::Profiles;
use std::path::Path;
use std::sync::Arc;
use wharf_debugger::{Debugger, Dumps};

/// What is watched while a component runs.
#[derive(Clone, Default)]
pub struct Diagnostics {
    /// The project's folder: backtraces show the files in it from there.
    pub sources: Option<Arc<Path>>,
    /// Where core dumps of traps go.
    pub dumps: Option<Arc<Dumps>>,
    /// Where samples of what guests do are kept.
    pub profiles: Option<Arc<Profiles>>,
    /// The component that a debugger can stop.
    pub debugged: Option<Debugged>,
}

/// One component that a debugger can stop. It runs one invocation at a time, without budgets of time.
#[derive(Clone)]
pub struct Debugged {
    /// Its name in the app.
    pub component: Arc<str>,
    /// Where the debugger connects to.
    pub debugger: Debugger,
}

impl Diagnostics {
    /// Returns the debugger of the component of that name, if it is the one that is debugged.
    pub fn debugger(&self, component: &str) -> Option<&Debugger> {
        self.debugged.as_ref().filter(|debugged| *debugged.component == *component).map(|debugged| &debugged.debugger)
    }
}
