//! Grants: what one component may touch. What is not here is refused.

use crate::pattern::PatternError;
use crate::template::Template;
use wharf_problem::Span;

mod http;
mod label;
mod network;

pub use http::{HttpGrant, HttpPattern, INTERNAL_SUFFIX, Scheme, internal_component};
pub use label::{LabelError, LabelGrant, check_label};
pub use network::{HostPattern, NetPattern, Ports, is_public};

/// Everything that one component may touch; the default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Environment variables that the component sees; names are unique.
    pub environment: Vec<EnvGrant>,
    /// Folders that the component sees; guest paths are unique.
    pub files: Vec<DirGrant>,
    /// Where the component may send HTTP requests.
    pub http: Vec<HttpGrant>,
    /// Where the component may open sockets.
    pub net: Vec<NetPattern>,
    /// Key-value stores.
    pub keyvalue: Vec<LabelGrant>,
    /// SQL databases.
    pub sql: Vec<LabelGrant>,
    /// Blob stores.
    pub blobstore: Vec<LabelGrant>,
    /// Where messages may be sent.
    pub messaging: Vec<LabelGrant>,
    /// Configuration values; keys are unique.
    pub config: Vec<ConfigGrant>,
    /// Secrets; names are unique.
    pub secrets: Vec<SecretGrant>,
    /// Capabilities that the manifest grants and this version does not provide yet.
    pub later: Vec<LaterGrant>,
}

impl Grants {
    /// Returns whether the component may send HTTP requests to this component of its app.
    pub fn allow_call(&self, callee: &str) -> bool {
        self.http.iter().any(|grant| matches!(grant, HttpGrant::Internal { component } if component == callee))
    }

    /// Returns whether the component may send HTTP requests to this server; `port` is the one that the URL names.
    ///
    /// A host name that fits says nothing about the address that it resolves to.
    pub fn allow_request(&self, https: bool, host: &str, port: Option<u16>) -> bool {
        let fits =
            |grant: &HttpGrant| matches!(grant, HttpGrant::External(pattern) if pattern.matches(https, host, port));
        self.http.iter().any(fits)
    }
}

/// A grant of a capability that this version does not provide yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaterGrant {
    /// The key in the manifest, such as `keyvalue`.
    pub capability: String,
    /// Where the manifest has it.
    pub span: Span,
}

/// One environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvGrant {
    /// Not empty; without `=` and NUL.
    pub name: String,
    /// Any text without NUL; may be empty.
    pub value: Template,
    /// Where the manifest has the value; empty in an app that has no manifest.
    pub span: Span,
}

/// One configuration value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigGrant {
    /// Not empty.
    pub key: String,
    /// Any text; may be empty.
    pub value: Template,
    /// Where the manifest has the value.
    pub span: Span,
}

/// One secret that a component may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretGrant {
    /// The name, of the form of a [label](check_label).
    pub name: String,
    /// Where the manifest has it.
    pub span: Span,
}

impl ConfigGrant {
    /// Reads `KEY=VALUE`.
    ///
    /// # Errors
    ///
    /// Why the text is no such pair.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                Ok(Self { key: key.to_owned(), value: Template::literal(value), span: 0..0 })
            }
            _ => Err(PatternError::new(0..text.len(), "a configuration value is written `KEY=VALUE`")),
        }
    }
}

impl SecretGrant {
    /// Reads the name of a secret. Its value is nowhere on a command line.
    ///
    /// # Errors
    ///
    /// Why the text is no such name.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.contains('=') {
            // Not shown: it is likely a value.
            let message = "the name of a secret comes alone, as everybody on this machine sees a command line";
            return Err(
                PatternError::new(0..text.len(), message).with_help("give it a value with `wharf secrets set NAME`")
            );
        }
        let wrong = |error: LabelError| PatternError::new(0..text.len(), error.to_string());
        check_label(text).map_err(wrong)?;
        Ok(Self { name: text.to_owned(), span: 0..0 })
    }
}

impl EnvGrant {
    /// Reads `NAME=VALUE`.
    ///
    /// # Errors
    ///
    /// Why the text is no such pair.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let Some((name, value)) = text.split_once('=') else {
            let error = PatternError::new(0..text.len(), "an environment variable is written `NAME=VALUE`");
            return Err(error.with_help(format!("write `{text}=` for an empty value")));
        };
        let variable = Self::checked(name, Template::literal(value), 0..0);
        variable.map_err(|message| PatternError::new(0..text.len(), message))
    }

    /// Returns the variable, or why it cannot be one.
    pub(crate) fn checked(name: &str, value: Template, span: Span) -> Result<Self, &'static str> {
        if name.is_empty() {
            Err("the name of an environment variable is empty")
        } else if name.contains(['=', '\0']) {
            Err("the name of an environment variable has no `=` and no NUL")
        } else if value.contains('\0') {
            Err("the value of an environment variable has no NUL")
        } else {
            Ok(Self { name: name.to_owned(), value, span })
        }
    }
}

/// What may be done with a granted folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Its files can be listed and read.
    #[default]
    ReadOnly,
    /// Its files can also be made, changed and removed.
    ReadWrite,
}

/// One folder of the node that a component sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirGrant {
    /// The folder on the node; a relative path starts at the manifest's folder, or at the current one for a flag.
    pub host: String,
    /// The path that the guest sees.
    pub guest: String,
    /// What may be done there.
    pub access: Access,
}

impl DirGrant {
    /// Reads `HOST`, `HOST::GUEST`, each with `:ro` or `:rw` at the end or else `access`. Without `GUEST` both paths are
    /// the same.
    ///
    /// # Errors
    ///
    /// Why the text is no such grant.
    pub fn parse(text: &str, access: Access) -> Result<Self, PatternError> {
        let (paths, access) = match text {
            _ if text.ends_with("::ro") || text.ends_with("::rw") => (text, access),
            _ if text.ends_with(":ro") => (&text[..text.len() - 3], Access::ReadOnly),
            _ if text.ends_with(":rw") => (&text[..text.len() - 3], Access::ReadWrite),
            _ => (text, access),
        };
        let (host, guest) = paths.split_once("::").unwrap_or((paths, paths));
        let guest_range = paths.len() - guest.len()..paths.len();
        if let Some(message) = path_mistake(host) {
            return Err(PatternError::new(0..host.len(), format!("the folder on the node {message}")));
        }
        if let Some(message) = path_mistake(guest).or_else(|| guest_path_mistake(guest)) {
            let error = PatternError::new(guest_range, format!("the path that the component sees {message}"));
            return Err(error.with_help("write `HOST::GUEST`, as in `data::/data`"));
        }
        Ok(Self { host: host.to_owned(), guest: guest.to_owned(), access })
    }
}

/// Returns why `path` cannot be a path at all.
pub(crate) fn path_mistake(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        Some("is empty")
    } else if path.contains('\0') {
        Some("has a NUL in it")
    } else {
        None
    }
}

/// Returns why a guest cannot see a folder under `path`: a guest resolves its paths itself and never looks for one that
/// leaves the place it names.
pub(crate) fn guest_path_mistake(path: &str) -> Option<&'static str> {
    path.split(['/', '\\']).any(|part| part == "..").then_some("goes up with `..`")
}

#[cfg(test)]
mod tests;
