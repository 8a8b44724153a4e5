//! Components that come from URLs and registries: fetched before an app is loaded, then files like the others.
//!
//! In: an app, and what its sources were when they were fetched first. Out: the same app with files of the cache in the place of references,
//! and what they are. Next: `node`, which checks them when it reads them.

use crate::{Environment, Error, Read};
use std::collections::BTreeMap;
use std::path::PathBuf;
use wharf_app::{App, Problem, Source, Span, Supplier};
use wharf_registry::{Credentials, Digest, Fetched, Fetcher, Origin, Reference};

/// What there is to say of a download.
#[derive(Debug)]
pub enum Download<'a> {
    /// It came over the network.
    Fetched {
        /// What was asked for.
        place: &'a str,
        /// How many bytes came.
        bytes: usize,
    },
    /// The registry did not say which it is now, so that it is the one that it was.
    Stale {
        /// What was asked for.
        place: &'a str,
    },
}

/// What something was when it was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The digest of its bytes.
    pub digest: Digest,
    /// Their number.
    pub size_bytes: u64,
}

/// What an app fetches, by what its manifest says of it: `ghcr.io/acme/auth:1.0.0`.
pub type Pins = BTreeMap<String, Pin>;

/// Returns what downloads, with the logins of the user and a cache in the user's folder, if there is one.
///
/// # Errors
/// When TLS has no certificates to trust.
pub fn fetcher(environment: &Environment) -> Result<Fetcher, wharf_registry::Error> {
    let cache = environment.cache().map(|cache| cache.join("downloads"));
    Ok(Fetcher::new(cache)?.with_credentials(Credentials::of_files(environment.login_files())))
}

/// Tells whether an app has to be fetched in part.
pub fn is_fetched(app: &App) -> bool {
    let dependencies = app.components.iter().flat_map(|component| &component.dependencies);
    let suppliers = dependencies.filter_map(|dependency| match &dependency.supplier {
        Supplier::Source(source) => Some(source),
        _ => None,
    });
    app.components.iter().map(|component| &component.source).chain(suppliers).any(|source| reference(source).is_some())
}

