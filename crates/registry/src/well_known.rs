//! Where the packages of a namespace are: what a domain says at `/.well-known/wasm-pkg/registry.json`.

use serde::Deserialize;

use crate::Error;
use crate::http::{Ask, Http};
use crate::name::is_loopback;

/// The file has a few lines.
const LEN_MAX: usize = 64 << 10;

/// Where packages are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The registry, such as `ghcr.io`.
    pub registry: String,
    /// What comes before the namespace, such as `webassembly/`; may be empty.
    pub prefix: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Said {
    oci: Option<Oci>,
    oci_registry: Option<String>,
    oci_namespace_prefix: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Oci {
    registry: Option<String>,
    namespace_prefix: Option<String>,
}

impl Home {
    /// Returns the reference of a package: `ghcr.io/webassembly/wasi/http`.
    pub fn reference(&self, namespace: &str, package: &str) -> String {
        let prefix = self.prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        format!("{}/{prefix}{slash}{namespace}/{package}", self.registry)
    }
}

/// Asks a domain where its packages are. A domain that says nothing is a registry itself.
pub(crate) async fn home(http: &Http, domain: &str) -> Result<Home, Error> {
    let scheme = if is_loopback(domain) { "http" } else { "https" };
    let url = format!("{scheme}://{domain}/.well-known/wasm-pkg/registry.json");
    let place = format!("the description of the registry {domain}");
    let answer = http.ask(&Ask::get(&url, &place, LEN_MAX)).await?;
    if !answer.status.is_success() {
        return Ok(Home { registry: domain.to_owned(), prefix: String::new() });
    }
    let unusable = |reason: String| Error::Answer { host: domain.to_owned(), place: place.clone(), reason };
    let said: Said = serde_json::from_slice(&answer.body).map_err(|error| unusable(error.to_string()))?;
    let oci = said.oci.unwrap_or_default();
    let registry = oci.registry.or(said.oci_registry);
    let prefix = oci.namespace_prefix.or(said.oci_namespace_prefix).unwrap_or_default();
    let registry = registry.ok_or_else(|| unusable("it names no OCI registry".to_owned()))?;
    Ok(Home { registry, prefix })
}
