//! Stands between `front` and `shapes`: passes `test:shapes/powers` on. Asked by HTTP, it answers with its own environment variable `NAME`.

use wasip2::exports::http::incoming_handler::Guest as Handler;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

wit_bindgen::generate!({
    path: "../shapes/wit",
    inline: "
        package test:relay;
        world relay {
            import test:shapes/powers@1.2.0;
            export test:shapes/powers@1.2.0;
        }
    ",
    world: "test:relay/relay",
    generate_all,
});

use exports::test::shapes::powers::Guest;
use test::shapes::powers;

export!(Relay);
wasip2::http::proxy::export!(Relay);

struct Relay;

impl Guest for Relay {
    fn environment(name: String) -> Option<String> {
        powers::environment(&name)
    }

    fn count(key: String) -> Result<u64, String> {
        powers::count(&key)
    }
}

impl Handler for Relay {
    fn handle(_: IncomingRequest, out: ResponseOutparam) {
        let text = format!("{:?}", std::env::var("NAME").ok());
        let response = OutgoingResponse::new(Fields::new());
        let Ok(body) = response.body() else { return };
        ResponseOutparam::set(out, Ok(response));
        if let Ok(stream) = body.write() {
            let _ = stream.blocking_write_and_flush(text.as_bytes());
        }
        let _ = OutgoingBody::finish(body, None);
    }
}
