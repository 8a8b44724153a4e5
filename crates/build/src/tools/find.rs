//! Looks for a tool on the search path and in a project, and asks it for its version.

use super::{Install, Probe, Tool, Version};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Folders of a project that have programs, which build commands find before those of the machine.
const OF_PROJECT: &[&str] = &["node_modules/.bin", ".venv/bin"];

/// Where tools are looked for.
#[derive(Clone, Debug)]
pub struct Search {
    folders: Vec<PathBuf>,
    dir: PathBuf,
}

/// What was found of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is there, and new enough as far as it says.
    There {
        /// The program, the file, or the folder of the target.
        path: PathBuf,
        /// Its version; absent when it does not say.
        version: Option<Version>,
    },
    /// It is there and too old.
    Old {
        /// The program.
        path: PathBuf,
        /// Its version.
        version: Version,
        /// The oldest one that does.
        minimum: Version,
    },
    /// It is not there.
    Missing,
}

impl Search {
    /// Looks in the folders of `path`, a list as in the variable `PATH`, and in those of the project that `dir` is in.
    pub fn new(path: Option<&OsStr>, dir: &Path) -> Self {
        let mut folders = project_folders(dir);
        folders.extend(path.map(std::env::split_paths).into_iter().flatten());
        Self { folders, dir: dir.to_owned() }
    }

    /// Returns the folders as a value of the variable `PATH`, those of the project first.
    pub fn path(&self) -> std::ffi::OsString {
        // A folder whose name has the separator in it cannot be in a list.
        std::env::join_paths(self.folders.iter().filter(|folder| std::env::join_paths([folder]).is_ok()))
            .unwrap_or_default()
    }

    /// Returns where a program is.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        self.folders.iter().map(|folder| folder.join(name)).find(|file| is_executable(file))
    }

    /// Looks for a tool. Runs it to have its version.
    pub fn find(&self, tool: &Tool) -> Found {
        match &tool.probe {
            Probe::Program { names, version } => self.find_program(names, version, tool.minimum),
            Probe::RustTarget(target) => self.find_rust_target(target),
            Probe::File(files) => match files.iter().map(Path::new).find(|file| file.is_file()) {
                Some(file) => Found::There { path: file.to_owned(), version: None },
                None => Found::Missing,
            },
        }
    }

    /// Returns what installs a tool here: the first way whose installer is there.
    pub fn installer(&self, tool: &Tool) -> Option<&'static Install> {
        tool.install.iter().find(|install| self.program(install.by).is_some())
    }

    /// Returns the sentence that says how to get a tool.
    pub fn advice(&self, tool: &Tool) -> String {
        match self.installer(tool).or(tool.install.first()) {
            Some(install) => format!("install it with `{}`", install.command),
            None => format!("install it: it is needed for {}", tool.purpose),
        }
    }

    fn find_program(&self, names: &[&str], ask: &[&str], minimum: Option<Version>) -> Found {
        let mut old = Found::Missing;
        for path in names.iter().filter_map(|name| self.program(name)) {
            // A version manager leaves programs that only say that there is none.
            let said = match ask.is_empty() {
                true => String::new(),
                false => match self.output(Command::new(&path).args(ask)) {
                    Some(said) => said,
                    None => continue,
                },
            };
            let version = first_version(&said);
            match (version, minimum) {
                (Some(version), Some(minimum)) if version < minimum => {
                    old = Found::Old { path, version, minimum };
                }
                _ => return Found::There { path, version },
            }
        }
        old
    }

    fn find_rust_target(&self, target: &str) -> Found {
        let Some(rustc) = self.program("rustc") else { return Found::Missing };
        let mut command = Command::new(rustc);
        match self.output(command.args(["--print", "target-libdir", "--target", target])).map(PathBuf::from) {
            Some(path) if path.is_dir() => Found::There { path, version: None },
            _ => Found::Missing,
        }
    }

    /// Returns what a command prints, if it can be run and succeeds.
    fn output(&self, command: &mut Command) -> Option<String> {
        let command = command.stdin(Stdio::null()).stderr(Stdio::null());
        // What a version manager answers depends on the folder.
        if self.dir.is_dir() {
            command.current_dir(&self.dir);
        }
        let output = command.env("PATH", self.path()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// Returns the folders of programs of the projects that `dir` is in, the nearest first.
fn project_folders(dir: &Path) -> Vec<PathBuf> {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let above = dir.ancestors().flat_map(|folder| OF_PROJECT.iter().map(move |programs| folder.join(programs)));
    above.filter(|folder| folder.is_dir()).collect()
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Returns the first thing in a text that is a version.
pub(super) fn first_version(text: &str) -> Option<Version> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
        let mut numbers = word.split('.').map(|number| number.parse::<u32>());
        let major = numbers.next()?.ok()?;
        let minor = numbers.next()?.ok()?;
        let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
        Some((major, minor, patch))
    })
}
