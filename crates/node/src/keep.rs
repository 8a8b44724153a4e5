//! Which components of a version may go on in the next one as they are: not read, compiled and linked again, with their state.
//!
//! In: the version that is there, and the app as it is now. Out: the names of those that nothing changed for. Next: [`crate::live`].
//!
//! Invariant: a component that is kept calls only components that are kept, so that a request sees one version from beginning to end.

use crate::live::{Live, Ready};
use crate::{grants, uses};
use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;
use wharf_app::{App, Component as Declared};

/// What tells a file from the one that was there before. A compiler that writes the same place makes another time, a renaming
/// another inode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    pub(crate) fn of(data: &Metadata) -> Self {
        Self { device: data.dev(), inode: data.ino(), bytes: data.len(), modified: data.modified().ok() }
    }
}

/// Returns the names of the components of `app` that may be kept from `before`.
pub(crate) fn of(
    before: &Live,
    app: &App,
    folder: &Path,
    path: impl Fn(&Declared) -> std::path::PathBuf,
) -> BTreeSet<String> {
    let unchanged = |ready: &Ready, declared: &Declared| {
        ready.declared.says_the_same_as(declared)
            && std::fs::metadata(path(declared)).is_ok_and(|data| Some(Stamp::of(&data)) == ready.stamp)
            // What is joined of several files changes with each of them.
            && declared.dependencies.is_empty()
            // Another use of it asks for other checks. What comes after middleware is not part of it: each request brings that.
            && uses::serves(app, declared) <= before.serves(&declared.name)
            && uses::is_middleware(&app.http, &declared.name) == uses::is_middleware(before.http(), &declared.name)
    };
    if before.folder() != folder || before.secrets() != &app.secrets {
        return BTreeSet::new();
    }
    let candidates = app
        .components
        .iter()
        .filter(|declared| before.ready(&declared.name).is_some_and(|ready| unchanged(ready, declared)));
    let mut kept: BTreeSet<String> = candidates.map(|declared| declared.name.clone()).collect();
    loop {
        let calls_another = |name: &String| {
            let declared = app.component(name);
            declared.is_none_or(|declared| grants::peers(declared).iter().any(|peer| !kept.contains(peer)))
        };
        let gone: Vec<String> = kept.iter().filter(|name| calls_another(name)).cloned().collect();
        if gone.is_empty() {
            return kept;
        }
        gone.iter().for_each(|name| _ = kept.remove(name));
    }
}
