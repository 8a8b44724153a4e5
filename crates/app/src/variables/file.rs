//! Reads the file of `--variables`.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::LineError;
use crate::hidden::Hidden;
use wharf_problem::LineIndex;
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
}
