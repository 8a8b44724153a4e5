//! What a record looks like, and what happens when nobody reads.

use super::*;
use crate::RequestId;
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

struct Channel(mpsc::Sender<Vec<u8>>);

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let sent = self.0.send(bytes.to_vec());
        sent.map(|()| bytes.len()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn guest(text: &str) -> Record {
    Record::Guest(line(None, text))
}

fn message(context: &str, text: &str) -> Record {
    Record::Guest(line(Some(Logged { level: Level::Warn, context: context.into() }), text))
}

fn line(logged: Option<Logged>, text: &str) -> GuestLine {
    GuestLine {
        at: SystemTime::UNIX_EPOCH,
        app: "shop".into(),
        component: "api".into(),
        request: RequestId::accept("r1"),
        stream: Stream::Stderr,
        logged,
        text: text.to_owned(),
    }
}

#[test]
fn the_level_and_the_context_of_a_message_are_fields() {
    let text = written(Format::Text, vec![message("d\nb", "slow"), message("", "{\"a\": 1}\nx")]);
    assert_eq!(text, "shop/api r1 WARN d\\nb: slow\nshop/api r1 WARN {\"a\": 1}\\nx\n");
    let json = written(Format::Json, vec![message("d\nb", "{\"a\": 1}\nx"), guest("WARN db: printed")]);
    let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["level"], &lines[0]["context"]), (&"warn".into(), &"d\nb".into()));
    assert_eq!(lines[0]["text"], "{\"a\": 1}\nx");
    assert_eq!((&lines[0]["app"], &lines[0]["component"]), (&"shop".into(), &"api".into()));
    assert_eq!(lines[0]["request"], "r1");
    assert!(lines[1].get("level").is_none() && lines[1].get("context").is_none(), "{}", lines[1]);
}

fn access() -> Record {
    Record::Access(Access {
        at: SystemTime::UNIX_EPOCH,
        request: RequestId::accept("r1").unwrap(),
        client: "127.0.0.1:9".into(),
        method: "GET".into(),
        host: "localhost".into(),
        path: "/a\nb".into(),
        status: 200,
        component: Some(("shop".into(), "api".into())),
        response_bytes: 5,
        duration: Duration::from_micros(1500),
        error: Some("WHARF-0003"),
    })
}

fn written(format: Format, records: Vec<Record>) -> String {
    let (sender, receiver) = mpsc::channel();
    let writer = Log::start(format, Box::new(Channel(sender))).unwrap();
    for record in records {
        writer.log().write(record);
    }
    drop(writer);
    String::from_utf8(receiver.iter().flatten().collect()).unwrap()
}

#[test]
fn text_lines_cannot_be_forged_by_a_guest_or_a_client() {
    let text = written(Format::Text, vec![guest("hi\u{1b}[2J\tx"), access()]);
    assert_eq!(
        text,
        "shop/api r1 hi\\u{1b}[2J\tx\n\
         1970-01-01T00:00:00.000Z 127.0.0.1:9 GET localhost/a\\nb 200 5B 1.500ms shop/api r1 WHARF-0003\n"
    );
}

#[test]
fn json_lines_are_one_object_each() {
    let text = written(Format::Json, vec![guest("a\nb"), access()]);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["text"], "a\nb");
    assert_eq!(lines[0]["stream"], "stderr");
    assert_eq!(lines[1]["duration_us"], 1500);
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_full_queue_drops_the_newest_and_says_how_many() {
    let log = Log(Arc::new(Shared { queue: Mutex::default(), filled: Condvar::new() }));
    for _ in 0..CAPACITY + 3 {
        log.write(guest("x"));
    }
    let (records, dropped, _) = log.0.take();
    assert_eq!((records.len(), dropped), (CAPACITY, 3));
}

#[test]
fn a_closed_sink_ends_the_writer_and_callers_go_on() {
    let (sender, receiver) = mpsc::channel();
    drop(receiver);
    let writer = Log::start(Format::Text, Box::new(Channel(sender))).unwrap();
    writer.log().write(guest("x"));
    while !writer.log().0.lock().closed {
        std::thread::yield_now();
    }
    writer.log().write(guest("y"));
}
