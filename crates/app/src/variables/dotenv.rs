//! Reads a `.env` file.
//!
//! - A line is `NAME=VALUE`, with or without `export ` before it. Empty lines, and what follows a `#` at the start of a line or after a
//!   space, say nothing.
//! - A name has letters, digits and `_`, and does not begin with a digit. Of several lines with one name the last counts.
//! - A value without quotes ends with its line; spaces around it do not belong to it, and `\` and `$` stand for themselves.
//! - In `'…'` everything stands for itself. In `"…"` so does everything but `\n`, `\r`, `\t`, `\"`, `\\` and `\$`. Both may go over
//!   several lines.
//! - Nothing is filled in: `$HOME` is five characters.

use std::collections::BTreeMap;

use super::LineError;
use crate::hidden::Hidden;
use zeroize::Zeroizing;

/// Reads the text of a `.env` file. All names are returned, also those that have nothing to do with Wharf.
///
/// # Errors
///
/// Every line that cannot be read; nothing of what stands there.
pub fn parse_dotenv(text: &str) -> Result<BTreeMap<String, Hidden>, Vec<LineError>> {
    let mut reader = Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let mut values = BTreeMap::new();
    let mut errors = Vec::new();
    while !reader.rest.is_empty() {
        let line = reader.line;
        match reader.entry() {
            Ok(Some((name, value))) => _ = values.insert(name, value),
            Ok(None) => {}
            Err(why) => {
                errors.push(LineError { line, why });
                reader.skip_line();
            }
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

struct Reader<'t> {
    rest: &'t str,
    /// The line that `rest` begins in, from 1 on.
    line: usize,
}

impl<'t> Reader<'t> {
    /// Reads what begins here, up to and with the end of its last line.
    fn entry(&mut self) -> Result<Option<(String, Hidden)>, &'static str> {
        self.skip_spaces();
        if self.ends_line() {
            self.skip_line();
            return Ok(None);
        }
        if let Some(rest) = self.rest.strip_prefix("export ") {
            self.rest = rest;
            self.skip_spaces();
        }
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err("does not begin with a name of letters, digits and `_`");
        }
        self.skip_spaces();
        self.rest = self.rest.strip_prefix('=').ok_or("has no `=` after its name")?;
        self.skip_spaces();
        let value = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let value = self.quoted(quote)?;
                self.skip_spaces();
                if !self.ends_line() {
                    return Err("goes on after the closing quote");
                }
                value
            }
            _ => self.bare(),
        };
        self.skip_line();
        Ok(Some((name.to_owned(), Hidden::new(value))))
    }

    fn bare(&mut self) -> Zeroizing<String> {
        let line = self.rest.lines().next().unwrap_or_default();
        let comment = line.char_indices().zip(std::iter::once(' ').chain(line.chars()));
        let mut comment = comment.filter(|((_, c), before)| *c == '#' && matches!(before, ' ' | '\t'));
        let end = comment.next().map_or(line.len(), |((at, _), _)| at);
        Zeroizing::new(line[..end].trim().to_owned())
    }

    /// Reads a value in quotes. As long as the quotes are not closed, nothing is taken, so that the error is one of the first line.
    fn quoted(&mut self, quote: char) -> Result<Zeroizing<String>, &'static str> {
        // As long as it can get, because a text that grew would leave copies behind.
        let mut value = Zeroizing::new(String::with_capacity(self.rest.len().min(super::VALUE_LEN_MAX)));
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.line += self.rest[..at].matches('\n').count();
                    self.rest = &self.rest[at + 1..];
                    return Ok(value);
                }
                '\\' if quote == '"' => value.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 'r')) => '\r',
                    Some((_, 't')) => '\t',
                    Some((_, c @ ('"' | '\\' | '$'))) => c,
                    _ => return Err(r#"has a `\` before what is none of `n`, `r`, `t`, `"`, `\` and `$`"#),
                }),
                c => value.push(c),
            }
        }
        Err("has a quote that is not closed")
    }

    fn ends_line(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with(['\n', '\r', '#'])
    }

    fn skip_spaces(&mut self) {
        self.take_while(|c| c == ' ' || c == '\t');
    }

    fn skip_line(&mut self) {
        self.rest = match self.rest.split_once('\n') {
            Some((_, rest)) => rest,
            None => "",
        };
        self.line += 1;
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, Vec<String>> {
        let shown = |values: BTreeMap<String, Hidden>| {
            values.into_iter().map(|(name, value)| (name, value.reveal().to_owned())).collect()
        };
        parse_dotenv(text).map(shown).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn values_are_read_as_the_page_says() {
        for (text, expected) in [
            ("", &[][..]),
            ("\n  \n# a=b\n\t# c\n", &[]),
            ("A=b", &[("A", "b")]),
            ("A=b\r\nC=d\r\n", &[("A", "b"), ("C", "d")]),
            ("\u{feff}A=b", &[("A", "b")]),
            ("export A=b\nexport  _C = d e ", &[("A", "b"), ("_C", "d e")]),
            ("A=", &[("A", "")]),
            ("A=#b", &[("A", "")]),
            ("A=b#c # d", &[("A", "b#c")]),
            (r"A=$HOME\n", &[("A", r"$HOME\n")]),
            ("A=1\nA=2", &[("A", "2")]),
            (r#"A="b \" \\ \n \$ # c" # d"#, &[("A", "b \" \\ \n $ # c")]),
            (r"A='b \n # $c'#", &[("A", r"b \n # $c")]),
            ("A=\"b\nc\"\nD='\n'\nE=f", &[("A", "b\nc"), ("D", "\n"), ("E", "f")]),
            ("A=b'c", &[("A", "b'c")]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(read(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn every_line_that_cannot_be_read_is_told_without_its_text() {
        let text = "A=1\nhunter2\n1A=hunter2\n\nB=\"hunter2\nC='hunter2' x\nD=\"\nhunter2\\x\"\n=hunter2\n";
        assert_eq!(
            read(text).unwrap_err(),
            [
                "line 2 has no `=` after its name",
                "line 3 does not begin with a name of letters, digits and `_`",
                "line 8 has no `=` after its name",
                "line 9 does not begin with a name of letters, digits and `_`",
            ]
        );
        assert_eq!(
            read("A='b\nc").unwrap_err(),
            ["line 1 has a quote that is not closed", "line 2 has no `=` after its name"]
        );
        assert_eq!(read("A=\"\\q\"").unwrap_err().len(), 1);
        assert_eq!(read("A='hunter2' x").unwrap_err(), ["line 1 goes on after the closing quote"]);
    }

    proptest! {
        #[test]
        fn any_text_is_answered_without_a_panic(text in r#"[A-Z='"\\\n\r# \PC]{0,80}"#) {
            let _ = read(&text);
        }

        #[test]
        fn single_quotes_keep_everything(value in r"[^']{0,60}") {
            prop_assert_eq!(read(&format!("A='{value}'")), Ok(vec![("A".to_owned(), value)]));
        }
    }
}
