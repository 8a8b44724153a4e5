//! The digest of all that decides what a guest becomes.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use blake3::Hasher;

use super::Paths;
use super::list::{Guest, Recipe, entries};

/// Raised when a recipe changes in a way that its inputs do not show.
const RECIPE_VERSION: u32 = 1;

/// Made by builds; never an input.
const OUTPUTS: &[&str] = &["target", "node_modules", "__pycache__", ".wharf", "README.md"];

pub(crate) fn of(guest: &Guest, paths: &Paths) -> Result<String> {
    let mut hasher = Hasher::new();
    hasher.update(&RECIPE_VERSION.to_le_bytes());
    match &guest.recipe {
        Recipe::Wat { .. } => {}
        Recipe::Package { name, target, profile } => {
            hasher.update(format!("{name} {target} {profile}").as_bytes());
        }
        Recipe::Command { command, .. } => {
            hasher.update(command.as_bytes());
        }
    }
    for input in &guest.inputs {
        add(&mut hasher, input, paths)?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn add(hasher: &mut Hasher, path: &Path, paths: &Paths) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if OUTPUTS.contains(&&*name) || name.ends_with(".wasm") {
        return Ok(());
    }
    if path.is_dir() {
        return entries(path)?.iter().try_for_each(|entry| add(hasher, entry, paths));
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let place = path.strip_prefix(&paths.root).unwrap_or(path);
    hasher.update(format!("{} {}\n", place.display(), bytes.len()).as_bytes());
    hasher.update(&bytes);
    Ok(())
}
