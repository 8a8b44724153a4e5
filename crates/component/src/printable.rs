//! Texts of a binary as they can be printed.
//!
//! Names in core modules, names of tools and documentation may have any character: without this, the report about a file
//! could steer the terminal that shows it, or add lines of its own.

/// Returns one line: control and direction characters are replaced.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// Returns a text of several lines; like [`line`], but line breaks and tabs stay.
pub(crate) fn lines(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '\n' | '\t') { c } else { visible(c) }).collect()
}

fn visible(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}
