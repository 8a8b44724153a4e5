//! What a program that is run or called may use of stores, databases, configuration and secrets, and what holds that open.
//!
//! In: grants of flags. Out: [`Bound`], of the app that the file alone is, so that `wharf up` of it has the same data. Next: `node`.

use crate::args::PlaceArgs;
use crate::command_error::CommandError;
use crate::report::{self, node_error};
use crate::surroundings;
use std::path::Path;
use wharf_app::Grants;
use wharf_node::{Backends, Bound, State};
use wharf_project::Project;

/// The labels of one program, open as long as this lives.
#[derive(Default)]
pub(crate) struct Labels {
    bound: Option<Bound>,
    _backends: Option<Backends>,
    // Last: the folder is held until all in it is closed.
    _state: Option<State>,
}

impl Labels {
    /// Opens what the grants name. Touches nothing where they name none of it.
    pub(crate) fn open(file: &Path, grants: &Grants, places: &PlaceArgs) -> Result<Self, CommandError> {
        let labels = [&grants.keyvalue, &grants.sql, &grants.blobstore, &grants.messaging];
        let has_state = labels.iter().any(|labels| !labels.is_empty()) || !grants.secrets.is_empty();
        if !has_state && grants.config.is_empty() {
            return Ok(Self::default());
        }
        let project = Project::find(file)?;
        let app = project.read(Some(grants.clone()), report::warn)?.app;
        let path = surroundings::state_of(&project, places.state.as_deref());
        let state = if has_state { Some(State::open(&path).map_err(|error| node_error(&error))?) } else { None };
        let bindings = surroundings::operator(places.node.as_deref(), &project.folder())?;
        let backends = Backends::new(&bindings.operator, &path).map_err(|error| node_error(&error))?;
        let bound = Bound::new(&backends, &app).map_err(|error| report::load_error(&error, None))?;
        Ok(Self { bound: Some(bound), _backends: Some(backends), _state: state })
    }

    /// Returns them for the program.
    pub(crate) fn bound(&self) -> Option<&Bound> {
        self.bound.as_ref()
    }
}
