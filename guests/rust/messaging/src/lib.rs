//! A WASI 0.2 HTTP handler that sends messages and logs: `/send?label=L&topic=T&data=D`, `/ask?label=L&topic=T&data=D&replies=N&timeout=MS`,
//! `/publish?topic=T&data=D` and `/request?topic=T&data=D&timeout=MS` of wasmCloud's interface, and `/log?context=C&message=M`, which logs
//! at every level.

use query::Query;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

wit_bindgen::generate!({
    path: ["../../../wit/messaging-0.2.0-draft", "../../../wit/wasmcloud-messaging-0.2.0", "../../../wit/logging"],
    inline: "
        package wharf:messaging-guest;
        world messaging {
            import wasi:messaging/producer@0.2.0-draft;
            import wasi:messaging/request-reply@0.2.0-draft;
            import wasmcloud:messaging/consumer@0.2.0;
            import wasi:logging/logging@0.1.0-draft;
        }
    ",
    generate_all,
});

use wasi::logging::logging::{Level, log};
use wasi::messaging::producer;
use wasi::messaging::request_reply::{self, RequestOptions};
use wasi::messaging::types::{Client, Error, Message};
use wasmcloud::messaging::consumer;
use wasmcloud::messaging::types::BrokerMessage;

wasip2::http::proxy::export!(Messaging);

struct Messaging;

impl Guest for Messaging {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let query = Query::parse(&request.path_with_query().unwrap_or_default());
        let text = match query.path() {
            "/send" => send(&query).map_or_else(|error| format!("{error:?}\n"), |()| "sent\n".to_owned()),
            "/ask" => ask(&query).unwrap_or_else(|error| format!("{error:?}\n")),
            "/publish" => publish(&query).map_or_else(|error| format!("{error}\n"), |()| "sent\n".to_owned()),
            "/request" => ask_consumer(&query).unwrap_or_else(|error| format!("{error}\n")),
            "/log" => {
                log_all(&query);
                "logged\n".to_owned()
            }
            path => format!("no case {path}\n"),
        };
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().expect("the first body");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("the first stream");
        let _ = stream.blocking_write_and_flush(text.as_bytes());
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}

fn field<'a>(query: &'a Query, name: &str) -> &'a str {
    query.text(name).unwrap_or_default()
}

fn number(query: &Query, name: &str) -> u32 {
    field(query, name).parse().unwrap_or(1)
}

/// Returns the message, with its own topic as metadata.
fn message(query: &Query) -> Message {
    let message = Message::new(field(query, "data").as_bytes());
    if let Some(content_type) = query.text("type") {
        message.set_content_type(content_type);
        message.add_metadata("sent-to", field(query, "topic"));
    }
    message
}

fn send(query: &Query) -> Result<(), Error> {
    let client = Client::connect(field(query, "label"))?;
    producer::send(&client, field(query, "topic"), message(query))
}

fn ask(query: &Query) -> Result<String, Error> {
    let client = Client::connect(field(query, "label"))?;
    let options = RequestOptions::new();
    options.set_expected_replies(number(query, "replies"));
    options.set_timeout_ms(number(query, "timeout"));
    let replies = request_reply::request(&client, field(query, "topic"), &message(query), Some(options))?;
    let line = |reply: &Message| format!("{}\n", String::from_utf8_lossy(&reply.data()));
    Ok(replies.iter().map(line).collect())
}

fn publish(query: &Query) -> Result<(), String> {
    consumer::publish(&BrokerMessage {
        subject: field(query, "topic").to_owned(),
        body: field(query, "data").as_bytes().to_vec(),
        reply_to: None,
    })
}

fn ask_consumer(query: &Query) -> Result<String, String> {
    let body = field(query, "data").as_bytes();
    let reply = consumer::request(field(query, "topic"), body, number(query, "timeout"))?;
    Ok(format!("{}\n", String::from_utf8_lossy(&reply.body)))
}

fn log_all(query: &Query) {
    for level in [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Critical] {
        log(level, field(query, "context"), field(query, "message"));
    }
}
