//! Components that come from URLs and registries: fetched before an app is loaded, then files like the others.
//!
//! In: an app. Out: the same app with files of the cache in the place of references. Next: `node`.

use crate::args::user_cache;
use crate::command_error::{CommandError, chain};
use crate::output::talk;
use crate::project::Read;
use crate::report;
use std::path::PathBuf;
use wharf_app::{App, Problem, Source, Span, Supplier};
use wharf_registry::{Credentials, Digest, Fetcher, Origin, Reference};

/// Returns where downloads are kept. Absent if the user has no folder for such things.
pub(crate) fn cache() -> Option<PathBuf> {
    user_cache().map(|cache| cache.join("downloads"))
}

/// Returns what downloads, with the logins of the user.
pub(crate) fn fetcher() -> Result<Fetcher, CommandError> {
    let fetcher = Fetcher::new(cache()).map_err(|error| failed(&error))?;
    Ok(fetcher.with_credentials(Credentials::of_files(login_files())))
}

/// Returns the error of a download that no line of a manifest asked for.
pub(crate) fn failed(error: &wharf_registry::Error) -> CommandError {
    CommandError::usage(format!("[{}] {}", error.code(), chain(error))).hint(error.help())
}

/// Where `docker login` and `podman login` keep what they were given.
#[expect(clippy::disallowed_methods, reason = "the program itself reads its environment")]
fn login_files() -> Vec<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let own = folder("REGISTRY_AUTH_FILE");
    let docker = folder("DOCKER_CONFIG").or_else(|| folder("HOME").map(|home| home.join(".docker")));
    let podman = folder("XDG_RUNTIME_DIR").map(|run| run.join("containers/auth.json"));
    own.into_iter().chain(docker.map(|docker| docker.join("config.json"))).chain(podman).collect()
}

/// Fetches what an app does not have as files. Tells all that cannot be fetched, not the first.
pub(crate) fn sources(mut read: Read) -> Result<Read, CommandError> {
    let mut problems = Vec::new();
    let mut fetcher = None;
    for (source, span) in sources_of(&mut read.app) {
        let Some(reference) = reference(source) else { continue };
        let fetcher = match &mut fetcher {
            Some(fetcher) => fetcher,
            None => fetcher.insert(self::fetcher()?),
        };
        match file(fetcher, &reference) {
            Ok(path) => *source = Source::File(path.display().to_string()),
            Err(error) => problems.push(problem(&error, span)),
        }
    }
    if problems.is_empty() {
        return Ok(read);
    }
    Err(CommandError::rendered(match &read.text {
        Some(text) => report::problems(&problems, text),
        None => wharf_app::render_without_text(&problems),
    }))
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
fn file(fetcher: &Fetcher, reference: &Reference) -> Result<PathBuf, wharf_registry::Error> {
    let fetched = fetcher.fetch_blocking(reference)?;
    match fetched.origin {
        Origin::Network => talk(&format!("fetched {} ({} bytes)\n", shown(reference), fetched.bytes.len())),
        Origin::Stale => talk(&format!("cannot look up {}: taking the one that it was\n", shown(reference))),
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
    Problem::error(error.code(), span, chain(error)).with_help(error.help())
}
