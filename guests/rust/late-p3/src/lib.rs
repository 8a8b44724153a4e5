//! `hello-p3` that can wait first, for benchmarks: `/late?ms=N`.

use std::time::Duration;
use wasip3::clocks::monotonic_clock;
use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{wit_future, wit_stream};

wasip3::http::service::export!(Late);

struct Late;

impl Guest for Late {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        let ms = path.strip_prefix("/late?ms=").and_then(|ms| ms.parse().ok());
        if let Some(ms) = ms {
            let wait = Duration::from_millis(ms).as_nanos() as u64;
            monotonic_clock::wait_for(wait).await;
        }
        let text: &[u8] = if ms.is_some() { b"late\n" } else { b"ok\n" };
        let headers = Fields::new();
        let _ = headers.append("content-type", b"text/plain; charset=utf-8");
        let (mut body, contents) = wit_stream::new();
        let (_, trailers) = wit_future::new(|| Ok(None));
        let (response, _sent) = Response::new(headers, Some(contents), trailers);
        wasip3::spawn(async move {
            body.write_all(text.to_vec()).await;
        });
        Ok(response)
    }
}
