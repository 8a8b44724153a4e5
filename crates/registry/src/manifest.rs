//! What an artifact is made of, as registries say it.

use serde::Deserialize;

use crate::Digest;

/// What is asked for, in the order of preference.
pub(crate) const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

/// Types of layers that are a component or a module.
const WASM_LAYERS: &[&str] = &[
    "application/wasm",
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.module.wasm.content.layer.v1+wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
];

/// The type of the configuration of an app of Spin.
const SPIN_APP: &str = "application/vnd.fermyon.spin.application.v1+config";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    /// Of an index.
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Debug, Deserialize)]
struct Platform {
    #[serde(default)]
    architecture: String,
}

/// Where to go on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The bytes themselves, with their size as the manifest says it.
    Layer(Digest, u64),
    /// Another manifest.
    Manifest(Digest),
}

/// Reads a manifest, or an index of several. Otherwise says what it is.
pub(crate) fn next(body: &[u8]) -> Result<Next, String> {
    let manifest: Manifest =
        serde_json::from_slice(body).map_err(|error| format!("its manifest cannot be read: {error}"))?;
    if manifest.layers.is_empty() && !manifest.manifests.is_empty() {
        let is_wasm = |entry: &&Descriptor| {
            entry.platform.as_ref().is_some_and(|platform| platform.architecture.starts_with("wasm"))
        };
        let entries = &manifest.manifests;
        let chosen = entries.iter().find(is_wasm).or_else(|| entries.first().filter(|_| entries.len() == 1));
        let chosen = chosen.ok_or("it is an index of images, none of them for WebAssembly")?;
        return Ok(Next::Manifest(Digest::parse(&chosen.digest).map_err(str::to_owned)?));
    }
    if manifest.config.is_some_and(|config| config.media_type == SPIN_APP) {
        return Err(format!("it is an app of Spin with {} layers, and not one component", manifest.layers.len()));
    }
    let wasm: Vec<&Descriptor> =
        manifest.layers.iter().filter(|layer| WASM_LAYERS.contains(&layer.media_type.as_str())).collect();
    match wasm.as_slice() {
        [one] => Ok(Next::Layer(Digest::parse(&one.digest).map_err(str::to_owned)?, one.size)),
        [] => {
            let types: Vec<&str> = manifest.layers.iter().take(4).map(|layer| layer.media_type.as_str()).collect();
            Err(format!("it has no layer of type application/wasm, but {}", said(&types)))
        }
        several => Err(format!("it has {} WebAssembly layers, and one is expected", several.len())),
    }
}

fn said(types: &[&str]) -> String {
    if types.is_empty() { "no layer at all".to_owned() } else { format!("{types:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(media_type: &str, digest: &Digest) -> String {
        format!(r#"{{"mediaType": "{media_type}", "digest": "{digest}", "size": 7}}"#)
    }

    #[test]
    fn the_one_layer_of_webassembly_is_it() {
        let digest = Digest::of(b"wasm");
        for media_type in WASM_LAYERS {
            let other = layer("text/plain", &Digest::of(b""));
            let text = format!(r#"{{"schemaVersion": 2, "layers": [{}, {other}]}}"#, layer(media_type, &digest));
            assert_eq!(next(text.as_bytes()), Ok(Next::Layer(digest, 7)));
        }
    }

    #[test]
    fn an_index_leads_to_the_entry_for_webassembly() {
        let (wasm, other) = (Digest::of(b"wasm"), Digest::of(b""));
        let entry = |architecture: &str, digest: &Digest| {
            format!(r#"{{"digest": "{digest}", "platform": {{"architecture": "{architecture}", "os": "x"}}}}"#)
        };
        let index = |entries: &[String]| format!(r#"{{"manifests": [{}]}}"#, entries.join(","));
        let both = index(&[entry("amd64", &other), entry("wasm", &wasm)]);
        assert_eq!(next(both.as_bytes()), Ok(Next::Manifest(wasm)));
        assert_eq!(next(index(&[entry("", &other)]).as_bytes()), Ok(Next::Manifest(other)));
        assert!(next(index(&[entry("amd64", &other), entry("arm64", &other)]).as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_artifact_is_told() {
        let digest = Digest::of(b"");
        let wasm = layer("application/wasm", &digest);
        for (text, said) in [
            ("no", "cannot be read"),
            ("{}", "no layer at all"),
            (&format!(r#"{{"layers": [{wasm}, {wasm}]}}"#), "2 WebAssembly layers"),
            (&format!(r#"{{"layers": [{}]}}"#, layer("text/plain", &digest)), "text/plain"),
            (&format!(r#"{{"config": {}, "layers": [{wasm}]}}"#, layer(SPIN_APP, &digest)), "app of Spin"),
            (r#"{"layers": [{"mediaType": "application/wasm", "digest": "md5:1"}]}"#, "sha256"),
        ] {
            let error = next(text.as_bytes()).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
