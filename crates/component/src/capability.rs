//! Imports and exports in plain words: what they let a component do, and whether somebody has to grant it.

use serde::Serialize;

use crate::entry::PREVIEW1;
use crate::name::Name;

/// What an import lets a component ask for, or what an export lets others ask of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// Exports only: answer HTTP requests.
    ServeHttp,
    /// Exports only: run to its end as a command.
    RunCommand,
    /// Pass a request on to the next component of a middleware chain.
    NextHandler,
    /// Call other services over HTTP.
    CallHttp,
    /// Read and write files in granted folders.
    Files,
    /// Open network connections.
    Network,
    /// Read environment variables and arguments.
    Environment,
    /// Keep key-value state.
    KeyValue,
    /// Query SQL databases.
    Sql,
    /// Send and receive messages.
    Messaging,
    /// Keep blobs.
    Blobs,
    /// Read configuration.
    Config,
    /// Read secrets.
    Secrets,
    /// Run machine-learning models.
    Inference,
    /// Write log records.
    Logging,
    /// Write to standard output and standard error, which go to the log.
    Output,
    /// Read standard input.
    Input,
    /// Know about and use a terminal.
    Terminal,
    /// Read the clock.
    Clock,
    /// Random numbers.
    Random,
    /// The system calls of WASI preview 1, of core modules.
    Preview1,
    /// Types and streams that other interfaces are made of.
    Plumbing,
    /// Anything else.
    Other,
}

/// `namespace:package/interface` or `namespace:package/*` and what it is; the first line that fits counts.
const IMPORTS: &[(&str, Capability)] = &[
    ("wasi:http/outgoing-handler", Capability::CallHttp),
    ("wasi:http/client", Capability::CallHttp),
    ("wasi:http/handler", Capability::NextHandler),
    ("wasi:http/incoming-handler", Capability::NextHandler),
    ("wasi:http/*", Capability::Plumbing),
    ("wasi:io/*", Capability::Plumbing),
    ("wasi:filesystem/*", Capability::Files),
    ("wasi:sockets/*", Capability::Network),
    ("wasi:tls/*", Capability::Network),
    ("wasi:cli/environment", Capability::Environment),
    ("wasi:cli/stdout", Capability::Output),
    ("wasi:cli/stderr", Capability::Output),
    ("wasi:cli/stdin", Capability::Input),
    ("wasi:cli/exit", Capability::Plumbing),
    ("wasi:cli/types", Capability::Plumbing),
    ("wasi:cli/*", Capability::Terminal),
    ("wasi:clocks/types", Capability::Plumbing),
    ("wasi:clocks/*", Capability::Clock),
    ("wasi:random/*", Capability::Random),
    ("wasi:keyvalue/*", Capability::KeyValue),
    ("wasi:sql/*", Capability::Sql),
    ("wharf:sql/*", Capability::Sql),
    ("wharf:secrets/*", Capability::Secrets),
    ("wasi:messaging/*", Capability::Messaging),
    ("wasi:blobstore/*", Capability::Blobs),
    ("wasi:config/*", Capability::Config),
    ("wasi:runtime-config/*", Capability::Config),
    ("wasi:secrets/*", Capability::Secrets),
    ("wasi:logging/*", Capability::Logging),
    ("wasi:nn/*", Capability::Inference),
    ("wasmcloud:messaging/*", Capability::Messaging),
    ("wasmcloud:postgres/*", Capability::Sql),
    ("wasmcloud:couchbase/*", Capability::KeyValue),
    ("wasmcloud:secrets/*", Capability::Secrets),
    ("fermyon:spin/http", Capability::CallHttp),
    ("fermyon:spin/key-value", Capability::KeyValue),
    ("fermyon:spin/redis", Capability::KeyValue),
    ("fermyon:spin/sqlite", Capability::Sql),
    ("fermyon:spin/postgres", Capability::Sql),
    ("fermyon:spin/mysql", Capability::Sql),
    ("fermyon:spin/variables", Capability::Config),
    ("fermyon:spin/config", Capability::Config),
    ("fermyon:spin/llm", Capability::Inference),
    ("fermyon:spin/*", Capability::Plumbing),
    ("spin:key-value/*", Capability::KeyValue),
    ("spin:redis/*", Capability::KeyValue),
    ("spin:sqlite/*", Capability::Sql),
    ("spin:postgres/*", Capability::Sql),
    ("spin:mysql/*", Capability::Sql),
    ("spin:mqtt/*", Capability::Messaging),
    ("spin:variables/*", Capability::Config),
    ("spin:llm/*", Capability::Inference),
];

