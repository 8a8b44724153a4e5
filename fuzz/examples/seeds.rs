//! Writes what the fuzzer starts from: manifests with their dictionary, and binaries made from WAT and WIT.
//!
//! `cargo run --example seeds -- FOLDER` makes a folder in it for each target. The targets `router` and `headers` read
//! bytes that mean nothing to people and start from nothing.

use std::error::Error;
use std::fs;
use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WorldId};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A manifest with every kind of value that the reader knows.
const MANIFEST: &str = r#"name = "shop"
version = "1.4.0-rc.1+b2"

[component.cart]
source = "cart.wasm"
build = { command = "cargo build", dir = "cart", watch = ["src/**"] }
limits = { memory = "64MiB", cpu = "50ms", wall = "10s", concurrency = 64, queue = 0, handles = 0x20, stack = "1MiB" }
reuse = { requests = 100, concurrent = 4, idle = "30s" }

[component.cart.grants]
environment = { MODE = "test", "A-B" = "" }
files = ["data::/data:rw", { host = "h", guest = "/g", writable = true }]
http = ["https://*.example.com:8000-8100", "*://10.0.0.0/8:*", "http://stock.wharf.internal", "*"]
net = ["db.internal:5432", "[fd00::/8]:1-2", "[::1]:*"]
keyvalue = ["default"]

[component.stock]
source = { path = "stock.wasm" }

[[trigger.http]]
route = "/:item/..."
host = "*.example.com"
methods = ["GET", "POST"]
component = "cart"

[[trigger.http]]
route = { private = true }
component = "stock"

[[trigger.http]]
route = "/health"
host = "[::1]"
static = { status = 503, headers = { x-a = "b" }, content-type = "text/plain", body = "no" }
"#;

/// Mistakes of every sort.
const MISTAKES: &str = r#"name = "Shop_"
version = "1"
colour = 1
variables = {}
[component.b]
source = "http://x"
limits = { memory = "1PB", cpu = 5, wall = "1x", queue = -1 }
grants.http = ["http://c.wharf.internal", "ftp://x", "a b", "[::1"]
grants.net = ["é:1", "x", "10.0.0.1/8:1"]
grants.files = [1, "a::../b", { guest = "x" }]
grants.environment = { "" = "", "a=b" = 1 }
[[trigger.http]]
route = "/:a/:a"
component = "d"
[[trigger.http]]
route = "/{x}"
host = "*.*.com"
methods = ["get", "", "CONNECT"]
static = { status = 99, body = """
x""" }
[[trigger.http]]
private = true
route = '/a'
"#;

const MODULES: [(&str, &str); 4] = [
    (
        "module",
        r#"(module $m (import "env" "f" (func)) (memory 1 2) (table 1 funcref) (global i32 i32.const 1)
            (data (i32.const 0) "x") (elem (i32.const 0) func 0) (func (export "g") (param i64) (result f32) unreachable)
            (@producers (language "Rust" "1") (sdk "x" "y")) (@custom "component-type:x" "\00asm\0d\00\01\00"))"#,
    ),
    (
        "preview1",
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1) (func (export "_start")) (@custom ".debug_info" "x"))"#,
    ),
    (
        "proposals",
        r#"(module (type (struct (field i32))) (tag (param i32)) (func (param (ref null 0)) (return_call 0 (local.get 0))))"#,
    ),
    (
        "composed",
        r#"(component
            (import "acme:a/types@1.0.0" (instance $types (export "r" (type (sub resource)))))
            (alias export $types "r" (type $r))
            (import "acme:a/uses@1.0.0" (instance (export "r" (type (eq $r)))))
            (import "acme:a/more@1.0.0" (instance (export "r" (type (eq $r))) (export "f" (func))))
            (export "acme:a/types@1.0.0" (instance $types))
            (component $inner (core module) (type (list u8)))
            (core module $m (func (export "f")))
            (core instance $m (instantiate $m))
            (func $f (canon lift (core func $m "f")))
            (instance $run (export "go" (func $f)))
            (export "acme:b/run@1.0.0" (instance $run)))"#,
    ),
];

/// Two namespaces and two keys, one part a line.
const KEYS: [(&str, &str); 3] = [
    ("hostile", "a\nlabel-b\na-label\nb\nb:x\n../a:label-b:*"),
    ("shared", "\ncarts\nshop\ncarts\n=41\nA"),
    ("foreign", "shop:carts:=C3=A4[a-z]?\\*"),
];

