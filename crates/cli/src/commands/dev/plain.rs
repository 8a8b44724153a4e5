//! Texts of terminals without their colours, for pages.

/// Returns a text without the sequences that steer a terminal.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\x1b' => skip_sequence(&mut rest),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Skips `[…m` and what is like it: up to the first letter.
fn skip_sequence(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    if ahead.next() != Some('[') {
        return;
    }
    *rest = ahead;
    for c in rest.by_ref() {
        if ('\x40'..='\x7e').contains(&c) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn colours_go_and_text_stays() {
        assert_eq!(plain("\x1b[1;31merror\x1b[0m[E1]: a\tb\r\n\x1b7é\x1b["), "error[E1]: a\tb\n7é");
    }
}
