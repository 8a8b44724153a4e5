//! Finds the guests: components of `examples/*/wharf.toml`, packages of `guests/rust`, text in `guests/wat`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml::Table;

use super::Paths;

pub(crate) struct Guest {
    /// The name of the output, unique among all guests.
    pub(crate) name: String,
    /// The example or package that it is part of.
    pub(crate) group: String,
    pub(crate) recipe: Recipe,
    /// Files and folders that it is made of.
    pub(crate) inputs: Vec<PathBuf>,
}

pub(crate) enum Recipe {
    Wat { file: PathBuf },
    Package { name: String, target: String, profile: String },
    Command { command: String, dir: PathBuf, source: PathBuf },
}

impl Guest {
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.group == name
    }
}

pub(crate) fn find(paths: &Paths) -> Result<Vec<Guest>> {
    let mut guests = Vec::new();
    for dir in entries(&paths.root.join("examples"))? {
        if dir.join("wharf.toml").exists() {
            guests.extend(example(&dir, paths)?);
        }
    }
    guests.extend(packages(paths)?);
    for file in entries(&paths.root.join("guests/wat"))? {
        let name = file_stem(&file);
        let inputs = vec![file.clone()];
        guests.push(Guest { group: name.clone(), name, recipe: Recipe::Wat { file }, inputs });
    }
    Ok(guests)
}

fn example(dir: &Path, paths: &Paths) -> Result<Vec<Guest>> {
    let manifest = read_toml(&dir.join("wharf.toml"))?;
    let group = file_stem(dir);
    let components = manifest.get("component").and_then(|value| value.as_table());
    let components = components.with_context(|| format!("{group}/wharf.toml has no component"))?;
    let guest = |(name, component): (&String, &toml::Value)| {
        let build = component.get("build").with_context(|| format!("{group}: `{name}` has no build"))?;
        let command = text(build, "command").with_context(|| format!("{group}: `{name}` has no build command"))?;
        let source = text(component, "source").with_context(|| format!("{group}: `{name}` has no source"))?;
        let build_dir = dir.join(text(build, "dir").unwrap_or_default());
        let mut inputs = vec![build_dir.clone()];
        // Where components are built in folders of their own, the WIT between them is beside those.
        inputs.extend(Some(dir.join("wit")).filter(|wit| build_dir != dir && wit.is_dir()));
        inputs.extend(shared_inputs(&command).into_iter().map(|input| paths.root.join(input)));
        Ok(Guest {
            name: if components.len() == 1 { group.clone() } else { format!("{group}-{name}") },
            group: group.clone(),
            recipe: Recipe::Command { command, dir: build_dir, source: dir.join(source) },
            inputs,
        })
    };
    components.iter().map(guest).collect()
}

/// Returns what a build command uses from outside its example: pinned tools and the vendored WIT.
fn shared_inputs(command: &str) -> Vec<&'static str> {
    match command.split_whitespace().next() {
        Some("componentize-py") => vec!["wit", "guests/tools/py"],
        Some("jco") => vec!["wit", "guests/tools/js"],
        _ if command.starts_with("cargo build") => vec!["rust-toolchain.toml", "wit"],
        _ => vec!["wit"],
    }
}

fn packages(paths: &Paths) -> Result<Vec<Guest>> {
    let workspace = &paths.root.join("guests/rust");
    let mut guests = Vec::new();
    let mut libraries = vec![workspace.join("Cargo.toml"), workspace.join("Cargo.lock")];
    libraries.push(paths.root.join("rust-toolchain.toml"));
    libraries.push(paths.root.join("wit"));
    for dir in entries(workspace)?.into_iter().filter(|dir| dir.join("Cargo.toml").exists()) {
        let manifest = read_toml(&dir.join("Cargo.toml"))?;
        let package = manifest.get("package").with_context(|| format!("{} is no package", dir.display()))?;
        let Some(guest) = package.get("metadata").and_then(|metadata| metadata.get("guest")) else {
            libraries.push(dir);
            continue;
        };
        let targets = guest.get("targets").and_then(|value| value.as_table());
        for (name, target) in targets.with_context(|| format!("{} has no targets", dir.display()))? {
            let recipe = Recipe::Package {
                name: file_stem(&dir),
                target: target.as_str().unwrap_or_default().to_owned(),
                profile: text(guest, "profile").unwrap_or_else(|| "release".to_owned()),
            };
            let inputs = vec![dir.clone()];
            guests.push(Guest { name: name.clone(), group: file_stem(&dir), recipe, inputs });
        }
    }
    for guest in &mut guests {
        guest.inputs.extend(libraries.iter().cloned());
    }
    Ok(guests)
}

/// Returns what is in a folder, in the order of its names.
pub(crate) fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut entries = read.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn read_toml(file: &Path) -> Result<Table> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    text.parse().with_context(|| format!("{} is not TOML", file.display()))
}

fn text(value: &toml::Value, key: &str) -> Option<String> {
    Some(value.get(key)?.as_str()?.to_owned())
}

fn file_stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
