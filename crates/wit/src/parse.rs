//! Texts to a resolved package, or all that is wrong with them.
//!
//! In: a [`Folder`]. Out: [`Parsed`], or [`Finding`]s. Next: `print`, `diff`.
//!
//! The parser stops at its first error. Here the part that the error is in is taken out and the rest is read again, until nothing is
//! wrong any more: so a user sees all mistakes at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wharf_app::Problem;
use wit_parser::{
    PackageId, PackageName, ParseErrorKind, Resolve, ResolveErrorKind, SourceMap, Span, UnresolvedPackageGroup,
};

use crate::finding::{SYNTAX, UNREADABLE};
use crate::{Dependency, Finding, Folder, Reference, SourceFile, TEXT_LEN_MAX, explain, mend, references, stub};

/// Findings of one package; nobody reads more, and each costs reading all again.
const FINDINGS_MAX: usize = 25;

/// Packages that are read together; the parser calls itself for each that uses another one. WASI has ten.
const PACKAGES_MAX: usize = 500;

/// A package without mistakes.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The package and all that it uses.
    pub resolve: Resolve,
    /// The package itself.
    pub package: PackageId,
    /// What each package uses; those of text only.
    pub(crate) uses: BTreeMap<PackageName, Vec<PackageName>>,
    /// The packages of each entry of `deps`, in its order.
    pub(crate) of_deps: Vec<Vec<PackageName>>,
}

impl Parsed {
    /// Returns it as one side of a comparison.
    pub fn side(&self) -> crate::Side<'_> {
        crate::Side { resolve: &self.resolve, package: self.package, world: None }
    }
}

/// Reads a package with its dependencies. Items behind feature gates are all there.
pub fn parse(folder: &Folder) -> Result<Parsed, Vec<Finding>> {
    let mut findings = Vec::new();
    let Some(binaries) = binaries(folder, &mut findings) else { return Err(findings) };
    let mut groups = groups(folder);
    let mut taken = String::new();
    findings.extend(missing(folder, &binaries.0));
    while findings.len() < FINDINGS_MAX {
        // The parser asserts some of what it expects of itself; nothing that outlives the closure is changed inside.
        let attempt = catch_unwind(AssertUnwindSafe(|| attempt(&groups, &binaries)));
        let Ok(attempt) = attempt else {
            findings.push(nowhere(folder, "the WIT parser gave up; no tool writes such a text"));
            break;
        };
        match attempt {
            Ok(parsed) if findings.is_empty() => return Ok(parsed),
            Ok(_) => break,
            Err(mistake) => {
                let Some(place) = mistake.place.clone() else {
                    findings.push(nowhere(folder, &mistake.words()));
                    break;
                };
                if !is_consequence(&mistake, &groups, &taken) {
                    findings.push(explain::finding(&mistake, &place, &groups_of(folder)));
                }
                let Some(file) = groups.iter_mut().flatten().find(|file| file.name == place.file) else { break };
                let Some(part) = mend::take_out(&mut file.text, place.range.start) else { break };
                taken.push_str(&part);
            }
        }
    }
    Err(findings)
}

/// A mistake that the parser found.
pub(crate) struct Mistake {
    pub(crate) kind: MistakeKind,
    pub(crate) place: Option<Place>,
}

pub(crate) enum MistakeKind {
    Parse(wit_parser::ParseError),
    Resolve(wit_parser::ResolveError),
}

/// A place in a file.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) range: Range<usize>,
}

impl Mistake {
    /// The parser's own words, the first line of them.
    pub(crate) fn words(&self) -> String {
        let words = match &self.kind {
            MistakeKind::Parse(error) => error.to_string(),
            MistakeKind::Resolve(error) => error.to_string(),
        };
        words.lines().next().unwrap_or_default().to_owned()
    }

    /// Says whether it is about a name that nothing has.
    pub(crate) fn is_unknown_name(&self) -> bool {
        match &self.kind {
            MistakeKind::Parse(error) => matches!(error.kind(), ParseErrorKind::ItemNotFound { .. }),
            MistakeKind::Resolve(error) => match error.kind() {
                ResolveErrorKind::Semantic { message, .. } => {
                    ["not found", "not defined", "does not exist"].iter().any(|words| message.contains(words))
                }
                _ => false,
            },
        }
    }
}

/// Returns the packages that texts name and nobody declares. Seen without parsing: other mistakes do not hide them.
fn missing(folder: &Folder, binaries: &Resolve) -> Vec<Finding> {
    let name = |reference: &Reference| {
        let version = reference.version.as_deref().map(semver::Version::parse).transpose().ok()?;
        Some(PackageName { namespace: reference.namespace.clone(), name: reference.package.clone(), version })
    };
    let all: Vec<Reference> = folder.texts().flat_map(|file| references(&file.text)).collect();
    let (declared, used): (Vec<&Reference>, Vec<&Reference>) = all.iter().partition(|found| found.is_declaration);
    let mut known: BTreeSet<PackageName> = binaries.package_names.keys().cloned().collect();
    known.extend(declared.into_iter().filter_map(name));
    let used: BTreeSet<PackageName> = used.into_iter().filter_map(name).collect();
    let missing = used.difference(&known).take(FINDINGS_MAX);
    missing.filter_map(|name| explain::missing(&groups_of(folder), name, &known)).collect()
}

