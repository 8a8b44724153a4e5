//! Every key that a manifest may have, as data.
//!
//! The parser refuses keys that are not here, and the reference page and the JSON schema are made of this table; so
//! what is documented, what is accepted and what is checked by editors cannot drift apart.

mod reference;
mod schema;

pub use reference::reference_markdown;
pub use schema::{closed_object, json_schema};

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Keys from the root, with dots; `*` is a name that the user chooses. The tables of a list have no part of their
    /// own.
    pub path: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Whether the key has to be there.
    pub required: bool,
    /// The value when the key is absent, as TOML; empty when that is nothing.
    pub default: &'static str,
    /// Whether this version knows the key and does nothing for it yet.
    pub later: bool,
    /// One sentence or two.
    pub doc: &'static str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// `true`, `false`, or a text.
    BoolOrText,
    /// `true` or `false`.
    Bool,
    /// A whole number, zero or more.
    Integer,
    /// A size, as a text or a number of bytes.
    Size,
    /// A duration, as a text.
    Duration,
    /// A list of texts.
    Texts,
    /// A table from names to texts.
    TextMap,
    /// A table with the keys below it.
    Table,
    /// A text, or a table with the keys below it.
    TextOrTable,
    /// A table from names to tables with the keys below it.
    Named,
    /// A list of tables with the keys below it.
    Tables,
    /// A list of texts, or of tables with the keys below it.
    TextsOrTables,
    /// A list of texts, or a table from such texts to tables with the keys below it.
    Labels,
    /// `true`, `false`, or a list of texts.
    BoolOrTexts,
    /// Anything.
    Any,
}

impl Kind {
    /// Returns the kind in words, with an example where one helps.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::BoolOrText => "`true`, `false` or text",
            Self::Bool => "`true` or `false`",
            Self::Integer => "whole number",
            Self::Size => "size, as in `\"64MiB\"`",
            Self::Duration => "duration, as in `\"50ms\"`",
            Self::Texts => "list of texts",
            Self::TextMap => "table of texts",
            Self::Table => "table",
            Self::TextOrTable => "text or table",
            Self::Named => "tables by name",
            Self::Tables => "list of tables",
            Self::TextsOrTables => "list of texts or tables",
            Self::Labels => "list of labels, or tables by label",
            Self::BoolOrTexts => "`true`, `false` or a list of texts",
            Self::Any => "anything",
        }
    }
}

const fn field(path: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { path, kind, required: false, default: "", later: false, doc }
}

impl Field {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    const fn later(mut self) -> Self {
        self.later = true;
        self
    }

    /// Returns the path of the table that the key is in, empty for the root, and the key alone.
    pub fn split(&self) -> (&'static str, &'static str) {
        self.path.rsplit_once('.').unwrap_or(("", self.path))
    }
}

