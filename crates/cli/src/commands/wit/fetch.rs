//! `wharf wit fetch`: the packages that a WIT package uses and does not have, from registries into `deps`.

mod homes;
mod lock;

use super::read::folder;
use crate::command_error::{CommandError, chain};
use crate::output::talk;
use crate::report::download_error;
use crate::surroundings::fetcher;
use clap::Args;
use homes::Homes;
use lock::Lock;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wharf_registry::{Digest, Error, Fetcher, Reference};
use wharf_wit::Needed;

/// Packages that use packages that use packages; WASI has four levels.
const ROUNDS: usize = 16;

/// Packages that are fetched by one command.
const PACKAGES_MAX: usize = 200;

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// A folder with .wit files
    #[arg(default_value = "wit")]
    path: PathBuf,
    /// Where the packages of a namespace are: a registry and what comes before the namespace, or a domain that says so
    #[arg(long = "registry", value_name = "NAMESPACE=HOST[/PREFIX]", value_parser = homes::parse)]
    registries: Vec<(String, String)>,
    /// Fetch only what `wkg.lock` has, and exactly that
    #[arg(long)]
    locked: bool,
    /// Use no network: take everything from the cache
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(args: &FetchArgs) -> Result<ExitCode, CommandError> {
    let lock_file = lock_file(&args.path);
    let mut job = Job {
        deps: args.path.join("deps"),
        fetcher: fetcher()?.offline(args.offline),
        homes: Homes::new(&args.registries)?,
        lock: Lock::read(&lock_file)?,
        is_locked: args.locked,
    };
    let mut fetched = BTreeSet::new();
    for _ in 0..ROUNDS {
        let needed = wharf_wit::needed(&folder(&args.path)?);
        if needed.is_empty() {
            break;
        }
        for package in &needed {
            if !fetched.insert(package.to_string()) || fetched.len() > PACKAGES_MAX {
                let error = CommandError::usage(format!("{package} is still missing after it was fetched"));
                return Err(error.hint(format!("look at what is in {}", job.deps.display())));
            }
            job.fetch(package)?;
        }
    }
    if !fetched.is_empty() && !args.locked {
        job.lock.write(&lock_file)?;
    }
    let count = fetched.len();
    talk(&match count {
        0 => format!("{}: nothing is missing\n", args.path.display()),
        1 => "1 package fetched\n".to_owned(),
        _ => format!("{count} packages fetched\n"),
    });
    Ok(ExitCode::SUCCESS)
}

/// `wkg.lock` is beside the WIT folder, where other tools look for it.
fn lock_file(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.join(lock::NAME),
        _ => PathBuf::from(lock::NAME),
    }
}

struct Job {
    deps: PathBuf,
    fetcher: Fetcher,
    homes: Homes,
    lock: Lock,
    is_locked: bool,
}

impl Job {
    fn fetch(&mut self, package: &Needed) -> Result<(), CommandError> {
        let Some(version) = &package.version else {
            let text = format!("`{}:{}` is used without a version", package.namespace, package.name);
            let error = CommandError::usage(text);
            return Err(
                error.hint("registries have packages by their versions: write one, or put the package into deps")
            );
        };
        let name = format!("{}:{}", package.namespace, package.name);
        let locked = self.lock.digest(&name, version).map_err(|why| CommandError::usage(why.clone()))?;
        if self.is_locked && locked.is_none() {
            let error =
                CommandError::usage(format!("{package} is not in {}, and --locked allows nothing else", lock::NAME));
            return Err(error.hint("run `wharf wit fetch` without --locked and keep the lock file"));
        }
        let (bytes, digest, place) =
            match locked.and_then(|digest| self.fetcher.cached(&digest).map(|bytes| (bytes, digest))) {
                Some((bytes, digest)) => (bytes, digest, "the cache".to_owned()),
                None => self.download(package, version, locked)?,
            };
        let text = self.text(package, &bytes, &place)?;
        self.keep(package, version, &text)?;
        let registry = self.homes.domain(package)?.to_owned();
        self.lock.set(&name, &registry, version, &digest);
        talk(&format!("{package} from {place}\n"));
        Ok(())
    }

    fn download(
        &mut self,
        package: &Needed,
        version: &str,
        locked: Option<Digest>,
    ) -> Result<(Vec<u8>, Digest, String), CommandError> {
        let reference = self.homes.reference(package, &self.fetcher)?;
        let asked =
            Reference::Registry { reference: reference.clone(), version: Some(version.to_owned()), digest: None };
        let place = format!("{reference}:{version}");
        match self.fetcher.fetch_blocking(&asked) {
            Ok(fetched) => match locked {
                Some(expected) if expected != fetched.digest => {
                    let error = Error::Digest { place, expected, found: fetched.digest };
                    Err(download_error(&error).hint(format!("{} has the digest that is expected", lock::NAME)))
                }
                _ => Ok((fetched.bytes, fetched.digest, place)),
            },
            Err(error @ Error::NotFound { .. }) => {
                Err(self.other_versions(download_error(&error), &reference, version))
            }
            Err(error) => Err(download_error(&error)),
        }
    }

    /// Adds which versions the registry has.
    fn other_versions(&self, error: CommandError, reference: &str, wanted: &str) -> CommandError {
        let Ok(mut versions) = self.fetcher.versions_blocking(reference) else { return error };
        versions.retain(|version| wharf_wit::is_version(version));
        wharf_wit::sort_versions(&mut versions, wanted);
        match versions.is_empty() {
            true => error,
            false => error.hint(format!("it has {}", versions.into_iter().take(6).collect::<Vec<_>>().join(", "))),
        }
    }

    /// Returns the package as text, without those that it uses: they have folders of their own.
    fn text(&self, package: &Needed, bytes: &[u8], place: &str) -> Result<String, CommandError> {
        let wit = wharf_component::wit(bytes)
            .map_err(|error| CommandError::usage(format!("[WHARF-0205] {place}: {}", chain(&error))))?;
        let found = wit.resolve.packages[wit.package].name.to_string();
        if wit.world.is_some() || found != package.to_string() {
            let what = if wit.world.is_some() { "a component".to_owned() } else { format!("the package {found}") };
            return Err(CommandError::usage(format!("[WHARF-0205] {place} is {what}, and not the package {package}")));
        }
        let text = wharf_component::package_text(&wit.resolve, wit.package);
        text.ok_or_else(|| CommandError::usage(format!("the WIT of {package} is longer than 4 MiB")))
    }

    /// Writes the file of a package, whole or not at all.
    fn keep(&self, package: &Needed, version: &str, text: &str) -> Result<(), CommandError> {
        let folder = self.deps.join(format!("{}-{}-{version}", package.namespace, package.name));
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(&folder)?;
            let unfinished = folder.join(".package.wit.unfinished");
            let mut file = std::fs::File::create(&unfinished)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(unfinished, folder.join("package.wit"))
        };
        write().map_err(|error| CommandError::failed(format!("cannot write {}: {error}", folder.display())))
    }
}
