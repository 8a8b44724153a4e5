//! What components log, as the operator and the operator's machines read it.

use crate::support::wharf;
use serde_json::{Value, json};
use wharf_testkit::{App, Server, service};

/// The levels of the interface, the least first.
const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "critical"];

/// The longest line that comes of a message.
const LINE_BYTES: usize = 8 * 1024;

/// What one request may log.
const REQUEST_BYTES: usize = 256 * 1024;

/// Serves an app with the guest that logs one message at every level. It is granted nothing.
fn serve(format: &str) -> Server {
    let app = App::new(&format!("name = \"shop\"\n{}", service("api", "messaging", "")));
    wharf().up(app.folder()).with(&format!("--log-format {format} --access-log off")).start()
}

/// Has a message logged at every level, and returns the id of the request.
fn log(server: &Server, context: &str, message: &str) -> String {
    let answer = server.get("api", &format!("/log?context={context}&message={message}"));
    assert_eq!((answer.status(), answer.text().as_str()), (200, "logged\n"), "{}", server.log());
    answer.header("x-request-id").unwrap().to_owned()
}

/// Returns the lines of a request, of which only the last has all of `last` in it.
fn lines_of(server: &Server, request: &str, last: &[&str]) -> Vec<Value> {
    // The log is not shown: it may be long.
    assert!(server.find_logged(&[&[request], last].concat()).is_some(), "no {last:?} was logged");
    let lines = server.log();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    lines.filter(|line| line["request"] == request).collect()
}

#[test]
fn a_message_is_one_line_with_its_names() {
    let server = serve("text");
    let id = log(&server, "db%0Ashop", "slow%0D%0A%1B[2J%0A");
    for level in LEVELS {
        let line = format!("{} db\\nshop: slow\\r\\n\\u{{1b}}[2J", level.to_uppercase());
        assert_eq!(server.logged(&line), format!("shop/api {id} {line}"));
    }
    let id = log(&server, "", "plain");
    assert_eq!(server.logged("CRITICAL plain"), format!("shop/api {id} CRITICAL plain"));
    assert_eq!(server.log().lines().filter(|line| line.starts_with("shop/api ")).count(), 2 * LEVELS.len());
}

#[test]
fn a_message_is_an_object_with_its_level_and_context_as_fields() {
    let server = serve("json");
    // What looks like fields is the text of a message, and nothing of it becomes a field.
    let id = log(&server, "db%0Ashop", "%7B%22level%22:%22off%22%7D%0D%0A%1B[2J%0A");
    let mut lines = lines_of(&server, &id, &["critical"]);
    for line in &mut lines {
        let at = line.as_object_mut().unwrap().remove("at").unwrap();
        assert!(at.as_str().is_some_and(|at| at.ends_with('Z')), "{at}");
    }
    let expected = LEVELS.map(|level| {
        json!({
            "kind": "guest", "app": "shop", "component": "api", "request": id, "stream": "stderr",
            "level": level, "context": "db\nshop", "text": "{\"level\":\"off\"}\r\n\u{1b}[2J",
        })
    });
    assert_eq!(lines, expected);
    let id = log(&server, "", "plain");
    assert!(lines_of(&server, &id, &["critical"]).iter().all(|line| line["context"] == "" && line["text"] == "plain"));
}

#[test]
fn a_long_message_is_several_lines_which_each_say_what_they_are() {
    let (context, message) = ("c".repeat(200), "0123456789".repeat(2_000) + "end");
    let kept = format!("{}…", &context[..128]);
    let server = serve("json");
    let id = log(&server, &context, &message);
    let lines = lines_of(&server, &id, &["critical", "end"]);
    for level in LEVELS {
        let texts: Vec<&str> =
            lines.iter().filter(|line| line["level"] == level).map(|line| line["text"].as_str().unwrap()).collect();
        assert_eq!((texts.len(), texts.concat()), (3, message.clone()), "{level}");
        assert!(texts.iter().all(|text| kept.len() + text.len() <= LINE_BYTES), "{level}");
    }
    assert!(lines.iter().all(|line| line["context"] == kept.as_str()) && lines.len() == 3 * LEVELS.len());
    let server = serve("text");
    let id = log(&server, &context, &message);
    server.find_logged(&[&id, "CRITICAL", "end"]).unwrap();
    let log = server.log();
    let head = format!("shop/api {id} ");
    let lines: Vec<&str> = log.lines().filter_map(|line| line.strip_prefix(&head)).collect();
    assert_eq!(lines.len(), 3 * LEVELS.len());
    assert!(lines.iter().all(|line| line.len() <= LINE_BYTES && line.contains(&format!(" {kept}: "))));
}

#[test]
fn what_one_request_logs_is_bounded_and_the_next_one_logs_again() {
    let server = serve("json");
    // At six levels that is more than one request may log.
    let id = log(&server, "flood", &"y".repeat(50_000));
    let lines = lines_of(&server, &id, &["was left out]"]);
    let texts = || lines.iter().map(|line| line["text"].as_str().unwrap());
    assert!(texts().map(str::len).sum::<usize>() < REQUEST_BYTES, "{}", lines.len());
    assert!(lines.iter().filter(|line| line["level"] == "trace").count() > 1);
    let [.., said, counted] = &lines[..] else { panic!("{} lines", lines.len()) };
    assert_eq!(said["text"], "[more than 256 KiB or 4096 lines; the rest is left out]");
    assert_eq!(counted["text"], "[1 line was left out]");
    // The host's own words have no level.
    assert!(said.get("level").is_none() && counted.get("context").is_none());
    let id = log(&server, "after", "again");
    assert_eq!(lines_of(&server, &id, &["critical"]).len(), LEVELS.len());
}
