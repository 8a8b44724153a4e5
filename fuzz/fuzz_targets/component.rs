//! Any bytes as a WebAssembly file: inspecting them never panics, and what is said about them is bounded and printable.

#![no_main]

use std::panic::Location;

use libfuzzer_sys::fuzz_target;
use wharf_component::{Error, PROVIDED, check, inspect, render_text};

/// Bytes that the facts may take as text whatever the file: WIT up to 4 MiB, and as much for the signatures of each of
/// imports, exports and entries.
const TEXT_LEN_MAX: usize = 20 << 20;

/// How often a byte of the file may be repeated: names are in imports, in the list of what is missing, in sentences.
const REPEATS_MAX: usize = 64;

fuzz_target!(init: report_panics_that_escape(), |bytes: &[u8]| {
    // What is taken apart came from the bytes, and the rest is small.
    if let Ok(unbundled) = wharf_unbundle::unbundle(bytes, 0) {
        let parts: usize = unbundled.modules.iter().map(|code| code.bytes.len()).sum();
        assert!(parts + unbundled.component.len() <= 1024 + REPEATS_MAX * bytes.len());
    }
    let facts = match inspect(bytes) {
        Ok(facts) => facts,
        Err(error) => return check_error(&error, bytes),
    };
    let bound = TEXT_LEN_MAX + REPEATS_MAX * bytes.len();
    let missing = check(&facts, PROVIDED);
    let text = render_text(&facts);
    assert!(!text.contains(unsafe_to_print), "{text:?}");
    let wit = facts.wit.replace('\t', " ");
    assert!(!wit.contains(unsafe_to_print), "{wit:?}");
    let json = [serde_json::to_string(&facts), serde_json::to_string(&missing), serde_json::to_string(&facts.verdict(&missing))];
    for text in json.map(|json| json.expect("values of our own have JSON")).iter().chain([&text]) {
        assert!(text.len() <= bound, "{} bytes of text from {} bytes", text.len(), bytes.len());
    }
    let counted: u64 = facts.sections.iter().map(|section| section.bytes).sum();
    assert_eq!((counted, facts.size_bytes), (bytes.len() as u64, bytes.len() as u64));
    assert_eq!(inspect(bytes).as_ref(), Ok(&facts), "the same bytes, the same facts");
});

fn check_error(error: &Error, bytes: &[u8]) {
    let text = error.to_string();
    assert!(!text.contains(unsafe_to_print), "{text:?}");
    assert!(text.len() <= 4096 + REPEATS_MAX * bytes.len());
    let _ = error.kind();
}

fn unsafe_to_print(c: char) -> bool {
    c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Lets `inspect` catch panics of the validator and the decoder, as it does in the program: libFuzzer's own hook would
/// end the process at once. A panic that nobody catches still ends it.
fn report_panics_that_escape() {
    std::panic::set_hook(Box::new(|info| {
        let is_known = |place: &Location<'_>| ["/wasmparser-", "/wit-"].iter().any(|name| place.file().contains(name));
        if !info.location().is_some_and(is_known) {
            eprintln!("{info}");
        }
    }));
}