/// Names of blobs, and names of files and keys.
const BLOB_NAMES: [(&str, &str); 4] = [
    ("up", "../../..//a/./b/%2e%2e%2f\\..\\~root"),
    ("letters", "A\u{e9}e\u{301}\u{202e}\u{1f980}\0\n\u{ffff} .created"),
    ("file", "%2e%2e%2fa%00"),
    ("hash", "~af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
];

/// Packages that the worlds use, in the shape of the real ones.
const PACKAGES: &str = "
    package wasi:http@0.2.12 {
        interface types { resource fields { get: func(name: string) -> list<list<u8>>; } }
        interface incoming-handler { use types.{fields}; handle: func(request: borrow<fields>); }
    }
    package wasi:http@0.3.0 {
        interface types { resource request; resource response; }
        interface handler { use types.{request, response}; handle: async func(request: request) -> result<response>; }
    }
    package wasi:cli@0.2.6 { interface run { run: func() -> result; } }
    package acme:shop@1.2.0 {
        /// Documented.
        interface orders {
            record order { id: u64, tags: list<string> }
            variant state { open, done(option<u32>) }
            flags marks { a, b }
            enum size { s, m }
            resource box { constructor(s: size); open: func() -> tuple<u8, char>; make: static func() -> box; }
            total: func(order: order, marks: marks) -> result<f64, state>;
        }
    }
";

const WORLDS: [(&str, &str); 4] = [
    ("http-p2", "import wasi:cli/run@0.2.6; export wasi:http/incoming-handler@0.2.12;"),
    ("http-p3", "export wasi:http/handler@0.3.0; import a: async func(s: stream<u8>) -> future<string>;"),
    ("library", "export acme:shop/orders@1.2.0; export ping: func() -> result<u32, string>;"),
    ("imports", "import acme:shop/orders@1.2.0; import x: interface { y: func(); } export wasi:cli/run@0.2.6;"),
];

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or("usage: cargo run --example seeds -- FOLDER")?;
    let folder = Path::new(&folder);
    for target in ["manifest", "router", "headers", "component", "keys", "blob_names"] {
        fs::create_dir_all(folder.join(target))?;
    }
    fs::write(folder.join("manifest/sound"), MANIFEST)?;
    fs::write(folder.join("manifest/mistakes"), MISTAKES)?;
    fs::write(folder.join("manifest.dict"), dictionary())?;
    for (name, text) in MODULES {
        fs::write(folder.join("component").join(name), wat::parse_str(text)?)?;
    }
    for (name, text) in KEYS {
        fs::write(folder.join("keys").join(name), text)?;
    }
    for (name, text) in BLOB_NAMES {
        fs::write(folder.join("blob_names").join(name), text)?;
    }
    fs::write(folder.join("component/chain"), wat::parse_str(chain(130))?)?;
    fs::write(folder.join("component/shared"), wat::parse_str(shared(40))?)?;
    for (name, world) in WORLDS {
        let (resolve, world) = resolve(world)?;
        let module = module_of(&resolve, world)?;
        let component = ComponentEncoder::default().module(&module)?.encode()?;
        let package = resolve.worlds[world].package.ok_or("a world without a package")?;
        for (kind, bytes) in
            [("module", module), ("component", component), ("wit", wit_component::encode(&resolve, package)?)]
        {
            fs::write(folder.join("component").join(format!("{name}.{kind}")), bytes)?;
        }
    }
    Ok(())
}

/// Returns a component with a chain of types, each inside the next.
fn chain(length: usize) -> String {
    let link = |at| {
        format!(r#"(type $t{at} (instance (alias outer 1 $t{} (type $x)) (export "x" (instance (type $x)))))"#, at - 1)
    };
    let links: String = (1..length).map(link).collect();
    format!("(component (type $t0 (instance)) {links})")
}

/// Returns a component whose imports all have one type.
fn shared(imports: usize) -> String {
    let import = |at| format!(r#"(import "a:b/f{at}" (instance (type $i)))"#);
    let imports: String = (0..imports).map(import).collect();
    format!(r#"(component (type $i (instance (export "name" (func (param "p" string))))) {imports})"#)
}

/// Words of the manifest, one a line, as libFuzzer reads them.
fn dictionary() -> String {
    let keys = wharf_app::FIELDS.iter().flat_map(|field| field.path.split('.')).filter(|key| *key != "*");
    let values = [
        "\"",
        "'''",
        "\"\"\"",
        " = ",
        "[[",
        "]]",
        "{ ",
        "://",
        ".wharf.internal",
        "*.",
        "MiB",
        "ms",
        "\\u{85}",
        "0x",
        "/...",
    ];
    let others = ["[component.a]\n", "[[trigger.http]]\n", "static = {}\n", "component = 'a'\n", "é", "\u{202e}", "日"];
    let mut words: Vec<&str> = keys.chain(values).chain(others).collect();
    words.sort_unstable();
    words.dedup();
    let escaped = |word: &str| word.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    words.into_iter().map(|word| format!("\"{}\"\n", escaped(word))).collect()
}

fn resolve(world: &str) -> Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let text = format!("package test:test;\nworld test {{ {world} }}\n{PACKAGES}");
    let package = resolve.push_str("test.wit", &text)?;
    let world = resolve.select_world(&[package], None)?;
    Ok((resolve, world))
}

/// Returns a core module with the world inside, whose functions trap.
fn module_of(resolve: &Resolve, world: WorldId) -> Result<Vec<u8>> {
    let mut module = dummy_module(resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}
