//! An API gateway: `/orders/…` and `/stock/…` go to a server each, `/both/…` to both at once.
//!
//! Bodies pass through without being in this component's memory: what arrives is handed on as the stream that it is.

mod both;
mod upstream;

use upstream::Upstream;
use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{wit_future, wit_stream};

wasip3::http::service::export!(Gateway);

struct Gateway;

impl Guest for Gateway {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        let (first, rest) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
        let rest = format!("/{rest}");
        match first {
            "orders" => Upstream::named("ORDERS")?.forward(request, &rest).await,
            "stock" => Upstream::named("STOCK")?.forward(request, &rest).await,
            "both" => both::ask(&rest).await,
            _ => Ok(text(404, "there are /orders/, /stock/ and /both/\n".to_owned())),
        }
    }
}

/// Returns a short answer of the gateway itself.
fn text(status: u16, text: String) -> Response {
    let headers = Fields::new();
    let _ = headers.append("content-type", b"text/plain; charset=utf-8");
    let (mut body, contents) = wit_stream::new();
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(headers, Some(contents), trailers);
    let _ = response.set_status_code(status);
    wasip3::spawn(async move {
        body.write_all(text.into_bytes()).await;
    });
    response
}
