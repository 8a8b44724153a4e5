//! The app: what a manifest says, checked and turned into plain values.
//!
//! In: the text of `wharf.toml`. Out: [`App`], or every [`Problem`] of the file at once. Next: `node`, which loads the
//! components that the app names.
//!
//! Pure by rule: no I/O, no async, no WebAssembly. Whether a file exists, or a component really exports a handler, is
//! found out by those who open it; they point back into the manifest with the spans kept in the values here.

mod app;
mod codes;
mod dependency;
mod fields;
mod grant;
mod hidden;
mod operator;
mod parse;
mod pattern;
mod quantity;
mod read;
pub mod route;
mod same;
mod template;
mod variables;

/// The name of the file that says what an app is.
pub const MANIFEST: &str = "wharf.toml";

pub use app::{
    Adapter, App, Build, Component, HttpTrigger, Limits, Middleware, Reuse, Source, StaticResponse, Target, Testing,
    check_name, valid_name_from,
};
pub use codes::{CODES, Code, find_code};
pub use dependency::{Dependency, GrantKind, ImportName, Inherit, Link, Supplier};
pub use fields::{FIELDS, Field, Kind, closed_object, json_schema, reference_markdown};
pub use grant::{
    Access, ConfigGrant, DirGrant, EnvGrant, Grants, HostPattern, HttpGrant, HttpPattern, INTERNAL_SUFFIX, LabelError,
    LabelGrant, LaterGrant, NetPattern, Ports, Scheme, SecretGrant, check_label, internal_component, is_public,
};
pub use hidden::Hidden;
pub use operator::{Elsewhere, Operator, OperatorBinding, parse_operator};
pub use parse::parse;
pub use pattern::PatternError;
pub use quantity::{format_duration, format_size, parse_duration, parse_size};
pub use route::{Conflicts, Methods, PathPattern, Route, RouteHost, Segment};
pub use template::Template;
pub use variables::{Given, LineError, Variable, environment_name, parse_dotenv, parse_variables};
pub use wharf_problem::{
    Palette, Problem, Severity, Span, nearest, position, render, render_with, render_without_text,
};
