//! Writes what the engine says of a failed guest for people: the reason, then the guest's own stack, with the lines of its sources.
//!
//! In: an error of the engine. Out: text for the log and for `wharf run`; clients never see it. Next: [`crate::outcome`].

use std::fmt::{Display, Write};
use std::path::Path;
use wasmtime::{Error, FrameInfo, FrameSymbol, WasmBacktrace, WasmCoreDump};

/// What to do about a stack without lines: a build that optimises mostly strips them.
const WITHOUT_LINES: &str = "\nnote: there are no source lines, because the component was built without debug information. Rust: \
     `debug = \"line-tables-only\"` and `strip = false` in its profile of Cargo.toml; C: `-g` and no `-Wl,--strip-debug`; other \
     languages: docs/guide/debugging.md. This is said once for each component";

/// How the engine's own texts of what is written here begin.
const WRITTEN_HERE: [&str; 2] = ["error while executing at wasm backtrace", "wasm coredump generated while"];

/// Names come from the guest, and a short one can stand for a text of any length.
const NAME_BYTES: usize = 1024;
const SHOWN_BYTES: usize = 200;
const REASON_BYTES: usize = 16 << 10;

/// A guest's stack as text.
pub(crate) struct Trace {
    pub(crate) text: String,
    /// Whether a frame of it has no lines, and none has any.
    pub(crate) is_without_lines: bool,
}

/// Returns the note for a stack that has no lines.
pub(crate) fn note_without_lines() -> &'static str {
    WITHOUT_LINES
}

/// Says why a guest failed, with its frames.
pub fn explain(error: &Error) -> String {
    describe(error, None).text
}

/// Returns why the guest failed and where. Files below `sources` are shown from there.
///
/// Not the error's debug form, which can hold a backtrace of the host.
pub(crate) fn describe(error: &Error, sources: Option<&Path>) -> Trace {
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    let dump = error.downcast_ref::<WasmCoreDump>();
    let lines = error.chain().filter(|cause| {
        let start = bounded(cause, WRITTEN_HERE[0].len());
        !WRITTEN_HERE.iter().any(|written| start.starts_with(written.get(..start.len()).unwrap_or(written)))
    });
    let mut text = lines.map(|cause| bounded(&cause, REASON_BYTES)).collect::<Vec<_>>().join("\n");
    let frames = backtrace.map(WasmBacktrace::frames).or_else(|| dump.map(WasmCoreDump::frames)).unwrap_or_default();
    if frames.is_empty() {
        return Trace { text, is_without_lines: false };
    }
    text.push_str("\nwasm backtrace:");
    for (number, frame) in frames.iter().enumerate() {
        write_frame(&mut text, number, frame, sources);
    }
    let has_lines = frames.iter().flat_map(FrameInfo::symbols).any(|symbol| symbol.file().is_some());
    Trace { text, is_without_lines: !has_lines }
}

fn write_frame(text: &mut String, number: usize, frame: &FrameInfo, sources: Option<&Path>) {
    let whole = frame.func_name().map_or_else(|| format!("<function {}>", frame.func_index()), short);
    // One column for numbers, one for names: a stack is read downwards.
    let _ = write!(text, "\n{number:>5}: ");
    let Some((outermost, inlined)) = frame.symbols().split_last() else {
        let module = frame.module().name().unwrap_or("<unnamed module>");
        let _ = write!(text, "{whole}\n           in {module}");
        if let Some(offset) = frame.module_offset() {
            let _ = write!(text, " at {offset:#x}");
        }
        return;
    };
    for symbol in inlined {
        let name = symbol.name().map_or_else(|| "<inlined function>".to_owned(), short);
        let _ = write!(text, "{name} (inlined)");
        write_place(text, symbol, sources);
        text.push_str("\n       ");
    }
    let name = outermost.name().map_or(whole, short);
    text.push_str(&name);
    write_place(text, outermost, sources);
}

fn write_place(text: &mut String, symbol: &FrameSymbol, sources: Option<&Path>) {
    let Some(file) = symbol.file() else { return };
    let _ = write!(text, "\n           at {}", shown(file, sources));
    // Line 0 stands for code that no line made.
    if let Some(line) = symbol.line().filter(|line| *line > 0) {
        let _ = write!(text, ":{line}");
        if let Some(column) = symbol.column().filter(|column| *column > 0) {
            let _ = write!(text, ":{column}");
        }
    }
}