/// Fetches what an app does not have as files: by the digest of `pins`, where the manifest has none. `tell` is told of each download. Returns
/// with the app what each source is.
///
/// # Errors
/// When something cannot be fetched: all that cannot, not the first.
pub fn fetch(
    mut read: Read,
    pins: &Pins,
    environment: &Environment,
    tell: impl Fn(Download<'_>),
) -> Result<(Read, Pins), Error> {
    let (mut problems, mut found) = (Vec::new(), Pins::new());
    let mut fetcher = None;
    for (source, span) in sources_of(&mut read.app) {
        let Some(reference) = reference(source) else { continue };
        let fetcher = match &mut fetcher {
            Some(fetcher) => fetcher,
            None => fetcher.insert(self::fetcher(environment)?),
        };
        let name = name(&reference);
        let pin = pins.get(&name).filter(|_| !is_pinned(&reference)).map(|pin| pin.digest);
        let fetched = fetch_one(fetcher, &reference, pin, &tell);
        match fetched.and_then(|fetched| Ok((file(fetcher, &fetched)?, fetched))) {
            Ok((path, Fetched { digest, bytes, .. })) => {
                found.insert(name, Pin { digest, size_bytes: bytes.len() as u64 });
                *source = Source::Fetched { file: path.display().to_string(), digest: digest.to_string() };
            }
            Err(error) => problems.push(problem(&error, span, pin.is_some())),
        }
    }
    match problems.is_empty() {
        true => Ok((read, found)),
        false => Err(Error::Incomplete { text: read.text, problems }),
    }
}

fn sources_of(app: &mut App) -> Vec<(&mut Source, Span)> {
    let mut found = Vec::new();
    for component in &mut app.components {
        found.push((&mut component.source, component.source_span.clone()));
        for dependency in &mut component.dependencies {
            if let Supplier::Source(source) = &mut dependency.supplier {
                found.push((source, dependency.supplier_span.clone()));
            }
        }
    }
    found
}

/// Returns what to fetch; none for a file.
fn reference(source: &Source) -> Option<Reference> {
    let digest = |text: &String| Digest::parse(text).ok();
    match source {
        // The manifest was checked: its digests are some.
        Source::Url { url, digest: text } => Some(Reference::Url { url: url.clone(), digest: digest(text)? }),
        Source::Registry { reference, version, digest: text } => Some(Reference::Registry {
            reference: reference.clone(),
            version: version.clone(),
            digest: text.as_ref().and_then(digest),
        }),
        _ => None,
    }
}

/// Tells whether the manifest itself says which bytes must come.
fn is_pinned(reference: &Reference) -> bool {
    match reference {
        Reference::Url { .. } => true,
        Reference::Registry { reference, digest, .. } => digest.is_some() || reference.contains('@'),
    }
}

/// Fetches, by the digest that it had first if that is known. Where a registry has it no more, tells what it has instead.
fn fetch_one(
    fetcher: &Fetcher,
    reference: &Reference,
    pin: Option<Digest>,
    tell: impl Fn(Download<'_>),
) -> Result<Fetched, wharf_registry::Error> {
    let fetched = match pin {
        Some(pin) => fetch_pinned(fetcher, reference, pin)?,
        None => fetcher.fetch_blocking(reference)?,
    };
    let place = shown(reference);
    match fetched.origin {
        Origin::Network => tell(Download::Fetched { place: &place, bytes: fetched.bytes.len() }),
        Origin::Stale => tell(Download::Stale { place: &place }),
        Origin::Cache => {}
    }
    Ok(fetched)
}

fn fetch_pinned(fetcher: &Fetcher, reference: &Reference, pin: Digest) -> Result<Fetched, wharf_registry::Error> {
    let mut by_digest = reference.clone();
    if let Reference::Registry { digest, .. } = &mut by_digest {
        *digest = Some(pin);
    }
    let missing = match fetcher.fetch_blocking(&by_digest) {
        Err(missing @ wharf_registry::Error::NotFound { .. }) => missing,
        fetched => return fetched,
    };
    match fetcher.fetch_blocking(reference) {
        Ok(now) if now.digest == pin => Ok(now),
        Ok(now) => Err(wharf_registry::Error::Digest { place: shown(reference), expected: pin, found: now.digest }),
        Err(_) => Err(missing),
    }
}

/// Returns the file of the cache that has the bytes.
fn file(fetcher: &Fetcher, fetched: &Fetched) -> Result<PathBuf, wharf_registry::Error> {
    fetcher.path(&fetched.digest).ok_or_else(|| wharf_registry::Error::Cache {
        path: PathBuf::from("~/.cache"),
        source: std::io::Error::other("there is no folder for it: HOME is not set"),
    })
}

fn shown(reference: &Reference) -> String {
    match reference {
        Reference::Url { url, .. } => url.clone(),
        Reference::Registry { reference, version: Some(version), .. } => format!("{reference}:{version}"),
        Reference::Registry { reference, .. } => reference.clone(),
    }
}

/// Returns by what a lock file knows it.
fn name(reference: &Reference) -> String {
    match reference {
        Reference::Registry { digest: Some(digest), .. } => format!("{}@{digest}", shown(reference)),
        _ => shown(reference),
    }
}

fn problem(error: &wharf_registry::Error, span: Span, is_pinned: bool) -> Problem {
    let help = match error {
        wharf_registry::Error::Digest { .. } if is_pinned => {
            "wharf.lock has the digest that was expected: if the new bytes are the right ones, `wharf build --update`; if not, somebody \
             changed what was published"
        }
        _ => error.help(),
    };
    Problem::error(error.code(), span, wharf_telemetry::chain(error)).with_help(help)
}
