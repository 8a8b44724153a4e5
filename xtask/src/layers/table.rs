//! The table of layers: what each crate of ours may use, and who may use what others made.

/// One crate of ours.
pub(super) struct Crate {
    pub(super) layer: u8,
    pub(super) name: &'static str,
    /// The crates of ours that it may use, in tests too.
    pub(super) uses: &'static [&'static str],
}

/// The crate that tests of every layer use, and nothing else; it uses none of ours, so that it can be under all of them.
pub(super) const TESTKIT: &str = "wharf-testkit";

/// Crates of others that only some of ours may name in their manifests.
pub(super) struct Only {
    /// Names; a `*` at the end stands for any rest.
    pub(super) crates: &'static [&'static str],
    pub(super) users: &'static [&'static str],
    /// Whether every crate may use them in tests.
    pub(super) dev: bool,
    pub(super) reason: &'static str,
}

/// From the ground up. Within layer 3 the order is gateway → trigger → runtime.
pub(super) const CRATES: &[Crate] = &[
    Crate { layer: 0, name: TESTKIT, uses: &[] },
    Crate { layer: 0, name: "wharf-telemetry", uses: &[] },
    Crate { layer: 0, name: "wharf-problem", uses: &[] },
    Crate { layer: 1, name: "wharf-app", uses: &["wharf-problem"] },
    Crate { layer: 1, name: "wharf-component", uses: &[] },
    Crate { layer: 1, name: "wharf-compose", uses: &[] },
    Crate { layer: 1, name: "wharf-pump", uses: &[] },
    Crate { layer: 1, name: "wharf-unbundle", uses: &[] },
    Crate { layer: 2, name: "wharf-graph", uses: &["wharf-app", "wharf-component"] },
    Crate { layer: 1, name: "wharf-testing", uses: &["wharf-app"] },
    Crate { layer: 2, name: "wharf-scaffold", uses: &["wharf-app"] },
    Crate { layer: 1, name: "wharf-wit", uses: &["wharf-component", "wharf-app"] },
    Crate { layer: 1, name: "wharf-registry", uses: &["wharf-telemetry"] },
    Crate { layer: 2, name: "wharf-project", uses: &["wharf-registry", "wharf-app", "wharf-telemetry"] },
    Crate { layer: 2, name: "wharf-kit", uses: &["wharf-app", "wharf-telemetry"] },
    // Connections of several capabilities, so that none of them depends on another.
    Crate { layer: 2, name: "wharf-servers", uses: &["wharf-kit"] },
    Crate { layer: 2, name: "wharf-blobstore", uses: &["wharf-servers", "wharf-kit", "wharf-telemetry"] },
    Crate { layer: 2, name: "wharf-config", uses: &["wharf-kit", "wharf-telemetry"] },
    Crate { layer: 2, name: "wharf-keyvalue", uses: &["wharf-servers", "wharf-kit", "wharf-telemetry"] },
    Crate { layer: 2, name: "wharf-messaging", uses: &["wharf-servers", "wharf-kit", "wharf-telemetry"] },
    Crate { layer: 2, name: "wharf-secrets", uses: &["wharf-servers", "wharf-kit", "wharf-telemetry"] },
    Crate { layer: 2, name: "wharf-sql", uses: &["wharf-servers", "wharf-kit", "wharf-telemetry"] },
    Crate { layer: 2, name: "wharf-http", uses: &["wharf-kit", "wharf-app", "wharf-telemetry"] },
    Crate {
        layer: 2,
        name: "wharf-host",
        uses: &[
            "wharf-blobstore",
            "wharf-config",
            "wharf-http",
            "wharf-keyvalue",
            "wharf-messaging",
            "wharf-secrets",
            "wharf-sql",
            "wharf-kit",
            "wharf-app",
            "wharf-telemetry",
        ],
    },
    // Makes machine code, and runs none.
    Crate { layer: 2, name: "wharf-engine", uses: &["wharf-unbundle", "wharf-telemetry"] },
    // Knows stores of any kind, and nothing of what is granted to them.
    Crate { layer: 2, name: "wharf-debugger", uses: &["wharf-telemetry"] },
    Crate { layer: 2, name: "wharf-transfer", uses: &["wharf-engine", "wharf-host", "wharf-pump"] },
    Crate {
        layer: 3,
        name: "wharf-runtime",
        uses: &["wharf-debugger", "wharf-engine", "wharf-host", "wharf-telemetry", "wharf-transfer"],
    },
    Crate { layer: 3, name: "wharf-trigger", uses: &["wharf-runtime", "wharf-host", "wharf-telemetry"] },
    Crate {
        layer: 3,
        name: "wharf-gateway",
        uses: &["wharf-trigger", "wharf-runtime", "wharf-app", "wharf-telemetry"],
    },
    Crate {
        layer: 4,
        name: "wharf-node",
        uses: &[
            "wharf-gateway",
            "wharf-trigger",
            "wharf-runtime",
            "wharf-host",
            "wharf-blobstore",
            "wharf-config",
            "wharf-http",
            "wharf-keyvalue",
            "wharf-messaging",
            "wharf-secrets",
            "wharf-sql",
            "wharf-kit",
            "wharf-component",
            "wharf-compose",
            "wharf-app",
            "wharf-telemetry",
        ],
    },
    Crate {
        layer: 5,
        name: "wharf-trials",
        uses: &["wharf-node", "wharf-runtime", "wharf-testing", "wharf-app", "wharf-telemetry"],
    },
    // Initialises components, which runs them.
    Crate { layer: 4, name: "wharf-preinit", uses: &["wharf-runtime", "wharf-host", "wharf-telemetry"] },
    Crate {
        layer: 5,
        name: "wharf-build",
        uses: &["wharf-preinit", "wharf-component", "wharf-app", "wharf-telemetry"],
    },
    // The commands put together what they run and fill in every part's settings.
    Crate {
        layer: 6,
        name: "wharf-cli",
        uses: &[
            "wharf-build",
            "wharf-node",
            "wharf-gateway",
            "wharf-graph",
            "wharf-trigger",
            "wharf-runtime",
            "wharf-scaffold",
            "wharf-project",
            "wharf-registry",
            "wharf-wit",
            "wharf-component",
            "wharf-compose",
            "wharf-testing",
            "wharf-trials",
            "wharf-app",
            "wharf-telemetry",
        ],
    },
    // What others do who build upon the runtime.
    Crate { layer: 6, name: "embedder", uses: &["wharf-runtime"] },
    Crate { layer: 6, name: "xtask-setup", uses: &[] },
    Crate { layer: 6, name: "xtask-bench", uses: &["xtask-setup"] },
    Crate { layer: 6, name: "xtask", uses: &["xtask-bench", "xtask-setup"] },
];

