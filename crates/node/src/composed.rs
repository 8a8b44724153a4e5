//! One component of an app with all that is fused into it, as a file for any host.
//!
//! In: an app and the name of a component. Out: the bytes, and what stays outside. Next: whoever runs it.

use crate::error::{ComponentError, Error};
use crate::files::Files;
use crate::join::{Apart, join};
use std::borrow::Cow;
use std::path::Path;
use wharf_app::{App, Component};

/// A component that was composed.
#[derive(Clone, Debug)]
pub struct Composed {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The components that are in it, the outermost first.
    pub parts: Vec<String>,
    /// Imports that the manifest satisfies by isolated dependencies: they stay imports.
    pub outside: Vec<String>,
}

/// Composes `component` of `app` with what is fused into it. In the result, all parts may touch what the whole is granted: which part an
/// import belongs to is known only to the host that composes by itself.
///
/// # Errors
/// What cannot be read, matched or composed.
pub fn compose(app: &App, component: &Component, folder: &Path) -> Result<Composed, Error> {
    let failed = |error: ComponentError| Error::Components(vec![error]);
    let joined = join(app, &Files::new(folder), Cow::Borrowed(component), Apart::No).map_err(failed)?;
    Ok(Composed {
        bytes: joined.bytes.to_vec(),
        parts: joined.parts.iter().map(|part| part.declared.name.clone()).collect(),
        outside: joined.isolated.iter().map(|isolated| isolated.import.clone()).collect(),
    })
}
