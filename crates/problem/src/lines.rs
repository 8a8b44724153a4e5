//! The lines of a text, by their numbers and by the bytes in them.

/// Where the lines of a text start.
#[derive(Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Finds the line breaks.
    pub fn new(text: &str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// Returns the line that a byte is in, from 0.
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// Returns where a line starts.
    ///
    /// # Panics
    ///
    /// When there is no such line.
    pub fn start_of(&self, line: usize) -> usize {
        self.starts[line]
    }

    /// Returns a line without its line break.
    pub(crate) fn content<'t>(&self, text: &'t str, line: usize) -> &'t str {
        let end = self.starts.get(line + 1).map_or(text.len(), |next| next - 1);
        let content = &text[self.starts[line]..end];
        content.strip_suffix('\r').unwrap_or(content)
    }
}
