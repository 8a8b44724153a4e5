//! The templates that the program carries.
//!
//! In: what the user wants. Out: the name of a template. Next: [`crate::template`].

use std::sync::LazyLock;

use crate::DESCRIPTION;
use crate::description::Description;
use crate::embedded::TEMPLATES;
use crate::error::Error;

/// A template of the program.
pub(crate) struct BuiltIn {
    pub(crate) name: &'static str,
    pub(crate) description: Description,
    pub(crate) files: Vec<(&'static str, &'static [u8])>,
}

/// The order in which languages are listed.
const LANGUAGES: &[&str] = &["rust", "js", "ts", "python", "go", "c"];

/// The order in which kinds are listed; the first one is what is meant when nobody says.
const KINDS: &[&str] = &["http", "command", "library"];

/// Every template, in the order of lists: by language, by kind, and the one that is meant when nobody says more before the others.
pub(crate) static EMBEDDED: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    let descriptions = TEMPLATES.iter().filter_map(|(path, bytes)| {
        let (name, file) = path.split_once('/')?;
        let text = std::str::from_utf8(bytes).ok().filter(|_| file == DESCRIPTION)?;
        // A test reads every one of them.
        let description = Description::read(path, text).ok()?;
        let files = TEMPLATES.iter().filter_map(|(path, bytes)| {
            let (of, file) = path.split_once('/')?;
            (of == name && file != DESCRIPTION).then_some((file, *bytes))
        });
        Some(BuiltIn { name, description, files: files.collect() })
    });
    let mut all: Vec<BuiltIn> = descriptions.collect();
    let place = |list: &[&str], word: &str| list.iter().position(|known| *known == word).unwrap_or(list.len());
    all.sort_by_key(|built_in| {
        let Description { language, kind, .. } = &built_in.description;
        (place(LANGUAGES, language), place(KINDS, kind), built_in.name)
    });
    all
});

/// What the user wants of a template.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// A language.
    pub language: Option<String>,
    /// What starts it.
    pub kind: Option<String>,
    /// A generation of WASI.
    pub wasi: Option<String>,
}

impl Wanted {
    /// Tells whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.language.is_none() && self.kind.is_none() && self.wasi.is_none()
    }

    /// Returns the name of the template that is meant.
    ///
    /// # Errors
    ///
    /// No template fits.
    pub fn choose(&self) -> Result<&'static str, Error> {
        let language = self.language.as_deref().map(plain_language);
        let kind = self.kind.as_deref().unwrap_or(KINDS[0]);
        let misses = |known: &Description| {
            usize::from(language.is_some_and(|language| known.language != language))
                + usize::from(known.kind != kind)
                + usize::from(self.wasi.as_deref().is_some_and(|wasi| known.wasi != wasi))
        };
        if let Some(found) = EMBEDDED.iter().find(|known| misses(&known.description) == 0) {
            return Ok(found.name);
        }
        let near = EMBEDDED.iter().filter(|known| misses(&known.description) == 1);
        Err(Error::NoneFits { wanted: self.words(), near: near.map(|known| known.name.to_owned()).collect() })
    }

    fn words(&self) -> String {
        let said = [("", &self.language), ("", &self.kind), ("WASI ", &self.wasi)];
        let words = said.into_iter().filter_map(|(before, word)| Some(format!("{before}{}", word.as_ref()?)));
        words.collect::<Vec<_>>().join(", ")
    }
}

/// Returns the language that is meant by its other names.
fn plain_language(word: &str) -> &str {
    match word {
        "javascript" => "js",
        "typescript" => "ts",
        "py" => "python",
        "golang" => "go",
        "rs" => "rust",
        word => word,
    }
}

/// Returns every template, in the order of lists.
pub fn catalog() -> impl Iterator<Item = (&'static str, &'static Description)> {
    EMBEDDED.iter().map(|built_in| (built_in.name, &built_in.description))
}

pub(crate) fn unknown(name: &str) -> Error {
    let names = EMBEDDED.iter().map(|known| known.name);
    Error::Unknown { name: name.to_owned(), nearest: wharf_app::nearest(name, names).map(str::to_owned) }
}

#[cfg(test)]
mod tests;
