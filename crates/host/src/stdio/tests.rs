//! Which lines come of which writes.

use super::*;
use std::io::Write;
use wharf_telemetry::log::Format;

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn lines(writes: &[&[u8]]) -> Vec<String> {
    let written = Shared::default();
    let writer = Log::start(Format::Text, Box::new(written.clone())).unwrap();
    let sink = LineSink::new(writer.log(), "a".into(), "c".into(), None, Stream::Stdout);
    for bytes in writes {
        sink.push(bytes);
    }
    drop(sink);
    drop(writer);
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| line.trim_start_matches("a/c - ").to_owned()).collect()
}

#[test]
fn a_line_may_come_in_pieces_and_the_last_needs_no_end() {
    assert_eq!(lines(&[b"he", b"llo\r\nwor", b"ld", b"\n", b"\n", b"end"]), ["hello", "world", "", "end"]);
}

#[test]
fn empty_writes_cost_nothing_and_print_nothing() {
    assert!(lines(&[b"", b"", b""]).is_empty());
}

#[test]
fn a_long_line_is_cut_and_a_flood_is_stopped() {
    let long = vec![b'x'; LINE_BYTES + 1];
    assert_eq!(lines(&[&long]).iter().map(String::len).collect::<Vec<_>>(), [LINE_BYTES, 1]);
    let flood = vec![b'y'; INVOCATION_BYTES + 1];
    let lines = lines(&[&flood, b" and\nmore\n"]);
    assert_eq!(lines.len(), INVOCATION_BYTES / LINE_BYTES + 2);
    let said = ["[more than 256 KiB or 4096 lines; the rest is left out]", "[2 lines were left out]"];
    assert_eq!(lines[lines.len() - 2..], said);
}

#[test]
fn a_flood_of_short_lines_is_stopped_and_counted_once() {
    let short = b"\n".repeat(1000);
    let lines = lines(&[&short, &short, &short, &short, &short, b"end"]);
    assert_eq!(lines.len(), INVOCATION_LINES + 2);
    assert!(lines[..INVOCATION_LINES].iter().all(String::is_empty));
    assert_eq!(lines[INVOCATION_LINES + 1], "[905 lines were left out]");
    assert_eq!(self::lines(&[&b"x\n".repeat(INVOCATION_LINES)]).len(), INVOCATION_LINES);
}

#[test]
fn bytes_that_are_no_text_are_shown_and_not_lost() {
    assert_eq!(lines(&[b"a\xffb\n"]), ["a\u{fffd}b"]);
}
