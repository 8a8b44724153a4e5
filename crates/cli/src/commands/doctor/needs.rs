//! What an app is built with: the languages of its components and the programs that its builds name.
//!
//! In: a manifest, or nothing. Out: languages and tools. Next: [`super::toolchain`].

use crate::command_error::CommandError;
use crate::report;
use std::fs;
use std::path::Path;
use wharf_app::App;
use wharf_build::tools::{Language, Tool, of_command, of_language};
use wharf_project::Project;

/// Files of a folder that are looked at.
const ENTRIES_MAX: usize = 1_000;

/// What has to be there.
pub(super) struct Needs {
    /// The app, if there is one.
    pub(super) app: Option<App>,
    /// Nobody said what is needed: everything is looked at, and nothing has to be there.
    pub(super) is_everything: bool,
    /// Each after those that it needs itself.
    pub(super) tools: Vec<&'static Tool>,
    /// Those that a build command names itself, so that it does not bring them.
    pub(super) named: Vec<&'static Tool>,
}

/// Reads the name of a language.
pub(super) fn language(text: &str) -> Result<Language, String> {
    match text.to_ascii_lowercase().as_str() {
        "rust" | "rs" => Ok(Language::Rust),
        "js" | "javascript" => Ok(Language::JavaScript),
        "ts" | "typescript" => Ok(Language::TypeScript),
        "python" | "py" => Ok(Language::Python),
        "go" | "golang" => Ok(Language::Go),
        "c" | "c++" | "cpp" => Ok(Language::C),
        _ => Err("there are rust, js, ts, python, go and c".to_owned()),
    }
}

/// Finds out what is needed by the app of a manifest, and by `languages`.
pub(super) fn find(manifest: &Path, languages: &[Language]) -> Result<Needs, CommandError> {
    let app = match manifest.is_file() {
        true => Some(Project::find(manifest)?.read(None, report::warn)?.app),
        false => None,
    };
    let is_everything = app.is_none() && languages.is_empty();
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let mut found: Vec<Language> = languages.to_vec();
    let mut named: Vec<&'static Tool> = Vec::new();
    for build in app.iter().flat_map(|app| &app.components).filter_map(|component| component.build.as_ref()) {
        named.extend(of_command(&build.command));
        found.extend(of_folder(&folder.join(build.dir.as_deref().unwrap_or("."))));
    }
    if is_everything {
        found = Language::ALL.to_vec();
    }
    found.sort_unstable();
    found.dedup();
    let mut tools: Vec<&'static Tool> = Vec::new();
    for tool in found.iter().flat_map(|language| of_language(*language)).chain(named.iter().copied()) {
        if !tools.contains(&tool) {
            tools.push(tool);
        }
    }
    Ok(Needs { app, is_everything, tools, named })
}

/// Guesses the languages of a folder by its files.
fn of_folder(folder: &Path) -> Vec<Language> {
    let entries = fs::read_dir(folder).into_iter().flatten().take(ENTRIES_MAX).filter_map(Result::ok);
    let names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let has = |name: &str| names.iter().any(|known| known == name);
    let ends = |end: &str| names.iter().any(|known| known.ends_with(end) && !known.ends_with(".d.ts"));
    let found = [
        (has("Cargo.toml"), Language::Rust),
        (has("package.json") && !ends(".ts"), Language::JavaScript),
        (has("package.json") && ends(".ts"), Language::TypeScript),
        (has("requirements.txt") || has("pyproject.toml") || ends(".py"), Language::Python),
        (has("go.mod"), Language::Go),
        (ends(".c") || ends(".cpp"), Language::C),
    ];
    found.into_iter().filter(|(is_there, _)| *is_there).map(|(_, language)| language).collect()
}
