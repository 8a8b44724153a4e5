//! WIT text of bounded length: a small binary can describe types whose text fills the memory.

use wit_component::{Output, WitPrinter};

use crate::printable;

/// The longest text of a whole interface. The standard worlds take 60 KB.
pub(crate) const MAX_WIT_BYTES: usize = 4 << 20;
/// The longest text of one type in a signature.
pub(crate) const MAX_TYPE_BYTES: usize = 4096;

/// Text that stops growing at a limit.
pub(crate) struct Bounded {
    text: String,
    limit: usize,
    indent: usize,
    is_line_start: bool,
    is_cut: bool,
}

/// A printer into bounded text.
pub(crate) fn printer(limit: usize) -> WitPrinter<Bounded> {
    WitPrinter::new(Bounded { text: String::new(), limit, indent: 0, is_line_start: false, is_cut: false })
}

impl Bounded {
    /// The text; none when it would have been longer than the limit.
    pub(crate) fn text(self) -> Option<String> {
        (!self.is_cut).then_some(self.text)
    }
}

impl Output for Bounded {
    fn push_str(&mut self, src: &str) {
        if self.is_cut || self.text.len() + src.len() > self.limit {
            self.is_cut = true;
        } else {
            // Documentation comes from a custom section, which nobody validates.
            self.text.push_str(&printable::lines(src));
        }
    }

    fn indent_if_needed(&mut self) -> bool {
        let is_line_start = std::mem::take(&mut self.is_line_start);
        if is_line_start {
            (0..self.indent).for_each(|_| self.push_str("  "));
        }
        is_line_start
    }

    fn indent_start(&mut self) {
        self.push_str(" {");
        self.indent += 1;
        self.newline();
    }

    fn indent_end(&mut self) {
        self.indent = self.indent.saturating_sub(1);
        self.indent_if_needed();
        self.push_str("}");
        self.newline();
    }

    fn newline(&mut self) {
        self.push_str("\n");
        self.is_line_start = true;
    }
}
