//! Hides secrets in what is shown of a manifest.

use crate::nearest;
use std::borrow::Cow;
use toml::de::DeTable;

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
