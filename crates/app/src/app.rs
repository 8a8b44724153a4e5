//! The values of an app: components with their limits and grants, and the triggers that call them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::dependency::Dependency;
use crate::grant::Grants;
use crate::hidden::Hidden;
use crate::route::{Methods, PathPattern, Route, RouteHost};
use crate::variables::Variable;
use wharf_problem::Span;

/// A whole manifest: what one app is made of. Every reference inside it is known to resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Lower-case letters, digits and `-`; unique on a node.
    pub name: String,
    /// A semantic version; `0.0.0` when the manifest has none.
    pub version: String,
    /// In the order of the file. Names are unique.
    pub components: Vec<Component>,
    /// In the order of the file. No two of them answer the same requests.
    pub http: Vec<HttpTrigger>,
    /// In the order of the file.
    pub variables: Vec<Variable>,
    /// How its tests are run.
    pub test: Testing,
    /// What was given for variables that are secret, by their names; empty until [`App::fill`].
    pub secrets: BTreeMap<String, Hidden>,
}

/// How the tests of an app are run, beside what stands in their files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Testing {
    /// The component that tests the others: a program that passes if it ends well.
    pub component: Option<String>,
    /// Time that a component that tests may take.
    pub timeout: Option<Duration>,
}

/// One component of an app and everything it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The name in `[component.NAME]`.
    pub name: String,
    /// Where the bytes come from.
    pub source: Source,
    /// How the bytes are made, for `build` and `dev`.
    pub build: Option<Build>,
    /// The budget of one invocation, and of the component as a whole where the field says so.
    pub limits: Limits,
    /// Whether an instance may answer more than one request.
    pub reuse: Reuse,
    /// What the component may touch. Nothing else can be reached.
    pub grants: Grants,
    /// Which of its imports other components satisfy, in the order of the file.
    pub dependencies: Vec<Dependency>,
    /// Where the manifest names the component; empty in an app that has no manifest.
    pub name_span: Span,
    /// Where the manifest gives the source; empty in an app that has no manifest.
    pub source_span: Span,
    /// Where the manifest has each of `grants.files`, in the same order; empty in an app that has no manifest.
    pub files_spans: Vec<Span>,
}

/// Where a component's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A file; a relative path starts at the manifest's folder.
    File(String),
    /// A file that is downloaded.
    Url {
        /// `https://…` or `http://…`.
        url: String,
        /// What its bytes must have: `sha256:` and 64 digits.
        digest: String,
    },
    /// An artifact of a registry. It has a version, a digest, or both.
    Registry {
        /// `ghcr.io/acme/auth`.
        reference: String,
        /// The version, which is the tag.
        version: Option<String>,
        /// The digest of the artifact: `sha256:` and 64 digits.
        digest: Option<String>,
    },
    /// What one of the others became when it was fetched: a file that has to have these bytes.
    Fetched {
        /// Where it is.
        file: String,
        /// What its bytes must have: `sha256:` and 64 digits.
        digest: String,
    },
}

/// Returns why a text is no digest.
pub(crate) fn digest_mistake(text: &str) -> Option<&'static str> {
    let Some(digits) = text.strip_prefix("sha256:") else { return Some("begins with `sha256:`") };
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    (digits.len() != 64 || !digits.chars().all(is_digit)).then_some("has 64 digits, 0 to 9 and a to f, after `sha256:`")
}

/// How a component is built from sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// A command line, run by the system's shell.
    pub command: String,
    /// The folder to run in; the manifest's folder when absent.
    pub dir: Option<String>,
    /// Globs, relative to `dir`, of the files whose change asks for a new build. Empty: every file in `dir`.
    pub watch: Vec<String>,
    /// The core module that the command writes, relative to `dir`; the component is made of it. Absent: the command writes the
    /// component's own file.
    pub module: Option<String>,
    /// The folder or file of WIT that has `world`, relative to `dir`.
    pub wit: Option<String>,
    /// The world of a core module that does not carry one; the only one of the package when absent.
    pub world: Option<String>,
    /// What a core module's imports of WASI preview 1 become; by what it exports when absent.
    pub adapter: Option<Adapter>,
    /// The function that is run once, at build time, and whose effects are kept in the component.
    pub preinit: Option<String>,
    /// How long the command may take.
    pub timeout: Duration,
}

impl Build {
    /// Returns a build by `command` that says nothing else.
    pub fn new(command: &str) -> Self {
        Self {
            command: command.to_owned(),
            dir: None,
            watch: Vec::new(),
            module: None,
            wit: None,
            world: None,
            adapter: None,
            preinit: None,
            timeout: Duration::from_secs(600),
        }
    }
}

/// What a core module's imports of WASI preview 1 become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adapter {
    /// Imports of WASI 0.2; the module's `_start` becomes the export `wasi:cli/run`.
    Command,
    /// Imports of WASI 0.2.
    Reactor,
    /// Imports of those parts of WASI 0.2 that a proxy has: no files, sockets and environment.
    Proxy,
    /// Nothing: the module imports none.
    None,
}

impl Adapter {
    /// Every adapter.
    pub const ALL: &[Self] = &[Self::Command, Self::Reactor, Self::Proxy, Self::None];

