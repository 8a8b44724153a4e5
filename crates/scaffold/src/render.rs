//! Fills in a template: variables in texts and in names of files.
//!
//! In: a template and values. Out: files as they will be. Next: [`crate::write`].

use std::collections::BTreeMap;

use crate::description::Description;
use crate::error::Error;
use crate::template::Template;
use crate::{interfaces, path};

/// Bytes of one text once it is filled in.
const TEXT_BYTES: usize = 8 << 20;

/// Bytes of one value.
const VALUE_BYTES: usize = 4 << 10;

/// One file as it will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// From the target folder, with `/`; it never leaves the folder.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether it may be run.
    pub executable: bool,
}

/// What stands for variables.
#[derive(Clone, Debug)]
pub struct Values(BTreeMap<String, String>);

impl Values {
    /// Makes the values of an app or a component of that name.
    ///
    /// # Errors
    ///
    /// A name that a manifest would refuse.
    pub fn new(name: &str) -> Result<Self, Error> {
        wharf_app::check_name(name).map_err(|why| {
            // Who gives a path means its last part.
            let last = name.rsplit('/').find(|part| !part.is_empty()).unwrap_or(name);
            let better = wharf_app::valid_name_from(last);
            Error::Name { name: name.to_owned(), why, better }
        })?;
        let derived = [
            ("name", name.to_owned()),
            // Modules of Rust, Python and Go have no dashes in their names.
            ("name-snake", name.replace('-', "_")),
            ("name-wit", wit_name(name)),
            ("name-wit-snake", wit_name(name).replace('-', "_")),
        ];
        Ok(Self(derived.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    }

    /// Adds what the user gave, and the defaults for the rest.
    ///
    /// # Errors
    ///
    /// A value for no variable, a variable without a value, and a value that is too long.
    pub fn with(mut self, description: &Description, given: &[(String, String)]) -> Result<Self, Error> {
        for (name, value) in given {
            if !description.variables.contains_key(name) {
                let known = description.variables.keys().cloned().collect();
                return Err(Error::UnknownValue { name: name.clone(), known });
            }
            if value.len() > VALUE_BYTES {
                let what = format!("a value for `{name}` that is longer than {VALUE_BYTES} bytes");
                return Err(Error::TooLarge { template: description.description.clone(), what });
            }
            self.0.insert(name.clone(), value.clone());
        }
        for (name, variable) in &description.variables {
            if !self.0.contains_key(name) {
                let Some(default) = &variable.default else {
                    return Err(Error::NoValue { name: name.clone(), description: variable.description.clone() });
                };
                self.0.insert(name.clone(), default.clone());
            }
        }
        Ok(self)
    }

    /// Fills in one text. `file` is what errors name.
    pub(crate) fn fill(&self, file: &str, text: &str) -> Result<String, Error> {
        let refused = |at: usize, message: String| {
            let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            Error::Placeholder { file: file.to_owned(), line, message }
        };
        let template = wharf_app::Template::parse(text).map_err(|error| refused(error.range.start, help(&error)))?;
        for (name, range) in template.variables() {
            if !self.0.contains_key(name) {
                let known = self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                let text =
                    format!("there is no variable `{name}`; there are {known}, and `{{{{{{{{` stands for two braces");
                return Err(refused(range.start, text));
            }
        }
        let filled = template.fill(TEXT_BYTES, |name| self.0.get(name).map(String::as_str));
        filled.ok_or_else(|| refused(0, format!("it gets longer than {} MiB", TEXT_BYTES >> 20)))
    }
}

fn help(error: &wharf_app::PatternError) -> String {
    match &error.help {
        Some(help) => format!("{}; {help}", error.message),
        None => error.message.clone(),
    }
}

/// Returns a name that WIT accepts: there, what follows a dash begins with a letter.
fn wit_name(name: &str) -> String {
    let mut text = String::new();
    for part in name.split('-').filter(|part| !part.is_empty()) {
        if !text.is_empty() && part.starts_with(|c: char| c.is_ascii_lowercase()) {
            text.push('-');
        }
        text.push_str(part);
    }
    if KEYWORDS.contains(&text.as_str()) {
        // Escaped as `%list` it would be another name in each language's bindings.
        text.push_str("-app");
    }
    text
}

/// The words that WIT keeps for itself.
const KEYWORDS: &[&str] = &[
    "_",
    "as",
    "async",
    "bool",
    "borrow",
    "char",
    "constructor",
    "enum",
    "error-context",
    "export",
    "f32",
    "f64",
    "flags",
    "from",
    "func",
    "future",
    "import",
    "include",
    "interface",
    "list",
    "map",
    "option",
    "own",
    "package",
    "record",
    "resource",
    "result",
    "s16",
    "s32",
    "s64",
    "s8",
    "static",
    "stream",
    "string",
    "tuple",
    "type",
    "u16",
    "u32",
    "u64",
    "u8",
    "use",
    "variant",
    "with",
    "world",
];

/// Fills in every file, and adds the interfaces that the template asks for.
pub(crate) fn render(template: &Template, values: &Values) -> Result<Vec<Rendered>, Error> {
    let description = &template.description;
    let verbatim = description
        .verbatim_globs()
        .map_err(|error| Error::Description { place: template.name.clone(), message: error.to_string() })?;
    let mut rendered: BTreeMap<String, Rendered> = BTreeMap::new();
    for (path, text) in description.wit.iter().flat_map(|set| interfaces::files(set)) {
        rendered.insert(path.clone(), Rendered { path, bytes: text.into_bytes(), executable: false });
    }
    for file in &template.files {
        let path = values.fill(&file.path, &file.path)?;
        path::check(&path)?;
        let bytes = match std::str::from_utf8(&file.bytes) {
            Ok(text) if !verbatim.is_match(&file.path) => values.fill(&file.path, text)?.into_bytes(),
            // Pictures and the like are what they are.
            _ => file.bytes.clone(),
        };
        let executable = file.executable;
        rendered.insert(path.clone(), Rendered { path, bytes, executable });
    }
    Ok(rendered.into_values().collect())
}

#[cfg(test)]
mod tests;
