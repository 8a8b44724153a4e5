//! Problems as text for people, in the manner of the Rust compiler.

use std::fmt::{self, Write};

use crate::excerpt::Excerpt;
use crate::lines::LineIndex;
use crate::mask::mask_secrets;
use crate::{Problem, Severity, Span};

/// What is written before the coloured parts of the text, and after each of them.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Before `error` and what it underlines.
    pub error: &'static str,
    /// Before `warning` and what it underlines.
    pub warning: &'static str,
    /// Before the messages.
    pub message: &'static str,
    /// Before line numbers, arrows and related places.
    pub frame: &'static str,
    /// After each of them.
    pub reset: &'static str,
}

impl Palette {
    /// No colours.
    pub const PLAIN: Self = Self { error: "", warning: "", message: "", frame: "", reset: "" };

    /// Colours of a terminal.
    pub const ANSI: Self =
        Self { error: "\x1b[1;31m", warning: "\x1b[1;33m", message: "\x1b[1m", frame: "\x1b[1;34m", reset: "\x1b[0m" };
}

/// Returns all problems with the lines that they are about, in the order given, without colours.
///
/// `text` is the text that was parsed; spans that do not fit it are moved to its end. Control characters of the text
/// and of the messages are made visible, so that a manifest cannot play tricks on a terminal.
pub fn render(problems: &[Problem], file_name: &str, text: &str) -> String {
    render_with(problems, file_name, text, &Palette::PLAIN)
}

/// Does what [`render`] does, in colours.
pub fn render_with(problems: &[Problem], file_name: &str, text: &str, palette: &Palette) -> String {
    let mut out = String::new();
    let masked = mask_secrets(text);
    let text = &*masked;
    let page = Page { file_name, text, lines: LineIndex::new(text), palette };
    for (number, problem) in problems.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        page.write_problem(&mut out, problem).expect("writing to a string does not fail");
    }
    out
}

/// Returns errors where there is no text that could be shown.
pub fn render_without_text(problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        let _ = writeln!(text, "error[{}]: {}", problem.code, problem.message);
        for line in problem.help.iter().flat_map(|help| help.lines()) {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// Returns the line and the column of a byte, both from 1; columns count characters.
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let lines = LineIndex::new(text);
    let offset = floor(text, offset);
    let line = lines.line_of(offset);
    (line + 1, text[lines.start_of(line)..offset].chars().count() + 1)
}

struct Page<'a> {
    file_name: &'a str,
    text: &'a str,
    lines: LineIndex,
    palette: &'a Palette,
}

impl Page<'_> {
    fn write_problem(&self, out: &mut String, problem: &Problem) -> fmt::Result {
        let Palette { error, warning, message, frame, reset } = *self.palette;
        let (word, paint) = match problem.severity {
            Severity::Error => ("error", error),
            Severity::Warning => ("warning", warning),
        };
        let code = problem.code;
        writeln!(out, "{paint}{word}[{code}]{reset}{message}: {}{reset}", visible(&problem.message))?;
        let last_line = problem.related.iter().map(|(span, _)| span).chain([&problem.span]);
        let last_line = last_line.map(|span| self.lines.line_of(floor(self.text, span.start)) + 1).max().unwrap_or(1);
        let gutter = last_line.to_string().len();
        self.write_excerpt(out, gutter, ("-->", '^', paint), (&problem.span, &problem.label))?;
        for (span, label) in &problem.related {
            self.write_excerpt(out, gutter, (":::", '-', frame), (span, label))?;
        }
        if let Some(help) = &problem.help {
            writeln!(out, "{frame}{:gutter$} ={reset} {message}help{reset}: {}", "", visible(help))?;
        }
        Ok(())
    }

    fn write_excerpt(
        &self,
        out: &mut String,
        gutter: usize,
        (arrow, mark, paint): (&str, char, &str),
        (span, label): (&Span, &str),
    ) -> fmt::Result {
        let Palette { frame, reset, .. } = *self.palette;
        let start = floor(self.text, span.start);
        let end = floor(self.text, span.end).max(start);
        let line = self.lines.line_of(start);
        let line_start = self.lines.start_of(line);
        let content = self.lines.content(self.text, line);
        let (number, column) = (line + 1, self.text[line_start..start].chars().count() + 1);
        let excerpt = Excerpt::new(content, start - line_start, end - line_start);
        let label = visible(label);
        writeln!(out, "{:gutter$}{frame}{arrow}{reset} {}:{number}:{column}", "", visible(self.file_name))?;
        writeln!(out, "{frame}{:gutter$} |{reset}", "")?;
        let source = format!("{frame}{number:>gutter$} |{reset} {}", excerpt.text);
        writeln!(out, "{}", source.trim_end())?;
        let note = format!("{} {}", mark.to_string().repeat(excerpt.width), label);
        writeln!(out, "{frame}{:gutter$} |{reset} {:2$}{paint}{3}{reset}", "", "", excerpt.indent, note.trim_end())
    }
}

/// Returns the offset, or the nearest one before it that the text can be cut at.
fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}

/// Returns the text with its control and direction characters replaced.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(visible_char).collect()
}

/// Returns a character that can be shown in place of `c`.
pub(crate) fn visible_char(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => '\u{fffd}',
        _ => c,
    }
}