fn attempt(groups: &[Vec<SourceFile>], binaries: &(Resolve, Vec<Vec<PackageName>>)) -> Result<Parsed, Mistake> {
    let mut parsed = groups.iter().map(|files| parse_group(files)).collect::<Result<Vec<_>, _>>()?;
    let (mut resolve, of_binaries) = binaries.clone();
    let mut known: BTreeSet<PackageName> = resolve.package_names.keys().cloned().collect();
    known.extend(stub::packages(&parsed).map(|package| package.name.clone()));
    let uses = stub::packages(&parsed)
        .map(|package| (package.name.clone(), package.foreign_deps.keys().cloned().collect()))
        .collect();
    let of_deps = parsed.iter().skip(1).map(|group| names(group).collect()).chain(of_binaries).collect();
    for text in stub::stubs(&parsed, &known) {
        parsed.extend(parse_group(&[SourceFile { name: "a package that is missing".to_owned(), text }]).ok());
    }
    let main = parsed.remove(0);
    match resolve.push_groups(main, parsed) {
        Ok(package) => Ok(Parsed { resolve, package, uses, of_deps }),
        Err(error) => {
            let place = place(&resolve.source_map, error.kind().span());
            Err(Mistake { kind: MistakeKind::Resolve(error), place })
        }
    }
}

fn parse_group(files: &[SourceFile]) -> Result<UnresolvedPackageGroup, Mistake> {
    let mut map = SourceMap::new();
    for file in files {
        map.push_str(&file.name, file.text.as_str());
    }
    map.parse().map_err(|(map, error)| {
        let place = place(&map, error.kind().span());
        Mistake { kind: MistakeKind::Parse(error), place }
    })
}

fn place(map: &SourceMap, span: Span) -> Option<Place> {
    let at = map.resolve_span(span)?;
    Some(Place { file: at.path.to_owned(), range: at.range })
}

fn names(group: &UnresolvedPackageGroup) -> impl Iterator<Item = PackageName> + '_ {
    group.nested.iter().chain([&group.main]).map(|package| package.name.clone())
}

/// Says whether a name is only unknown because the part that had it was taken out.
fn is_consequence(mistake: &Mistake, groups: &[Vec<SourceFile>], taken: &str) -> bool {
    let Some(place) = mistake.place.as_ref().filter(|_| mistake.is_unknown_name()) else { return false };
    let file = groups.iter().flatten().find(|file| file.name == place.file);
    let name = file.and_then(|file| file.text.get(place.range.clone())).unwrap_or_default();
    crate::scan::tokens(taken).iter().any(|token| token.text == name)
}

/// The package's own files, then those of each dependency, as they were written.
pub(crate) fn groups_of(folder: &Folder) -> Vec<&[SourceFile]> {
    let of_deps = folder.deps.iter().filter_map(|dep| match dep {
        Dependency::Text(files) => Some(files.as_slice()),
        Dependency::Binary { .. } => None,
    });
    std::iter::once(folder.files.as_slice()).chain(of_deps).collect()
}

fn groups(folder: &Folder) -> Vec<Vec<SourceFile>> {
    groups_of(folder).into_iter().map(<[SourceFile]>::to_vec).collect()
}

/// Reads the dependencies in binary form. None when one of them, or the size of all, makes reading the rest pointless.
fn binaries(folder: &Folder, findings: &mut Vec<Finding>) -> Option<(Resolve, Vec<Vec<PackageName>>)> {
    let length: usize = folder.texts().map(|file| file.text.len()).sum();
    if length > TEXT_LEN_MAX {
        let size = wharf_app::format_size(TEXT_LEN_MAX as u64);
        findings.push(nowhere(folder, &format!("the texts are longer than {size} together")));
        return None;
    }
    let declarations = folder.texts().flat_map(|file| references(&file.text)).filter(|found| found.is_declaration);
    if declarations.count() > PACKAGES_MAX {
        findings.push(nowhere(folder, &format!("there are more than {PACKAGES_MAX} packages")));
        return None;
    }
    if folder.files.is_empty() {
        findings.push(nowhere(folder, "there is no file with WIT"));
        return None;
    }
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    let mut of_binaries = Vec::new();
    for dep in &folder.deps {
        let Dependency::Binary { name, bytes } = dep else { continue };
        let wrong = |words: String| Finding { file: name.clone(), problem: Problem::error(UNREADABLE, 0..0, words) };
        match wharf_component::wit(bytes) {
            Ok(wit) if wit.world.is_some() => {
                findings.push(wrong("this is a component, and no package of interfaces".to_owned()));
            }
            Ok(wit) => {
                of_binaries.push(wit.resolve.package_names.keys().cloned().collect());
                if let Err(error) = resolve.merge(wit.resolve) {
                    findings.push(wrong(format!("its packages differ from others of the same name: {error:#}")));
                }
            }
            Err(error) => findings.push(wrong(error.to_string())),
        }
    }
    findings.is_empty().then_some((resolve, of_binaries))
}

/// A finding about all of the package.
fn nowhere(folder: &Folder, words: &str) -> Finding {
    let file = folder.files.first().map_or_else(|| "wit".to_owned(), |file| file.name.clone());
    let code = if words.contains("no `package` header") { SYNTAX } else { UNREADABLE };
    let mut problem = Problem::error(code, 0..0, words);
    if code == SYNTAX {
        problem = problem.with_help("begin one of the files with its name: `package my-name:my-package@0.1.0;`");
    }
    Finding { file, problem }
}