    /// Returns its name in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Reactor => "reactor",
            Self::Proxy => "proxy",
            Self::None => "none",
        }
    }
}

/// Budgets of a component. The defaults fit a small web service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All linear memories and tables of one instance together.
    pub memory_bytes: u64,
    /// Processor time of one invocation.
    pub cpu: Duration,
    /// Time from the start of one invocation to the last byte of its answer.
    pub wall: Duration,
    /// Invocations of the component that run at once on a node.
    pub concurrency: u32,
    /// Invocations that wait for their turn on a node; one more is refused at once. Zero: nobody waits.
    pub queue: u32,
    /// Bytes of one request body.
    pub request_body_bytes: u64,
    /// Bytes of one response body.
    pub response_body_bytes: u64,
    /// Resource handles that one instance holds at once.
    pub handles: u32,
    /// Bytes that the host copies out of the guest for one host call.
    pub hostcall_bytes: u64,
    /// WebAssembly stack of one instance.
    pub stack_bytes: u64,
    /// What times that the component reads are rounded down to; absent: as fine as the machine has them.
    pub clock_resolution: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 128 << 20,
            cpu: Duration::from_millis(500),
            wall: Duration::from_secs(30),
            concurrency: 1024,
            queue: 1024,
            request_body_bytes: 64 << 20,
            response_body_bytes: 1 << 30,
            handles: 10_000,
            hostcall_bytes: 16 << 20,
            stack_bytes: 512 << 10,
            clock_resolution: None,
        }
    }
}

/// Whether an instance may answer more than one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// A fresh instance for each request: nothing of one request is visible to the next.
    #[default]
    Never,
    /// The same instance for several requests, within these bounds.
    Bounded {
        /// Requests that one instance answers in its life.
        requests: u32,
        /// Requests that one instance works on at once.
        concurrent: u32,
        /// Time without a request after which an instance goes away.
        idle: Duration,
    },
}

/// What answers HTTP requests, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpTrigger {
    /// The requests from outside that it answers. `None`: private, that is, reachable only by other components of the
    /// app at `http://COMPONENT.wharf.internal`.
    pub route: Option<Route>,
    /// What answers.
    pub target: Target,
    /// Components that requests pass on their way to the target, the first one first.
    pub middleware: Vec<Middleware>,
    /// Where the manifest declares it; empty in an app that has no manifest.
    pub span: Span,
}

/// A component that requests pass on their way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Middleware {
    /// Its name, which exists in [`App::components`].
    pub component: String,
    /// Where the manifest names it.
    pub span: Span,
}

/// What answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The component of this name, which exists in [`App::components`].
    Component(String),
    /// An answer written down in the manifest.
    Static(StaticResponse),
}

/// An answer that needs no component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticResponse {
    /// From 200 to 599.
    pub status: u16,
    /// Lower-case names, with `content-type` among them when there is a body. Never a framing header.
    pub headers: Vec<(String, String)>,
    /// The whole body; empty for none.
    pub body: String,
}

impl App {
    /// Returns the app of a bare component file: that one component answers every HTTP request, with default limits
    /// and no grants.
    ///
    /// `name` may be any text, such as a file's stem; it is made into a valid name.
    pub fn implicit(name: &str, component_file: &str) -> Self {
        let name = valid_name_from(name);
        let component = Component {
            name: name.clone(),
            source: Source::File(component_file.to_owned()),
            build: None,
            limits: Limits::default(),
            reuse: Reuse::Never,
            grants: Grants::default(),
            dependencies: Vec::new(),
            name_span: 0..0,
            source_span: 0..0,
            files_spans: Vec::new(),
        };
        let everything = Route { host: RouteHost::Any, path: PathPattern::everything(), methods: Methods::Any };
        Self {
            version: "0.0.0".to_owned(),
            components: vec![component],
            http: vec![HttpTrigger {
                route: Some(everything),
                target: Target::Component(name.clone()),
                middleware: Vec::new(),
                span: 0..0,
            }],
            variables: Vec::new(),
            test: Testing::default(),
            secrets: BTreeMap::new(),
            name,
        }
    }

    /// Returns the component of that name.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }
}

/// The longest name of an app or a component: names are labels of host names, where 63 is the limit.
pub(crate) const NAME_LEN_MAX: usize = 63;

/// Returns why `name` cannot name an app or a component.
///
/// # Errors
///
/// What is wrong with it, as the end of a sentence.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() {
        Err("is empty")
    } else if name.len() > NAME_LEN_MAX {
        Err("is longer than 63 characters")
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        Err("does not start with a lower-case letter")
    } else if !name.chars().all(allowed) {
        Err("has characters other than lower-case letters, digits and `-`")
    } else if name.ends_with('-') {
        Err("ends with `-`")
    } else {
        Ok(())
    }
}

/// Returns the valid name nearest to `text`; `app` when nothing of it can be used.
pub fn valid_name_from(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        if name.len() == NAME_LEN_MAX {
            break;
        }
        if c.is_ascii_lowercase() || (c.is_ascii_digit() && !name.is_empty()) {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(name.trim_end_matches('-').len());
    if name.is_empty() { "app".to_owned() } else { name }
}

#[cfg(test)]
mod tests;
