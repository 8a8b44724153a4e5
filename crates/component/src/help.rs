//! The sentences that say what to do about an import that nobody provides.

use crate::Capability;
use crate::name::Name;

/// The interface is here in another version.
pub(crate) fn version(import: &str, wanted: Option<&str>, nearest: &str, rebuild_with: Option<&str>) -> String {
    let wanted = wanted.unwrap_or("one without version");
    let rebuild = match rebuild_with {
        Some(version) => format!("rebuild with bindings for {version}"),
        None => format!("rebuild without the version of {import}"),
    };
    format!("this host has {nearest}; the component wants {wanted}: {rebuild}")
}

/// No version of the interface is here.
pub(crate) fn interface(import: &str) -> String {
    let later = |what: &str| format!("this version of Wharf does not provide {what}; a later version will");
    let Some(name) = Name::parse(import) else { return bare(import, None) };
    match (name.namespace, name.package) {
        ("fermyon" | "spin", _) => format!(
            "an interface of Spin, which this version of Wharf does not provide; use the WASI interface to {} where there is one",
            words(import)
        ),
        ("wasmcloud", _) => "an interface of wasmCloud, which this version of Wharf does not provide".to_owned(),
        ("wasi", "clocks") if name.interface == "timezone" => {
            "an unstable interface that no host provides by default; build without the `clocks-timezone` feature"
                .to_owned()
        }
        ("wasi", "http") if matches!(name.interface, "handler" | "incoming-handler") => {
            "middleware: it needs a handler behind it; join the two, for example with `wac plug`".to_owned()
        }
        ("wasi", "tls") => later("TLS connections of the guest's own"),
        ("wasi", _) => match Capability::of_import(import) {
            Capability::Other | Capability::Plumbing => {
                format!("this host has no `{}:{}/{}` in any version", name.namespace, name.package, name.interface)
            }
            capability => later(&format!("the interface to {}", capability.words())),
        },
        _ => format!(
            "not an interface of this host; join the component with one that exports {import}, for example with `wac plug`"
        ),
    }
}

fn words(import: &str) -> &'static str {
    match Capability::of_import(import) {
        Capability::Other | Capability::Plumbing => "do the same",
        capability => capability.words(),
    }
}

/// A plainly named import.
pub(crate) fn bare(import: &str, implements: Option<&str>) -> String {
    match implements {
        Some(interface) => format!(
            "`{import}` stands for {interface}; this version of Wharf provides interfaces under their own names only"
        ),
        None => format!(
            "`{import}` is imported by a name of the component's own; join the component with one that exports `{import}`, for example with `wac plug`"
        ),
    }
}

/// Module names that give away the tool, by prefix, and what to do.
const CORE: &[(&str, &str)] = &[
    ("__wbindgen", WASM_BINDGEN),
    ("wbg", WASM_BINDGEN),
    ("gojs", GO_JS),
    ("go", GO_JS),
    ("wasi_unstable", "WASI from before preview 1; rebuild with a current toolchain"),
    ("wasix_", "WASIX, an extension that only one other runtime has; rebuild for `wasm32-wasip2`"),
    ("wasi_ephemeral_nn", "machine-learning calls for core modules; rebuild as a component that imports `wasi:nn`"),
    (
        "wasi_snapshot_preview1",
        "not a function of WASI preview 1: an extension of another runtime; rebuild as a component that imports `wasi:sockets` or `wasi:http`",
    ),
    ("$root", COMPONENT),
    ("[export]", COMPONENT),
    ("cm32p2", COMPONENT),
];

const WASM_BINDGEN: &str = "made by wasm-bindgen for browsers and Node.js; build for `wasm32-wasip2` instead of `wasm32-unknown-unknown`, without crates that use `js-sys` or `web-sys`";
const GO_JS: &str =
    "Go built for browsers (`GOOS=js`); build with `GOOS=wasip1 GOARCH=wasm`, then make a component of it";
const COMPONENT: &str =
    "a core module that is meant to become a component: `wasm-tools component new FILE -o OUT.wasm`";
const EMSCRIPTEN: &str =
    "made by Emscripten for browsers; build with the WASI SDK (`clang --target=wasm32-wasip2`) instead";

/// An import of a core module.
pub(crate) fn core(module: &str, name: &str) -> &'static str {
    let is_emscripten =
        name.starts_with("emscripten_") || name.starts_with("invoke_") || name.starts_with("_emscripten");
    if module == "env" && (is_emscripten || matches!(name, "abort" | "_abort_js" | "__cxa_throw")) {
        return if name == "abort" {
            "made for a JavaScript host (AssemblyScript or Emscripten); for AssemblyScript build with `--use abort=`"
        } else {
            EMSCRIPTEN
        };
    }
    if module == "env" {
        return "a symbol that was not found when linking; link the library that defines it, or do not pass `--allow-undefined`";
    }
    if module == "a" {
        return EMSCRIPTEN;
    }
    if Name::parse(module).is_some() {
        return COMPONENT;
    }
    let found = CORE.iter().find(|(prefix, _)| module.starts_with(prefix));
    found.map_or("not a module of this host; core modules can import WASI preview 1 only", |(_, help)| help)
}
