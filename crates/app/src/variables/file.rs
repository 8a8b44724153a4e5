//! Reads the file of `--variables`, and hides secrets in what is shown of a manifest.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::LineError;
use crate::hidden::Hidden;
use crate::nearest::nearest;
use crate::problem::LineIndex;
use zeroize::Zeroizing;

/// Reads a file of values: TOML, a line `name = "value"` for each variable. Whole numbers, `true` and `false` need no quotes.
///
/// # Errors
///
/// Every line that cannot be read; nothing of what stands there.
pub fn parse_variables(text: &str) -> Result<BTreeMap<String, Hidden>, Vec<LineError>> {
    let lines = LineIndex::new(text);
    let error = |at: usize, why| LineError { line: lines.line_of(at.min(text.len())) + 1, why };
    let (table, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        let mut errors: Vec<_> = syntax
            .iter()
            .map(|wrong| error(wrong.span().map_or(text.len(), |span| span.start), "is not valid TOML"))
            .collect();
        errors.dedup();
        return Err(errors);
    }
    let mut values = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, value) in table.get_ref() {
        let plain = match value.get_ref() {
            DeValue::String(text) => Some(Zeroizing::new(text.clone().into_owned())),
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned().into()),
            DeValue::Boolean(truth) => Some(truth.to_string().into()),
            _ => None,
        };
        match plain {
            Some(value) => _ = values.insert(name.get_ref().clone().into_owned(), Hidden::new(value)),
            None => errors.push(error(name.span().start, "gives a variable something else than a text")),
        }
    }
    errors.sort_by_key(|error| error.line);
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

/// Returns a manifest as it may be shown: with `*` in the place of a value that somebody gave a secret variable, which is a mistake
/// whose excerpt would show it. Every byte is where it was.
pub(crate) fn mask_secrets(text: &str) -> Cow<'_, str> {
    let (document, _) = DeTable::parse_recoverable(text);
    let variables = document.get_ref().get("variables").and_then(|value| value.get_ref().as_table());
    let mut masked = Cow::Borrowed(text);
    for variable in variables.into_iter().flat_map(|table| table.values()) {
        let Some(table) = variable.get_ref().as_table() else { continue };
        // Also one who misspelt it meant it.
        let is_secret = table.keys().any(|key| nearest(key.get_ref(), ["secret"]).is_some());
        let Some(default) = table.get("default").filter(|_| is_secret) else { continue };
        let span = default.span();
        if text.get(span.clone()).is_some() {
            let stars: String = text[span.clone()].chars().map(mask_char).collect();
            masked.to_mut().replace_range(span, &stars);
        }
    }
    masked
}

/// Returns as many bytes as `c` has. Lines stay lines.
fn mask_char(c: char) -> &'static str {
    match (c, c.len_utf8()) {
        ('\n', _) => "\n",
        ('\r', _) => "\r",
        (_, len) => &"****"[..len],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_numbers_and_truths_are_values() {
        let values = parse_variables("a = \"x\"\nb = 8080\nc = true\n").unwrap();
        let shown: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
        assert_eq!(shown, [("a", "x"), ("b", "8080"), ("c", "true")]);
    }

    #[test]
    fn every_line_that_cannot_be_read_is_told_without_its_text() {
        let errors = |text| parse_variables(text).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>();
        let wrong = "gives a variable something else than a text";
        assert_eq!(
            errors("b = 1\n\na = [\"hunter2\"]\n[c]\nx = 1\n"),
            [format!("line 3 {wrong}"), format!("line 4 {wrong}")]
        );
        assert_eq!(errors("a = hunter2\n"), ["line 1 is not valid TOML"]);
    }

    #[test]
    fn a_secrets_value_is_not_shown_and_everything_stays_in_its_place() {
        let text = "[variables]\na = { default = \"hunter2ä\", secert = true }\nb = { default = \"shown\" }\n\
                    [variables.c]\nsecret = 1\ndefault = '''\nhunter2\n'''\n";
        let masked = mask_secrets(text);
        assert_eq!(masked.len(), text.len());
        assert!(!masked.contains("hunter2") && masked.contains("shown"), "{masked}");
        assert!(masked.lines().count() == text.lines().count());
        assert!(matches!(mask_secrets("a = 1"), Cow::Borrowed(_)));
    }
}
