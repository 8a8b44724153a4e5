//! Components made of built ones: the same code under another digest, or with another answer.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Returns a component with the same contents and, for each number, a digest of its own.
pub(crate) fn numbered(component: &[u8], number: u64) -> Vec<u8> {
    const NAME: &[u8] = b"bench";
    // A custom section: its id, its length, then its name, again with a length, and what is in it. Everything is
    // shorter than 128 bytes, so each length is one byte.
    let mut bytes = component.to_vec();
    bytes.extend([0, (1 + NAME.len() + size_of::<u64>()) as u8, NAME.len() as u8]);
    bytes.extend(NAME);
    bytes.extend(number.to_le_bytes());
    bytes
}

/// Returns a component that says something else of the same length.
pub(crate) fn saying(component: &[u8], old: &str, new: &str) -> Result<Vec<u8>> {
    assert_eq!(old.len(), new.len(), "the sections keep their lengths");
    let places = component.windows(old.len()).enumerate().filter(|(_, window)| *window == old.as_bytes());
    let [place] = places.map(|(place, _)| place).collect::<Vec<_>>()[..] else {
        bail!("the component does not have {old:?} in it exactly once");
    };
    let mut bytes = component.to_vec();
    bytes[place..place + new.len()].copy_from_slice(new.as_bytes());
    Ok(bytes)
}

/// One component of a generated manifest, and the route that leads to it. Its file is `NAME.wasm`.
pub(crate) struct Entry<'a> {
    pub(crate) name: String,
    pub(crate) host: Option<String>,
    pub(crate) route: String,
    /// More lines of its table, such as `limits = { … }`.
    pub(crate) more: &'a str,
}

impl Entry<'_> {
    /// Returns a component that answers on every host, with default limits.
    pub(crate) fn new(name: impl Into<String>, route: impl Into<String>) -> Self {
        Entry { name: name.into(), host: None, route: route.into(), more: "" }
    }
}

/// Writes a `wharf.toml`. `/ready` answers without a component.
pub(crate) fn write_manifest(folder: &Path, entries: &[Entry<'_>]) -> Result<()> {
    let mut text = String::from("name = \"bench\"\n");
    for Entry { name, more, .. } in entries {
        write!(text, "\n[component.{name}]\nsource = \"{name}.wasm\"\n{more}\n")?;
    }
    text.push_str("\n[[trigger.http]]\nroute = \"/ready\"\nstatic = { body = \"ready\\n\" }\n");
    for Entry { name, host, route, .. } in entries {
        write!(text, "\n[[trigger.http]]\nroute = \"{route}\"\ncomponent = \"{name}\"\n")?;
        if let Some(host) = host {
            writeln!(text, "host = \"{host}\"")?;
        }
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join("wharf.toml"), text).with_context(|| format!("cannot write in {}", folder.display()))
}
