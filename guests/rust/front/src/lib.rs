//! A WASI 0.2 HTTP handler that calls `test:shapes`: `/add?a=N&b=N`, `/mirror`, `/checked?n=N`, `/counter`, `/fail?how=H`, `/hard`, `/calls`,
//! `/env?name=N`, `/count?key=K`, and `/laps?count=N`, the nanoseconds of so many calls of `add`.

use query::Query;
use std::time::Instant;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

wit_bindgen::generate!({
    path: "../shapes/wit",
    inline: "
        package test:front;
        world front {
            import test:shapes/api@1.2.0;
            import test:shapes/powers@1.2.0;
        }
    ",
    world: "test:front/front",
    generate_all,
});

use test::shapes::api::{self, Colour, Counter, Marks, Point, Shape};
use test::shapes::powers;

wasip2::http::proxy::export!(Front);

struct Front;

impl Guest for Front {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let query = Query::parse(&request.path_with_query().unwrap_or_default());
        let (status, text) = match answer(&query) {
            Ok(text) => (200, text),
            Err(text) => (500, text),
        };
        reply(out, status, text.as_bytes());
    }
}

fn answer(query: &Query) -> Result<String, String> {
    let number = |name: &str| u32::try_from(query.number(name, 0)).unwrap_or_default();
    Ok(match query.path() {
        "/add" => api::add(number("a"), number("b")).to_string(),
        "/mirror" => {
            let shapes = [Shape::Circle(7), Shape::At(Point { x: -1, y: 2 }), Shape::Nothing];
            let more = ("abc".to_owned(), Colour::Green, Marks::A | Marks::C);
            format!("{:?}", api::mirror(&shapes, Some((&more.0, &more.1, &more.2))))
        }
        "/checked" => {
            let n: i32 = query.text("n").and_then(|n| n.parse().ok()).unwrap_or_default();
            format!("{:?}", api::checked(n))
        }
        "/counter" => {
            let (one, two) = (Counter::new(1), Counter::new(10));
            let steps = [one.add(1), one.add(1), two.add(5)];
            let merged = Counter::merge(one, &two);
            format!("{steps:?} {}", merged.add(0))
        }
        "/fail" => {
            let first = api::fail(query.text("how").unwrap_or_default());
            format!("{first:?}, then {:?}", api::fail("fine"))
        }
        "/hard" => api::fail_hard().to_string(),
        "/calls" => format!("{} {}", api::calls(), api::calls()),
        "/env" => format!(
            "{:?} {:?}",
            std::env::var(query.text("name").unwrap_or_default()).ok(),
            powers::environment(query.text("name").unwrap_or_default())
        ),
        "/count" => powers::count(query.text("key").unwrap_or_default())?.to_string(),
        "/laps" => {
            let count = number("count").max(1);
            let started = Instant::now();
            let mut sum = 0u32;
            for n in 0..count {
                sum = api::add(sum, n);
            }
            format!("{} {sum}", started.elapsed().as_nanos())
        }
        path => return Err(format!("no case {path}")),
    })
}

fn reply(out: ResponseOutparam, status: u16, text: &[u8]) {
    let response = OutgoingResponse::new(Fields::new());
    let _ = response.set_status_code(status);
    let Ok(body) = response.body() else { return };
    ResponseOutparam::set(out, Ok(response));
    if let Ok(stream) = body.write() {
        let _ = stream.blocking_write_and_flush(text);
    }
    let _ = OutgoingBody::finish(body, None);
}
