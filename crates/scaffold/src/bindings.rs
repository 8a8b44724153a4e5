//! `wharf wit bindings`: source code that stands between a language and a world, for languages whose compilers know no WIT.
//!
//! In: a folder with WIT and the name of a world. Out: files to compile and link with the user's own. Next: [`crate::write`].

use std::path::Path;
use std::thread;

use wit_bindgen_core::{Files, WorldGenerator};
use wit_parser::{Resolve, WorldId};

use crate::embedded::GO_RUNTIME;
use crate::error::Error;
use crate::render::Rendered;

/// What the bindings are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bindings {
    /// C, and C++: a header, a source file, and an object that carries the world's type.
    C,
    /// Go: packages below the folder, and the library that they call.
    Go {
        /// The module that they become part of, as in `go.mod`.
        module: String,
        /// Their folder in the module, with `/`.
        folder: String,
    },
}

/// The longest name of a Go module that is taken.
const MODULE_BYTES: usize = 512;

impl Bindings {
    /// Returns the bindings of Go for a module, by the text of its `go.mod`.
    ///
    /// # Errors
    ///
    /// A text without `module NAME`.
    pub fn go(go_mod: &str, folder: &str) -> Result<Self, Error> {
        let named = go_mod.lines().find_map(|line| line.trim().strip_prefix("module ").map(str::trim));
        let module = named.map(|name| name.split_whitespace().next().unwrap_or_default().trim_matches('"'));
        let is_path = |name: &&str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
            !name.is_empty() && name.len() <= MODULE_BYTES && name.chars().all(allowed)
        };
        let refused = || Error::Bindings { message: "go.mod has no line `module NAME`".to_owned() };
        let module = module.filter(is_path).ok_or_else(refused)?;
        Ok(Self::Go { module: module.to_owned(), folder: folder.to_owned() })
    }

    /// Makes the files. Their paths start at the folder that was asked for.
    ///
    /// # Errors
    ///
    /// WIT that cannot be read, a world that is not there, and interfaces that the generator cannot do.
    pub fn generate(&self, wit: &Path, world: Option<&str>) -> Result<Vec<Rendered>, Error> {
        let mut resolve = Resolve::default();
        let unread = |message: String| Error::Wit { path: wit.to_owned(), message };
        let (package, _) = resolve.push_path(wit).map_err(|error| unread(error.root_cause().to_string()))?;
        let world = resolve.select_world(&[package], world).map_err(|error| unread(error.root_cause().to_string()))?;
        let files = self.run(resolve, world)?;
        let mut rendered: Vec<Rendered> = files
            .iter()
            .map(|(path, bytes)| Rendered { path: path.to_owned(), bytes: bytes.to_vec(), executable: false })
            .collect();
        if matches!(self, Self::Go { .. }) {
            let runtime = GO_RUNTIME.iter().map(|(path, bytes)| Rendered {
                path: format!("runtime/{path}"),
                bytes: bytes.to_vec(),
                executable: false,
            });
            rendered.extend(runtime);
        }
        Ok(rendered)
    }

    /// Runs the generator of others in a thread: what it does not know it answers with a panic.
    fn run(&self, mut resolve: Resolve, world: WorldId) -> Result<Files, Error> {
        let generate = || {
            let mut files = Files::default();
            self.generator().generate(&mut resolve, world, &mut files).map(|()| files)
        };
        let generated = thread::scope(|scope| scope.spawn(generate).join());
        match generated {
            Ok(Ok(files)) => Ok(files),
            Ok(Err(error)) => Err(Error::Bindings { message: format!("{error:#}") }),
            Err(panic) => {
                let said = panic.downcast_ref::<String>().cloned();
                let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                Err(Error::Bindings { message: said.unwrap_or_else(|| "the generator gave up".to_owned()) })
            }
        }
    }
    fn generator(&self) -> Box<dyn WorldGenerator> {
        match self {
            Self::C => wit_bindgen_c::Opts::default().build(),
            Self::Go { module, folder } => {
                let opts = wit_bindgen_go::Opts {
                    // Formatting needs a program that may not be there.
                    format: wit_bindgen_go::Format::False,
                    pkg_name: Some(format!("{module}/{folder}")),
                    export_pkg_name: Some(module.clone()),
                    ..wit_bindgen_go::Opts::default()
                };
                opts.build()
            }
        }
    }
}

#[cfg(test)]
mod tests;
