//! Names of artifacts: `ghcr.io/acme/auth:1.2.0`, `localhost:5000/hello@sha256:…`.

use std::fmt;

use crate::{Digest, Error};

/// The registry that `docker.io` stands for.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// A reference has no more; a path of a repository has at most 255.
const LEN_MAX: usize = 1024;

/// The name of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The server as it is written, with its port.
    pub host: String,
    /// The path of the repository.
    pub repository: String,
    /// The tag; none when there is a digest, and for `latest`.
    pub tag: Option<String>,
    /// The digest of the manifest.
    pub digest: Option<Digest>,
}

impl Name {
    /// Reads `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fail = |reason| Error::Reference { text: text.chars().take(LEN_MAX).collect(), reason };
        let rest = text.strip_prefix("oci://").unwrap_or(text);
        if rest.len() > LEN_MAX {
            return Err(fail("it is too long"));
        }
        if rest.contains("://") {
            return Err(fail("a registry is named without a scheme, as in `ghcr.io/acme/auth`"));
        }
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(Digest::parse(digest).map_err(fail)?)),
            None => (rest, None),
        };
        let (host, path) = rest.split_once('/').ok_or_else(|| fail("it has no `/` between registry and name"))?;
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if !is_host(host) {
            return Err(fail("it begins with no host: write the registry's name, as in `ghcr.io/acme/auth`"));
        }
        if !is_repository(repository) {
            return Err(fail("the name has other characters than a to z, 0 to 9, `.`, `_`, `-` and `/`"));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(fail("the tag has other characters than letters, digits, `.`, `_` and `-`, or is too long"));
        }
        let repository = match (host, repository.contains('/')) {
            // Names without a folder are in the one that everybody means.
            ("docker.io", false) => format!("library/{repository}"),
            _ => repository.to_owned(),
        };
        Ok(Self { host: host.to_owned(), repository, tag: tag.map(str::to_owned), digest })
    }

    /// Returns it with a tag; versions may have a `+`, which tags have not.
    pub fn with_tag(mut self, tag: &str) -> Result<Self, Error> {
        let written = tag.replace('+', "_");
        if !is_tag(&written) {
            let reason = "a version has letters, digits, `.`, `-` and `+`";
            return Err(Error::Reference { text: tag.chars().take(128).collect(), reason });
        }
        self.tag = Some(written);
        Ok(self)
    }

    /// Returns what the registry is asked for: the digest, or else the tag.
    pub(crate) fn asked(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// Returns the start of all its addresses. Registries on this machine are spoken to without TLS, as everybody does.
    pub(crate) fn base(&self) -> String {
        let host = if self.host == "docker.io" { DOCKER_HUB } else { &self.host };
        let scheme = if is_loopback(host) { "http" } else { "https" };
        format!("{scheme}://{host}/v2/{}", self.repository)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Says whether a host with or without port is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// A host has a dot or a port, or is this machine: that tells it from the first part of a name.
fn is_host(host: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    !host.is_empty()
        && host.chars().all(plain)
        && host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && (host == "localhost" || host.contains(['.', ':']))
}

fn is_repository(repository: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let is_part = |part: &str| {
        part.chars().all(plain)
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.ends_with(|c: char| c.is_ascii_alphanumeric())
            && !part.contains("..")
    };
    repository.len() <= 255 && repository.split('/').all(is_part)
}

fn is_tag(tag: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=128).contains(&tag.len()) && tag.chars().all(plain) && !tag.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_and_written() {
        let digest = Digest::of(b"");
        for (text, base, asked) in [
            ("ghcr.io/acme/auth:1.2.0", "https://ghcr.io/v2/acme/auth", "1.2.0"),
            ("ghcr.io/acme/auth", "https://ghcr.io/v2/acme/auth", "latest"),
            ("localhost:5000/hello:a_b", "http://localhost:5000/v2/hello", "a_b"),
            ("127.0.0.1:5000/a/b", "http://127.0.0.1:5000/v2/a/b", "latest"),
            ("[::1]:5000/a/b", "http://[::1]:5000/v2/a/b", "latest"),
            ("127.evil.example/a/b", "https://127.evil.example/v2/a/b", "latest"),
            (&format!("r.example/x:1@{digest}"), "https://r.example/v2/x", &digest.to_string()),
        ] {
            let name = Name::parse(text).unwrap();
            assert_eq!((name.to_string().as_str(), name.base().as_str(), name.asked().as_str()), (text, base, asked));
        }
        assert_eq!(Name::parse("docker.io/nginx").unwrap().base(), "https://registry-1.docker.io/v2/library/nginx");
        assert_eq!(Name::parse("r.example/x").unwrap().with_tag("1.0.0+b").unwrap().to_string(), "r.example/x:1.0.0_b");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "hello",
            "acme/auth",
            "https://ghcr.io/a",
            "ghcr.io/",
            "ghcr.io/A",
            "ghcr.io/a/../b",
            "ghcr.io/a//b",
            "ghcr.io/a:",
            "ghcr.io/a:b/c:",
            "ghcr.io/a@sha256:12",
            "ghcr.io/a:.x",
            "gh cr.io/a",
            "ghcr.io/a?b",
            "user@ghcr.io/a",
        ] {
            assert!(Name::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_or_an_error(text in r"[\PC]{0,60}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert!(Name::parse(&name.to_string()).is_ok());
                prop_assert!(!name.base().contains(['?', '#', '@', ' ']));
            }
        }
    }
}
