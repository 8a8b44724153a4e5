//! Components that come from URLs and registries: fetched before an app is loaded, then files like the others.
//!
//! In: an app. Out: the same app with files of the cache in the place of references. Next: `node`.

use crate::{Environment, Error, Read};
use std::path::PathBuf;
use wharf_app::{App, Problem, Source, Span, Supplier};
use wharf_registry::{Credentials, Digest, Fetcher, Origin, Reference};

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

/// Returns what downloads, with the logins of the user and a cache in the user's folder, if there is one.
///
/// # Errors
/// When TLS has no certificates to trust.
pub fn fetcher(environment: &Environment) -> Result<Fetcher, wharf_registry::Error> {
    let cache = environment.cache().map(|cache| cache.join("downloads"));
    Ok(Fetcher::new(cache)?.with_credentials(Credentials::of_files(environment.login_files())))
}

/// Fetches what an app does not have as files. `tell` is told of each download.
///
/// # Errors
/// When something cannot be fetched: all that cannot, not the first.
pub fn fetch(mut read: Read, environment: &Environment, tell: impl Fn(Download<'_>)) -> Result<Read, Error> {
    let mut problems = Vec::new();
    let mut fetcher = None;
    for (source, span) in sources_of(&mut read.app) {
        let Some(reference) = reference(source) else { continue };
        let fetcher = match &mut fetcher {
            Some(fetcher) => fetcher,
            None => fetcher.insert(self::fetcher(environment)?),
        };
        match file(fetcher, &reference, &tell) {
            Ok(path) => *source = Source::File(path.display().to_string()),
            Err(error) => problems.push(problem(&error, span)),
        }
    }
    match problems.is_empty() {
        true => Ok(read),
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

/// Fetches, and returns the file of the cache that has the bytes.
fn file(
    fetcher: &Fetcher,
    reference: &Reference,
    tell: impl Fn(Download<'_>),
) -> Result<PathBuf, wharf_registry::Error> {
    let fetched = fetcher.fetch_blocking(reference)?;
    let place = shown(reference);
    match fetched.origin {
        Origin::Network => tell(Download::Fetched { place: &place, bytes: fetched.bytes.len() }),
        Origin::Stale => tell(Download::Stale { place: &place }),
        Origin::Cache => {}
    }
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

fn problem(error: &wharf_registry::Error, span: Span) -> Problem {
    Problem::error(error.code(), span, wharf_telemetry::chain(error)).with_help(error.help())
}