/// Every key, each table before the keys in it.
pub const FIELDS: &[Field] = &[
    field("name", Kind::Text, "The name of the app: lower-case letters, digits and `-`, at most 63.").required(),
    field("version", Kind::Text, "The version of the app, a semantic version.").default("\"0.0.0\""),
    field("variables", Kind::Named, "Values that whoever runs the app fills in, for `{{ NAME }}` in templates."),
    field("variables.*.default", Kind::Text, "The value when nobody gives one. A secret has none."),
    field("variables.*.required", Kind::Bool, "Whether the app is not run without a value.").default("false"),
    field(
        "variables.*.secret",
        Kind::Bool,
        "Whether the value is kept apart: no template has it, only components that are granted it in `secrets`.",
    )
    .default("false"),
    field("test", Kind::Table, "How `wharf test` runs the tests of the app, beside what stands in their files."),
    field("test.component", Kind::Text, "A component of the app that tests the others: a command that passes if it ends well."),
    field("test.timeout", Kind::Duration, "Time that a component that tests may take.").default("\"60s\""),
    field("component", Kind::Named, "The components of the app. A name has lower-case letters, digits and `-`."),
    field(
        "component.*.source",
        Kind::TextOrTable,
        "Where the component comes from: the path of a file, relative to the manifest.",
    )
    .required(),
    field("component.*.source.path", Kind::Text, "The path of a file, relative to the manifest."),
    field("component.*.source.registry", Kind::Text, "An artifact in a registry, such as `ghcr.io/acme/auth`."),
    field("component.*.source.version", Kind::Text, "The version in the registry, which is the tag."),
    field("component.*.source.url", Kind::Text, "An address to download from; `digest` says what must come."),
    field("component.*.source.digest", Kind::Text, "`sha256:` and 64 digits: that of the bytes, or of the artifact's manifest."),
    field(
        "component.*.build",
        Kind::TextOrTable,
        "How the component is built from sources: a command line, or a table of the keys below.",
    ),
    field("component.*.build.command", Kind::Text, "The command line.").required(),
    field("component.*.build.dir", Kind::Text, "The folder to run it in, relative to the manifest.").default("\".\""),
    field(
        "component.*.build.watch",
        Kind::Texts,
        "Globs, relative to `dir`, of the files whose change asks for a new build; with `!` before it, of files that do not. Empty: \
         every file in `dir`.",
    )
    .default("[]"),
    field(
        "component.*.build.module",
        Kind::Text,
        "The core module that the command writes, relative to `dir`; `source` is made of it. Absent: the command writes \
         `source`, and if that is a core module, the component takes its place.",
    ),
    field(
        "component.*.build.wit",
        Kind::Text,
        "The folder of WIT, relative to `dir`, for a core module that carries no world, as those of Go do.",
    ),
    field(
        "component.*.build.world",
        Kind::Text,
        "The world in `wit` that the core module is made for; absent: the only one of its package.",
    ),
    field(
        "component.*.build.adapter",
        Kind::Text,
        "What a core module's imports of WASI preview 1 become: `\"command\"`, `\"reactor\"`, `\"proxy\"` or `\"none\"`. Absent: \
         `command` where it exports `_start`, otherwise `reactor`.",
    ),
    field(
        "component.*.build.preinit",
        Kind::BoolOrText,
        "The function that is run once, after the command, and whose effects are kept in the component: the name of an export of the \
         core module, or `true` for `wizer-initialize`.",
    )
    .default("false"),
    field("component.*.build.timeout", Kind::Duration, "How long the command may take.").default("\"10m\""),
    field("component.*.limits", Kind::Table, "What the component may use. Going beyond ends the invocation."),
    field("component.*.limits.memory", Kind::Size, "Memories and tables of one instance together.")
        .default("\"128MiB\""),
    field("component.*.limits.cpu", Kind::Duration, "Processor time of one invocation.").default("\"500ms\""),
    field("component.*.limits.wall", Kind::Duration, "Time of one invocation, up to the last byte of its answer.")
        .default("\"30s\""),
    field("component.*.limits.concurrency", Kind::Integer, "Invocations at once on a node.").default("1024"),
    field(
        "component.*.limits.queue",
        Kind::Integer,
        "Invocations that wait on a node while `concurrency` is used up; one more is refused at once.",
    )
    .default("1024"),
    field("component.*.limits.request-body", Kind::Size, "Bytes of one request body.").default("\"64MiB\""),
    field("component.*.limits.response-body", Kind::Size, "Bytes of one response body.").default("\"1GiB\""),
    field("component.*.limits.handles", Kind::Integer, "Resource handles that one instance holds at once.")
        .default("10000"),
    field("component.*.limits.hostcall-bytes", Kind::Size, "Bytes that one call of the host takes from the component.")
        .default("\"16MiB\""),
    field("component.*.limits.stack", Kind::Size, "The WebAssembly stack of one instance.").default("\"512KiB\""),
    field(
        "component.*.limits.clock-resolution",
        Kind::Duration,
        "What times that the component reads are rounded down to, so that it cannot measure its neighbours. Absent: the machine's.",
    ),
    field(
        "component.*.reuse",
        Kind::TextOrTable,
        "Whether an instance answers more than one request: `\"never\"`, or a table of the keys below.",
    )
    .default("\"never\""),
    field("component.*.reuse.requests", Kind::Integer, "Requests that one instance answers in its life.")
        .default("128"),
    field("component.*.reuse.concurrent", Kind::Integer, "Requests that one instance works on at once.").default("16"),
    field("component.*.reuse.idle", Kind::Duration, "Time without a request after which an instance goes away.")
        .default("\"1s\""),
    field("component.*.grants", Kind::Table, "What the component may touch. What is not here is refused."),
    field(
        "component.*.grants.environment",
        Kind::TextMap,
        "Environment variables that the component sees. Values are templates.",
    ),
    field(
        "component.*.grants.files",
        Kind::TextsOrTables,
        "Folders that the component sees: `\"HOST::GUEST\"` to read, `\"HOST::GUEST:rw\"` to write too, or tables.",
    ),
    field("component.*.grants.files.host", Kind::Text, "The folder on the node, relative to the manifest.").required(),
    field("component.*.grants.files.guest", Kind::Text, "The path that the component sees; the same when absent."),
    field("component.*.grants.files.writable", Kind::Bool, "Whether the component may write.").default("false"),
    field(
        "component.*.grants.http",
        Kind::Texts,
        "Where the component may send HTTP requests: `\"https://api.example.com\"`, \
         `\"http://*.example.com:8000-8100\"`, `\"https://10.0.0.0/8:*\"`, or `\"http://COMPONENT.wharf.internal\"` for a \
         component of the app, called in process.",
    ),
    field(
        "component.*.grants.net",
        Kind::Texts,
        "Where the component may open sockets: `\"db.example.com:5432\"`, `\"10.0.0.0/8:8000-8100\"`, `\"*:443\"`.",
    ),
    field("component.*.grants.keyvalue", Kind::Labels, "Key-value stores, by label."),
    field("component.*.grants.keyvalue.*.access", Kind::Text, "`\"read\"` or `\"read-write\"`.")
        .default("\"read-write\""),
    field("component.*.grants.keyvalue.*.timeout", Kind::Duration, "The time of one call."),
    field("component.*.grants.keyvalue.*.concurrency", Kind::Integer, "Calls at once; more wait for their turn."),
    field("component.*.grants.keyvalue.*.size", Kind::Size, "Bytes of one value."),
    field("component.*.grants.sql", Kind::Labels, "SQL databases, by label."),
    field("component.*.grants.sql.*.access", Kind::Text, "`\"read\"` or `\"read-write\"`.").default("\"read-write\""),
    field("component.*.grants.sql.*.timeout", Kind::Duration, "The time of one call."),
    field("component.*.grants.sql.*.concurrency", Kind::Integer, "Calls at once; more wait for their turn."),
    field("component.*.grants.sql.*.size", Kind::Size, "Bytes of one row."),
    field("component.*.grants.blobstore", Kind::Labels, "Blob stores, by label."),
    field("component.*.grants.blobstore.*.access", Kind::Text, "`\"read\"` or `\"read-write\"`.")
        .default("\"read-write\""),
    field("component.*.grants.blobstore.*.timeout", Kind::Duration, "The time of one call."),
    field("component.*.grants.blobstore.*.concurrency", Kind::Integer, "Calls at once; more wait for their turn."),
    field("component.*.grants.blobstore.*.size", Kind::Size, "Bytes of one object."),
    field("component.*.grants.messaging", Kind::Labels, "Where messages may be sent, by label."),
    field("component.*.grants.messaging.*.access", Kind::Text, "`\"read-write\"`: messages are only sent.")
        .default("\"read-write\""),
    field("component.*.grants.messaging.*.timeout", Kind::Duration, "The time of one call."),
    field("component.*.grants.messaging.*.concurrency", Kind::Integer, "Calls at once; more wait for their turn."),
    field("component.*.grants.messaging.*.size", Kind::Size, "Bytes of one message."),
    field(
        "component.*.grants.config",
        Kind::TextMap,
        "Configuration values, which the component gets by `wasi:config`. Values are templates, as in \
         `\"https://{{ host }}/api\"`.",
    ),
    field("component.*.grants.secrets", Kind::Texts, "Names of secrets, which the component gets by `wharf:secrets`."),
    field("component.*.grants.inference", Kind::Any, "Models for inference.").later(),
    field(
        "component.*.dependencies",
        Kind::Named,
        "Imports that other components satisfy, by the name of the import: `\"acme:auth/check@1.0.0\"`, or `\"acme:auth\"` for all \
         interfaces of a package. Versions that are compatible fit.",
    ),
    field("component.*.dependencies.*.component", Kind::Text, "A component of the app that satisfies it."),
    field("component.*.dependencies.*.path", Kind::Text, "A file that satisfies it, relative to the manifest."),
    field("component.*.dependencies.*.registry", Kind::Text, "An artifact in a registry, such as `ghcr.io/acme/auth`."),
    field("component.*.dependencies.*.version", Kind::Text, "The version in the registry, which is the tag."),
    field("component.*.dependencies.*.url", Kind::Text, "An address to download from; `digest` says what must come."),
    field("component.*.dependencies.*.digest", Kind::Text, "`sha256:` and 64 digits: that of the bytes, or of the artifact's manifest."),
    field(
        "component.*.dependencies.*.link",
        Kind::Text,
        "`\"fused\"`: composed into one component, with one budget and one fate. `\"isolated\"`: an instance with a store, memory, budget \
         and grants of its own. Absent: fused for a component of the app, isolated for what comes from elsewhere.",
    ),
    field(
        "component.*.dependencies.*.inherit",
        Kind::BoolOrTexts,
        "Which grants of the component the dependency has instead of its own: `true` for all, or keys of `grants`, as in `[\"http\"]`.",
    )
    .default("false"),
    field("trigger", Kind::Table, "What starts the components."),
    field("trigger.http", Kind::Tables, "HTTP requests, each table with a `component` or a `static` answer."),
    field(
        "trigger.http.route",
        Kind::TextOrTable,
        "The path: literal parts, `:name` for any one part, `...` at the end for the rest, as in `\"/users/:id/...\"`. \
         Required unless `private`.",
    ),
    field("trigger.http.route.private", Kind::Bool, "The same as `private` beside `route`.").default("false"),
    field(
        "trigger.http.host",
        Kind::Text,
        "The host: `\"shop.example.com\"` or `\"*.example.com\"`; every host when absent.",
    ),
    field("trigger.http.methods", Kind::Texts, "The methods, as in `[\"GET\", \"POST\"]`; every method when absent."),
    field("trigger.http.component", Kind::Text, "The component that answers."),
    field("trigger.http.static", Kind::Table, "An answer that needs no component."),
    field("trigger.http.static.status", Kind::Integer, "The status, from 200 to 599.").default("200"),
    field("trigger.http.static.headers", Kind::TextMap, "Headers of the answer."),
    field("trigger.http.static.body", Kind::Text, "The body of the answer.").default("\"\""),
    field("trigger.http.static.content-type", Kind::Text, "The type of the body.")
        .default("\"text/plain; charset=utf-8\""),
    field(
        "trigger.http.private",
        Kind::Bool,
        "Whether only components of the app reach it, at `http://COMPONENT.wharf.internal`.",
    )
    .default("false"),
    field(
        "trigger.http.middleware",
        Kind::Texts,
        "Components that requests pass on their way to `component`, the first one first. Each imports what it exports: \
         `wasi:http/handler@0.3.x`, or `wasi:http/incoming-handler@0.2.x`.",
    )
    .default("[]"),
    field("trigger.cron", Kind::Tables, "Times at which a component is called.").later(),
    field("trigger.message", Kind::Tables, "Messages that a component is called with.").later(),
];

/// Returns the keys of the table at `path`, which is empty for the root.
pub(crate) fn children(path: &str) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(move |field| field.split().0 == path)
}

/// Returns one key of the table at `path`.
pub(crate) fn child(path: &str, key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.split() == (path, key))
}

#[cfg(test)]
mod tests;