/// Returns a path as a person in `sources` would write it.
fn shown<'a>(file: &'a str, sources: Option<&Path>) -> &'a str {
    let inside = sources.and_then(|sources| Path::new(file).strip_prefix(sources).ok()?.to_str());
    // Rust's own sources are nowhere on this machine; the commit in their paths tells people nothing.
    let library = || file.strip_prefix("/rustc/")?.split_once('/').map(|(_commit, inside)| inside);
    inside.filter(|inside| !inside.is_empty()).or_else(library).unwrap_or(file)
}

/// Returns a name that fits on a line or two: generics repeat each other's types.
fn short(name: &str) -> String {
    let mut name = demangled(name);
    if name.len() > SHOWN_BYTES {
        name.truncate(name.floor_char_boundary(SHOWN_BYTES));
        name.push('…');
    }
    name
}

/// Returns a name as its language writes it; one that no language made stays as it is.
pub(crate) fn demangled(name: &str) -> String {
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        // Without the hash, which tells people nothing.
        return bounded(&format_args!("{rust:#}"), NAME_BYTES);
    }
    let mut text = Bounded { text: String::new(), bytes: NAME_BYTES };
    let options = cpp_demangle::DemangleOptions::default();
    match cpp_demangle::Symbol::new(name) {
        Ok(symbol) if symbol.structured_demangle(&mut text, &options).is_ok() || text.bytes == 0 => text.text,
        _ => bounded(&name, NAME_BYTES),
    }
}

fn bounded(value: &dyn Display, bytes: usize) -> String {
    let mut text = Bounded { text: String::new(), bytes };
    // An error says that the bound was met, and then this is all that is wanted.
    let _ = write!(text, "{value}");
    text.text
}

/// A text that takes so many bytes and then no more.
struct Bounded {
    text: String,
    bytes: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> std::fmt::Result {
        let taken = more.get(..more.floor_char_boundary(self.bytes)).unwrap_or_default();
        self.text.push_str(taken);
        if taken.len() == more.len() {
            self.bytes -= taken.len();
            return Ok(());
        }
        self.bytes = 0;
        Err(std::fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_their_languages_write_them() {
        for (mangled, name) in [
            ("_ZN4shop8checkout17h0123456789abcdefE", "shop::checkout"),
            ("_RNvCs1234_7mycrate3foo", "mycrate::foo"),
            ("_ZN3foo3barEi", "foo::bar(int)"),
            ("wasi:http/incoming-handler@0.2.0#handle", "wasi:http/incoming-handler@0.2.0#handle"),
            ("main", "main"),
        ] {
            assert_eq!(demangled(mangled), name);
        }
    }

    #[test]
    fn a_name_cannot_grow_without_bound() {
        // Each template has the one before as both of its arguments: f(A<int>, B<A<int>, A<int>>, …).
        let reference = |n: u32| {
            char::from_digit(2 * n, 36).map_or_else(String::new, |digit| format!("S{}_", digit.to_ascii_uppercase()))
        };
        let doubling: String = ('B'..='Q').zip(0..).map(|(c, n)| format!("1{c}I{0}{0}E", reference(n))).collect();
        let name = demangled(&format!("_Z1f1AIiE{doubling}"));
        assert!(name.starts_with("f(A<int>, B<A<int>, A<int> >, C<B<A<int>") && name.len() == NAME_BYTES, "{name}");
        assert_eq!(demangled(&"x".repeat(5000)).len(), NAME_BYTES);
    }

    #[test]
    fn paths_inside_the_project_begin_there() {
        let sources = Some(Path::new("/src/shop"));
        assert_eq!(shown("/src/shop/api/src/lib.rs", sources), "api/src/lib.rs");
        assert_eq!(shown("/src/shopping/src/lib.rs", sources), "/src/shopping/src/lib.rs");
        assert_eq!(shown("src/lib.rs", sources), "src/lib.rs");
        assert_eq!(shown("/src/shop", sources), "/src/shop");
        assert_eq!(shown("/a/b.rs", None), "/a/b.rs");
        assert_eq!(
            shown("/rustc/59807616e1fa/library/core/src/panicking.rs", sources),
            "library/core/src/panicking.rs"
        );
    }
}