/// The first rule that names a crate decides.
pub(super) const ONLY: &[Only] = &[
    Only {
        crates: &["wasmtime-wasi-http"],
        users: &["wharf-runtime", "wharf-transfer", "wharf-host", "wharf-http", "wharf-trigger"],
        dev: false,
        reason: "it is the engine; `trigger` makes and reads its HTTP types",
    },
    Only {
        crates: &["wasmtime", "wasmtime-*"],
        users: &[
            "wharf-engine",
            "wharf-transfer",
            "wharf-runtime",
            "wharf-preinit",
            "wharf-debugger",
            "wharf-host",
            "wharf-blobstore",
            "wharf-config",
            "wharf-http",
            "wharf-keyvalue",
            "wharf-messaging",
            "wharf-secrets",
            "wharf-sql",
        ],
        dev: false,
        reason: "one engine, one constructor, one store type; capabilities have adapters, the others see values",
    },
    Only {
        crates: &["hyper", "hyper-*"],
        users: &["wharf-gateway", "wharf-http"],
        dev: true,
        reason: "connections of clients are the gateway's, those to servers are `http`'s; the others see `http` types",
    },
    Only {
        crates: &["rustls", "rustls-*", "tokio-rustls"],
        users: &["wharf-gateway", "wharf-http", "wharf-servers", "wharf-node", "wharf-cli"],
        dev: true,
        reason: "TLS ends in the gateway and begins in `http` and in `servers`; `node` and `cli` bring certificates",
    },
    Only {
        crates: &["tokio-postgres", "tokio-postgres-rustls", "rusqlite"],
        users: &["wharf-sql"],
        dev: false,
        reason: "a server's protocol is one capability's business",
    },
    Only {
        crates: &["reqwest"],
        users: &["wharf-registry", "wharf-secrets"],
        dev: true,
        reason: "`registry` downloads, and Vault is spoken to by HTTP; guests' requests are `http`'s",
    },
    Only {
        crates: &["async-nats", "redis", "redb", "object_store", "rumqttc-next", "age"],
        users: &["wharf-blobstore", "wharf-keyvalue", "wharf-messaging", "wharf-secrets", "wharf-servers"],
        dev: true,
        reason: "backends are in capabilities",
    },
    Only {
        crates: &["tokio", "tokio-*", "mio", "notify"],
        users: &[
            "wharf-registry",
            "wharf-kit",
            "wharf-servers",
            "wharf-blobstore",
            "wharf-config",
            "wharf-http",
            "wharf-keyvalue",
            "wharf-messaging",
            "wharf-secrets",
            "wharf-sql",
            "wharf-host",
            "wharf-debugger",
            "wharf-runtime",
            "wharf-preinit",
            "wharf-trigger",
            "wharf-gateway",
            "wharf-node",
            "wharf-build",
            "wharf-trials",
            "wharf-cli",
            "embedder",
            TESTKIT,
        ],
        dev: false,
        reason: "`app`, `component`, `wit` and `telemetry` do no I/O and wait for nothing",
    },
    Only {
        crates: &["clap", "clap_*", "anyhow"],
        users: &["wharf-cli", "xtask", "xtask-bench", "xtask-setup"],
        dev: true,
        reason: "libraries have typed errors and no arguments",
    },
    Only {
        crates: &["tracing-subscriber"],
        users: &["wharf-cli", "wharf-trials"],
        dev: true,
        reason: "the program chooses where spans and events go, a library never; a test of an app keeps those of its own thread",
    },
    Only {
        crates: &["wasi-preview1-component-adapter-provider"],
        users: &["wharf-build", "xtask-setup"],
        dev: true,
        reason: "modules are made components by builds",
    },
    Only {
        crates: &["wit-bindgen-*", "wast", "wat"],
        users: &["wharf-scaffold", "wharf-pump", "xtask-setup"],
        dev: true,
        reason: "bindings are made for users; guests are built by tasks and read by tests; pumps are written as text",
    },
    Only {
        crates: &["wasmparser", "wasm-*", "wac-*", "wit-*"],
        users: &[
            "wharf-build",
            "wharf-component",
            "wharf-compose",
            "wharf-scaffold",
            "wharf-unbundle",
            "wharf-wit",
            "xtask-setup",
        ],
        dev: true,
        reason: "`component` is where bytes become facts, `build` where modules become components, `compose` where several become one, `unbundle` where one becomes several, `wit` where texts become interfaces",
    },
    Only {
        crates: &["once_cell", "lazy_static"],
        users: &[],
        dev: false,
        reason: "the standard library has `LazyLock` and `OnceLock`",
    },
    Only {
        crates: &["chrono", "time"],
        users: &[],
        dev: false,
        reason: "wall-clock time is `telemetry::clock`, formatted by jiff",
    },
];
