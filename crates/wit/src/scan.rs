//! Words of a WIT text with their places, without parsing it: for texts that the parser refuses, and for places that it does not tell.

use std::ops::Range;

/// One word, sign or version of a text; comments and strings are passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token<'t> {
    pub(crate) text: &'t str,
    pub(crate) start: usize,
}

impl Token<'_> {
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| is_word_char(c) || c == '%')
    }
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_')
}

/// Splits a text into words (with digits, `-` and a leading `%`) and single signs.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if let Some(text) = rest.strip_prefix('"') {
            text.find('"').map_or(rest.len(), |end| end + 2)
        } else {
            let first = rest.chars().next().map_or(1, char::len_utf8);
            let is_word = rest.starts_with(|c: char| is_word_char(c) || c == '%');
            let length = match rest[first..].find(|c: char| !is_word_char(c)) {
                _ if !is_word => first,
                Some(end) => first + end,
                None => rest.len(),
            };
            if !rest.starts_with(char::is_whitespace) {
                found.push(Token { text: &rest[..length], start: at });
            }
            length
        };
        at += length;
    }
    found
}

/// Returns the length of a block comment; they nest.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => (depth, at) = (depth + 1, at + 2),
            (b'*', Some(b'/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// A place where a text names a package: `wasi:http/types@0.2.6`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `wasi`.
    pub namespace: String,
    /// `http`.
    pub package: String,
    /// `types`; none where the package is declared.
    pub item: Option<String>,
    /// `0.2.6`, as written.
    pub version: Option<String>,
    /// The bytes of all of it.
    pub range: Range<usize>,
    /// Whether the text says here what package it is, or begins one inside of it.
    pub is_declaration: bool,
}

/// Returns every package that a text names, in its order.
pub fn references(text: &str) -> Vec<Reference> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match reference(text, &tokens, at) {
            Some((reference, next)) => {
                found.push(reference);
                at = next;
            }
            None => at += 1,
        }
    }
    found
}

/// Reads `word:word`, then `/word` and `@version` where they are; all without gaps, which tells it from `name: type`.
fn reference(text: &str, tokens: &[Token<'_>], at: usize) -> Option<(Reference, usize)> {
    let touches = |index: usize| index > 0 && tokens[index - 1].end() == tokens[index].start;
    let sign = |index: usize, sign: &str| tokens.get(index).is_some_and(|token| token.text == sign) && touches(index);
    let word = |index: usize| tokens.get(index).filter(|token| token.is_word() && touches(index));
    let namespace = tokens.get(at).filter(|token| token.is_word())?;
    if !sign(at + 1, ":") {
        return None;
    }
    let package = word(at + 2)?;
    let (mut end, mut next, mut item, mut version) = (package.end(), at + 3, None, None);
    if sign(next, "/")
        && let Some(word) = word(next + 1)
    {
        (item, end, next) = (Some(plain(word.text)), word.end(), next + 2);
    }
    if sign(next, "@") {
        let start = tokens[next].end();
        let rest = text.get(start..)?;
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
        let written = rest[..length].trim_end_matches('.');
        version = Some(written.to_owned());
        end = start + written.len();
        while tokens.get(next).is_some_and(|token| token.start < end) {
            next += 1;
        }
    }
    let is_declaration = at > 0 && tokens[at - 1].text == "package";
    // `a:b` alone is a parameter without a space before its type.
    if item.is_none() && !is_declaration {
        return None;
    }
    let (namespace, package, start) = (plain(namespace.text), plain(package.text), namespace.start);
    Some((Reference { namespace, package, item, version, range: start..end, is_declaration }, next))
}

fn plain(word: &str) -> String {
    word.trim_start_matches('%').to_owned()
}

/// Returns the names that a text gives to types, interfaces, worlds and what it takes from others.
pub(crate) fn definitions(text: &str) -> Vec<&str> {
    const KEYWORDS: &[&str] =
        &["record", "variant", "enum", "flags", "resource", "type", "interface", "world", "as", "import", "export"];
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut is_in_use = false;
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at)).map_or("", |token| token.text);
        match token.text {
            "{" if before == "." => is_in_use = true,
            "}" | ";" => is_in_use = false,
            name if token.is_word() && (is_in_use || KEYWORDS.contains(&before)) => {
                found.push(name.trim_start_matches('%'));
            }
            _ => {}
        }
    }
    found
}