impl Capability {
    /// What an import of this name (with or without version) asks for.
    pub fn of_import(name: &str) -> Capability {
        if name == PREVIEW1 {
            return Capability::Preview1;
        }
        let Some(name) = Name::parse(name) else { return Capability::Other };
        let found = IMPORTS.iter().find(|(pattern, _)| {
            Name::parse(pattern).is_some_and(|pattern| {
                (pattern.namespace, pattern.package) == (name.namespace, name.package)
                    && (pattern.interface == "*" || pattern.interface == name.interface)
            })
        });
        found.map_or(Capability::Other, |(_, capability)| *capability)
    }

    /// What an export of this name offers.
    pub fn of_export(name: &str) -> Capability {
        match Name::parse(name) {
            Some(name) if name.is("wasi:http/incoming-handler") || name.is("wasi:http/handler") => {
                Capability::ServeHttp
            }
            Some(name) if name.is("wasi:cli/run") => Capability::RunCommand,
            Some(name) if (name.namespace, name.package) == ("wasi", "messaging") => Capability::Messaging,
            _ => Capability::Other,
        }
    }

    /// Says whether the component gets it only when the manifest grants it.
    ///
    /// Everything else is harmless: a component always has a clock, random numbers, and its output in the log.
    pub fn needs_grant(self) -> bool {
        self.grant_line().is_some()
    }

    /// An example of the line below `[component.NAME.grants]` that grants it; none if it needs no grant.
    pub fn grant_line(self) -> Option<&'static str> {
        Some(match self {
            Capability::CallHttp => r#"http = ["https://api.example.com"]"#,
            Capability::Files => r#"files = ["data::/data"]"#,
            Capability::Network => r#"net = ["db.example.com:5432"]"#,
            Capability::Environment => r#"environment = { KEY = "value" }"#,
            Capability::KeyValue => r#"keyvalue = ["default"]"#,
            Capability::Sql => r#"sql = ["default"]"#,
            Capability::Messaging => r#"messaging = ["orders"]"#,
            Capability::Blobs => r#"blobstore = ["default"]"#,
            Capability::Config => r#"config = { key = "value" }"#,
            Capability::Secrets => r#"secrets = ["api-key"]"#,
            Capability::Inference => r#"inference = ["default"]"#,
            _ => return None,
        })
    }

    /// An example of the flag that grants it to a component without a manifest; none if it needs no grant, or no flag grants it.
    pub fn grant_flag(self) -> Option<&'static str> {
        Some(match self {
            Capability::CallHttp => "--allow-http https://api.example.com",
            Capability::Files => "--dir data::/data",
            Capability::Network => "--allow-net db.example.com:5432",
            Capability::Environment => "--env KEY=value",
            Capability::KeyValue => "--keyvalue default",
            Capability::Sql => "--sql default",
            Capability::Messaging => "--messaging orders",
            Capability::Blobs => "--blobstore default",
            Capability::Config => "--config key=value",
            Capability::Secrets => "--secret api-key",
            _ => return None,
        })
    }

    /// A short phrase that follows "may" or "can", for example `call other services over HTTP`.
    pub fn words(self) -> &'static str {
        match self {
            Capability::ServeHttp => "serve HTTP requests",
            Capability::RunCommand => "run as a command",
            Capability::NextHandler => "pass HTTP requests on to the next component",
            Capability::CallHttp => "call other services over HTTP",
            Capability::Files => "read and write files in granted folders",
            Capability::Network => "open network connections",
            Capability::Environment => "read environment variables and arguments",
            Capability::KeyValue => "keep key-value state",
            Capability::Sql => "query SQL databases",
            Capability::Messaging => "send and receive messages",
            Capability::Blobs => "keep blobs",
            Capability::Config => "read configuration",
            Capability::Secrets => "read secrets",
            Capability::Inference => "run machine-learning models",
            Capability::Logging => "write log records",
            Capability::Output => "write to the log (stdout, stderr)",
            Capability::Input => "read standard input",
            Capability::Terminal => "use a terminal",
            Capability::Clock => "read the clock",
            Capability::Random => "get random numbers",
            Capability::Preview1 => "make the system calls of WASI preview 1",
            Capability::Plumbing => "use the types and streams of the above",
            Capability::Other => "use other interfaces",
        }
    }
}
