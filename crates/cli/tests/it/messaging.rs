//! Messages of components: over the broker in the node, and over NATS by the operator's word.

use crate::support::wharf;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use wharf_testkit::services::Nats;
use wharf_testkit::{App, Server, service, until};

/// A client of NATS that is subscribed to everything of the app.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(nats: &Nats) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", nats.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut client = Self(BufReader::new(stream));
        client.say("CONNECT {\"verbose\":false}\r\nSUB shop.> 1\r\nPING\r\n");
        while client.line() != "PONG" {}
        client
    }

    fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Returns the subject, the data and where a reply goes.
    fn next(&mut self) -> (String, String, Option<String>) {
        loop {
            let line = self.line();
            let words: Vec<&str> = line.split(' ').collect();
            if words[0] != "MSG" {
                continue;
            }
            let mut data = vec![0; words.last().unwrap().parse::<usize>().unwrap() + 2];
            self.0.read_exact(&mut data).unwrap();
            data.truncate(data.len() - 2);
            let reply = (words.len() == 5).then(|| words[3].to_owned());
            return (words[1].to_owned(), String::from_utf8(data).unwrap(), reply);
        }
    }

    /// Answers the next message.
    fn answer(&mut self, text: &str) -> String {
        let (subject, _, reply) = self.next();
        self.say(&format!("PUB {} {}\r\n{text}\r\n", reply.unwrap(), text.len()));
        subject
    }
}

/// An app with the guest that sends messages.
fn app() -> App {
    let grants = "[component.c.grants]\nmessaging = [\"default\", \"orders\"]";
    App::new(&format!("name = \"shop\"\n{}", service("c", "messaging", grants)))
}

fn text(server: &Server, path: &str) -> String {
    server.get("c", path).text()
}

#[test]
fn without_an_operators_word_messages_go_to_a_broker_in_the_node() {
    let app = app();
    let server = wharf().up(app.folder()).start();
    assert_eq!(text(&server, "/send?label=orders&topic=order.created&data=x&type=text/plain"), "sent\n");
    assert_eq!(text(&server, "/publish?topic=order.created&data=x"), "sent\n");
    for path in ["/ask?label=orders&topic=a&replies=1&timeout=9000", "/request?topic=a&timeout=9000"] {
        let answer = text(&server, path);
        assert!(answer.contains("nobody answers `a`"), "{answer}");
    }
    let denied = text(&server, "/send?label=other&topic=a&data=x");
    assert!(denied.starts_with("Error::PermissionDenied"), "{denied}");
    server.logged("messaging = [\"default\", \"orders\", \"other\"]");
    for topic in ["", "a..b", "a.*", "%3E", "$SYS.a", "_INBOX.a", "a/b", "a%0D%0APUB", "a%00"] {
        let refused = text(&server, &format!("/send?label=orders&topic={topic}&data=x"));
        assert!(refused.starts_with("Error::Other(\"a topic "), "{topic}: {refused}");
    }
}

#[test]
fn an_operator_binds_labels_to_nats() {
    let Some(nats) = Nats::start() else { return };
    let app = app();
    let place = format!("backend = \"nats\"\nurl = \"{}\"\n", nats.url());
    app.write("node.toml", format!("[messaging.default]\n{place}[app.shop.messaging.orders]\n{place}"));
    let mut client = Client::connect(&nats);
    let server = wharf().up(app.folder()).start();
    assert_eq!(text(&server, "/send?label=orders&topic=order.created&data=hello&type=text/plain"), "sent\n");
    assert_eq!(client.next(), ("shop.orders.order.created".to_owned(), "hello".to_owned(), None));
    assert_eq!(text(&server, "/publish?topic=a&data=there"), "sent\n");
    assert_eq!(client.next(), ("shop.default.a".to_owned(), "there".to_owned(), None));
    let paths = ["/ask?label=orders&topic=ask&data=1&replies=1&timeout=9000", "/request?topic=ask&data=1&timeout=9000"];
    for (path, subject) in paths.iter().zip(["shop.orders.ask", "shop.default.ask"]) {
        let answered = std::thread::scope(|scope| {
            let answering = scope.spawn(|| client.answer("forty-two"));
            assert_eq!(text(&server, path), "forty-two\n");
            answering.join().unwrap()
        });
        assert_eq!(answered, subject);
    }
    nats.kill();
    let away = || text(&server, "/send?label=orders&topic=a&data=x").starts_with("Error::Connection");
    until("the loss is noticed", away);
    assert_eq!(text(&server, "/nothing"), "no case /nothing\n");
    nats.restart();
    until("the server is found", || text(&server, "/send?label=orders&topic=a&data=x") == "sent\n");
}
