//! Which lines come of which messages.

use super::logging::{Host as _, Level};
use super::*;
use crate::{Budget, Caller, Outbound, Recipe, Stdio};
use std::sync::{Arc, mpsc};
use wasmtime_wasi::WasiView;
use wharf_telemetry::RequestId;
use wharf_telemetry::log::{Format, Log};

struct Channel(mpsc::Sender<Vec<u8>>);

impl std::io::Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(bytes.to_vec()).map(|()| bytes.len()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns the text of what one invocation does.
fn written(format: Format, act: impl FnOnce(&mut Ctx)) -> String {
    let (sender, receiver) = mpsc::channel();
    let writer = Log::start(format, Box::new(Channel(sender))).unwrap();
    let recipe = Arc::new(Recipe::bare("a", "c", Stdio::Log(writer.log())));
    let caller = Caller { request: RequestId::accept("r1"), depth: 0, next: None };
    let mut ctx = Ctx::new(recipe, Arc::new(Outbound::denied("a".into(), "c".into())), caller, Budget::new(0), 8);
    act(&mut ctx);
    drop((ctx, writer));
    String::from_utf8(receiver.iter().flatten().collect()).unwrap()
}

/// Returns the lines of one invocation that logs these messages.
fn lines(messages: &[(&str, &str)]) -> Vec<String> {
    let text = written(Format::Text, |ctx| {
        for (context, message) in messages {
            let mut ctx = &mut *ctx;
            ctx.log(Level::Warn, (*context).to_owned(), (*message).to_owned()).unwrap();
        }
    });
    text.lines().map(|line| line.strip_prefix("a/c r1 ").unwrap().to_owned()).collect()
}

#[test]
fn a_message_is_a_line_with_app_component_request_level_and_context() {
    assert_eq!(lines(&[("db", "slow"), ("", "plain\n"), ("x", "")]), ["WARN db: slow", "WARN plain", "WARN x: "]);
    let json = written(Format::Json, |mut ctx| ctx.log(Level::Critical, "db".into(), "{\"a\": 1}\nb".into()).unwrap());
    assert_eq!(json.lines().count(), 1);
    let line: serde_json::Value = serde_json::from_str(&json).unwrap();
    for (field, value) in [
        ("kind", "guest"),
        ("app", "a"),
        ("component", "c"),
        ("request", "r1"),
        ("stream", "stderr"),
        ("level", "critical"),
        ("context", "db"),
        ("text", "{\"a\": 1}\nb"),
    ] {
        assert_eq!(line[field], value, "{field} in {json}");
    }
}

#[test]
fn what_was_printed_without_an_end_is_no_part_of_a_message() {
    let text = written(Format::Text, |mut ctx| {
        let handle = ctx.cli().get_stderr().unwrap();
        ctx.cli().table.get_mut(&handle).unwrap().write("printed".into()).unwrap();
        ctx.log(Level::Info, "c".into(), "logged".into()).unwrap();
    });
    assert_eq!(text, "a/c r1 printed\na/c r1 INFO c: logged\n");
}

#[test]
fn a_message_cannot_forge_a_line_or_steer_a_terminal() {
    let forged = [("db\na/c r1 ERROR x", "a\nb\r\n\u{1b}[2J\0\tc\u{85}d\r\n\n")];
    assert_eq!(lines(&forged), ["WARN db\\na/c r1 ERROR x: a\\nb\\r\\n\\u{1b}[2J\\u{0}\tc\\u{85}d"]);
}

#[test]
fn long_messages_are_cut_and_long_contexts_shortened() {
    let long = "ä".repeat(5000);
    let found = lines(&[(&long, &long)]);
    let context = format!("WARN {}…: ", "ä".repeat(CONTEXT_BYTES / 2));
    let texts: Vec<&str> = found.iter().filter_map(|line| line.strip_prefix(&context)).collect();
    assert_eq!((found.len(), texts.concat()), (2, long));
}

#[test]
fn a_flood_is_stopped_and_counted() {
    let found = lines(&vec![("c", "x"); 5000]);
    assert_eq!(found.len(), 4096 + 2);
    let said = ["[more than 256 KiB or 4096 lines; the rest is left out]", "[904 lines were left out]"];
    assert_eq!(found[4096..], said);
    let large = "y".repeat(1 << 20);
    let found = lines(&[("", &large), ("", "more")]);
    assert_eq!(found[found.len() - 1], "[2 lines were left out]");
    assert!(found.iter().all(|line| line.len() <= 8 * 1024) && found.len() < 40);
}

#[test]
fn a_guest_with_all_its_handles_can_log() {
    let text = written(Format::Text, |mut ctx| {
        while ctx.ctx().table.push(()).is_ok() {}
        ctx.log(Level::Info, String::new(), "written".into()).unwrap();
    });
    assert_eq!(text, "a/c r1 INFO written\n");
}

#[test]
fn the_process_has_messages_as_lines() {
    let logged = Logged { level: super::Level::Error, context: "d\nb".into() };
    assert_eq!(line(&logged, "a\u{1b}b"), "ERROR d\\nb: a\\u{1b}b\n");
    assert_eq!(line(&Logged { context: "".into(), ..logged }, "a"), "ERROR a\n");
}
