//! Which registry has the packages of a namespace: flags before the settings of `wkg` before what everybody agrees on.

use crate::command_error::CommandError;
use crate::report::download_error;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};
use wharf_registry::{Fetcher, Home};
use wharf_wit::Needed;

/// The domains that other tools take when nobody says otherwise.
const KNOWN: &[(&str, &str)] = &[("wasi", "wasi.dev"), ("ba", "bytecodealliance.org")];

/// Where packages are.
pub(super) struct Homes {
    /// By namespace, or by namespace and name.
    domains: BTreeMap<String, String>,
    fallback: Option<String>,
    /// What domains said so far.
    asked: BTreeMap<String, Home>,
}

/// Reads `acme=ghcr.io/acme-wit`.
pub(super) fn parse(text: &str) -> Result<(String, String), String> {
    let (namespace, place) = text.split_once('=').ok_or("it is written NAMESPACE=HOST[/PREFIX]")?;
    if namespace.is_empty() || place.is_empty() || place.contains("://") {
        return Err("it is written NAMESPACE=HOST[/PREFIX], without a scheme".to_owned());
    }
    Ok((namespace.to_owned(), place.to_owned()))
}

impl Homes {
    pub(super) fn new(flags: &[(String, String)]) -> Result<Self, CommandError> {
        let known = KNOWN.iter().map(|(namespace, domain)| ((*namespace).to_owned(), (*domain).to_owned()));
        let mut homes = Self { domains: known.collect(), fallback: None, asked: BTreeMap::new() };
        if let Some(file) = settings_file().filter(|file| file.is_file()) {
            homes.read(&file)?;
        }
        homes.domains.extend(flags.iter().cloned());
        Ok(homes)
    }

    /// Reads the settings of `wkg`, as far as they say where packages are.
    fn read(&mut self, file: &Path) -> Result<(), CommandError> {
        let fail = |why: String| CommandError::usage(format!("cannot read {}: {why}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| fail(error.to_string()))?;
        let settings: Table = toml::from_str(&text).map_err(|error| fail(error.message().to_owned()))?;
        self.fallback = settings.get("default_registry").and_then(Value::as_str).map(str::to_owned);
        for table in ["namespace_registries", "package_registry_overrides"] {
            for (name, place) in settings.get(table).and_then(Value::as_table).into_iter().flatten() {
                let domain = place.as_str().or_else(|| place.get("registry").and_then(Value::as_str));
                let Some(domain) = domain else { continue };
                self.domains.insert(name.clone(), domain.to_owned());
                if let Some(home) = place.get("metadata").and_then(home) {
                    self.asked.insert(domain.to_owned(), home);
                }
            }
        }
        Ok(())
    }

    /// Returns the domain, or host and prefix, of a package's registry.
    pub(super) fn domain(&self, package: &Needed) -> Result<&str, CommandError> {
        let full = format!("{}:{}", package.namespace, package.name);
        let found = self.domains.get(&full).or_else(|| self.domains.get(&package.namespace)).or(self.fallback.as_ref());
        found.map(String::as_str).ok_or_else(|| {
            let error = CommandError::usage(format!("nobody says where the packages of `{}` are", package.namespace));
            error.hint(format!(
                "say it with --registry {}=HOST/PREFIX, or in the settings of wkg (namespace_registries)",
                package.namespace
            ))
        })
    }

    /// Returns the reference of a package, without its version.
    pub(super) fn reference(&mut self, package: &Needed, fetcher: &Fetcher) -> Result<String, CommandError> {
        let domain = self.domain(package)?.to_owned();
        if !self.asked.contains_key(&domain) {
            let home = match domain.split_once('/') {
                // Who writes a prefix names the registry itself.
                Some((registry, prefix)) => Home { registry: registry.to_owned(), prefix: prefix.to_owned() },
                None => fetcher.home_blocking(&domain).map_err(|error| download_error(&error))?,
            };
            self.asked.insert(domain.clone(), home);
        }
        Ok(self.asked[&domain].reference(&package.namespace, &package.name))
    }
}

fn home(metadata: &Value) -> Option<Home> {
    let oci = metadata.get("oci")?;
    let text = |key: &str| oci.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Home { registry: text("registry")?, prefix: text("namespacePrefix").unwrap_or_default() })
}

/// Returns where `wkg` keeps its settings.
#[expect(clippy::disallowed_methods, reason = "the program itself reads its environment")]
fn settings_file() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    base.map(|base| base.join("wkg/config.toml"))
}
