//! Why an app cannot be served.

use std::path::PathBuf;
use wharf_app::Span;
use wharf_component::Missing;
use wharf_host::RecipeError;
use wharf_kit::BindingError;
use wharf_runtime::LoadError;

/// Why an app cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Components of the app cannot be loaded: all of them that cannot.
    #[error("{} of the app cannot be loaded", count(.0.len()))]
    Components(Vec<ComponentError>),
    /// Two apps have routes that answer the same requests.
    #[error("`{first}` of app {first_app} and `{second}` of app {second_app} answer the same requests")]
    RouteConflict {
        /// One app.
        first_app: String,
        /// Its route.
        first: String,
        /// The other.
        second_app: String,
        /// Its route.
        second: String,
    },
    /// A socket cannot be bound.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The operating system refused something that every node needs.
    #[error("cannot start {what}")]
    Start {
        /// What.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The operator's settings of outbound HTTP cannot be used.
    #[error("the operator's settings of outbound HTTP cannot be used: [{table}]")]
    Http {
        /// The table of the operator's file.
        table: String,
        /// Why.
        source: wharf_http::ConfigError,
    },
    /// Another process uses the state folder.
    #[error("another process uses the state folder {}", path.display())]
    StateInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The state folder cannot be used.
    #[error("cannot use the state folder {}", path.display())]
    State {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Why one component cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// Its file cannot be read.
    #[error("component {component}: cannot read {}", path.display())]
    Read {
        /// The component.
        component: String,
        /// Where the manifest names the file.
        span: Span,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its file is not what was fetched.
    #[error("component {component}: {} is {found}, and what was fetched is {expected}", path.display())]
    Digest {
        /// The component.
        component: String,
        /// Where the manifest names its source.
        span: Span,
        /// The file of the cache.
        path: PathBuf,
        /// The digest of what was fetched.
        expected: String,
        /// The digest of what is there.
        found: String,
    },
    /// Its file is no component.
    #[error("component {component}: {} cannot be used", path.display())]
    Inspect {
        /// The component.
        component: String,
        /// Where the manifest names the file.
        span: Span,
        /// The file.
        path: PathBuf,
        /// Why.
        source: wharf_component::Error,
    },
    /// It is a core module, or it exports nothing that its trigger calls.
    #[error("component {component}: {} cannot be served: {reason}", path.display())]
    NotServable {
        /// The component.
        component: String,
        /// Where the manifest names the file.
        span: Span,
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// It imports what this host does not have.
    #[error("component {component}: {} imports what this host does not provide", path.display())]
    Missing {
        /// The component.
        component: String,
        /// Where the manifest names the file.
        span: Span,
        /// The file.
        path: PathBuf,
        /// What.
        missing: Vec<Missing>,
    },
    /// The engine refused it.
    #[error("component {component}: {} cannot be loaded", path.display())]
    Load {
        /// The component.
        component: String,
        /// Where the manifest names the file.
        span: Span,
        /// The file.
        path: PathBuf,
        /// Why.
        source: LoadError,
    },
    /// What it was granted is not there.
    #[error("component {component}: a grant cannot be kept")]
    Grant {
        /// The component.
        component: String,
        /// Where the manifest has the grant.
        span: Span,
        /// Why.
        source: RecipeError,
    },
    /// A label that it was granted cannot be bound.
    #[error("component {component}: a label cannot be bound")]
    Binding {
        /// The component.
        component: String,
        /// Where the manifest grants the label.
        span: Span,
        /// Why.
        source: Box<BindingError>,
    },
    /// A dependency does not fit.
    #[error("component {component}: the dependency {import} does not fit: {reason}")]
    Dependency {
        /// The component.
        component: String,
        /// Where the manifest names the import.
        span: Span,
        /// The import.
        import: String,
        /// Why.
        reason: String,
    },
    /// It cannot be composed with what is fused into it.
    #[error("component {component}: cannot be composed with its dependencies")]
    Compose {
        /// The component.
        component: String,
        /// Where the manifest names it.
        span: Span,
        /// Why.
        source: Box<wharf_compose::Error>,
    },
}

impl ComponentError {
    /// Returns where in the manifest the reason is.
    pub fn span(&self) -> &Span {
        match self {
            Self::Read { span, .. }
            | Self::Digest { span, .. }
            | Self::Inspect { span, .. }
            | Self::NotServable { span, .. }
            | Self::Missing { span, .. }
            | Self::Load { span, .. }
            | Self::Grant { span, .. }
            | Self::Binding { span, .. }
            | Self::Dependency { span, .. }
            | Self::Compose { span, .. } => span,
        }
    }

    /// Returns the code of the page that explains it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "WHARF-0001",
            Self::Digest { .. } => "WHARF-0213",
            Self::Inspect { .. } => "WHARF-0002",
            Self::NotServable { .. } => "WHARF-0003",
            Self::Missing { .. } => "WHARF-0004",
            Self::Load { .. } => "WHARF-0005",
            Self::Grant { .. } => "WHARF-0006",
            Self::Binding { .. } => "WHARF-0007",
            Self::Dependency { .. } => "WHARF-0016",
            Self::Compose { .. } => "WHARF-0017",
        }
    }
}

impl Error {
    /// Returns the code of the page that explains it, unless each component has its own.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Components(_) => None,
            Self::Http { .. } => Some("WHARF-0009"),
            Self::RouteConflict { .. } => Some("WHARF-0010"),
            Self::Listen { .. } => Some("WHARF-0011"),
            Self::Start { .. } => Some("WHARF-0012"),
            Self::StateInUse { .. } => Some("WHARF-0013"),
            Self::State { .. } => Some("WHARF-0014"),
        }
    }
}

fn count(components: usize) -> String {
    if components == 1 { "a component".to_owned() } else { format!("{components} components") }
}
