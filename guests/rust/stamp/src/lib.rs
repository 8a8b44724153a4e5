//! WASI 0.3 middleware: passes every request on, and adds `x-stamp` to its answer. `/stamp-only` it answers itself.

use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::wit_future;

wit_bindgen::generate!({
    path: "../../../wit/wasi-0.3",
    inline: "
        package test:stamp;
        world stamp {
            import wasi:http/handler@0.3.0;
        }
    ",
    world: "test:stamp/stamp",
    with: {
        "wasi:http/types@0.3.0": wasip3::http::types,
        "wasi:clocks/types@0.3.0": wasip3::clocks::types,
        "wasi:http/handler@0.3.0": generate,
    },
});

wasip3::http::service::export!(Stamp);

struct Stamp;

impl Guest for Stamp {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        if request.get_path_with_query().as_deref() == Some("/stamp-only") {
            let (_, trailers) = wit_future::new(|| Ok(None));
            let (response, _) = Response::new(Fields::new(), None, trailers);
            let _ = response.set_status_code(204);
            return Ok(response);
        }
        let response = wasi::http::handler::handle(request).await?;
        let status = response.get_status_code();
        let headers = response.get_headers().clone();
        let _ = headers.append("x-stamp", b"passed");
        // What was the body of the answer goes on as it comes.
        let (_, done) = wit_future::new(|| Ok(()));
        let (body, trailers) = Response::consume_body(response, done);
        let (stamped, _) = Response::new(headers, Some(body), trailers);
        let _ = stamped.set_status_code(status);
        Ok(stamped)
    }
}
