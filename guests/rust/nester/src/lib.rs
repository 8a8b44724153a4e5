//! A WASI 0.3 HTTP handler that gives streams in a stream to `test:depot`, which no isolated link carries.

use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};

wit_bindgen::generate!({
    path: "../depot/wit",
    inline: "
        package test:nester;
        world nester {
            import test:depot/nest@1.0.0;
        }
    ",
    world: "test:nester/nester",
    generate_all,
});

use test::depot::depot::Part;
use test::depot::nest::{self, CrateOfParts};

wasip3::http::service::export!(Nester);

struct Nester;

impl Guest for Nester {
    async fn handle(_request: Request) -> Result<Response, ErrorCode> {
        let (mut crates, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            for number in 1..=3 {
                let (mut writer, parts) = wit_stream::new();
                let name = format!("crate {number}");
                crates.write_one(CrateOfParts { name: name.clone(), parts }).await;
                let part = || Part { name: name.clone(), sizes: Vec::new(), note: None };
                writer.write_all((0..number).map(|_| part()).collect()).await;
            }
        });
        let text = format!("{} parts", nest::unpack(reader).await);
        let (mut writer, contents) = wasip3::wit_stream::new();
        wit_bindgen::spawn(async move {
            writer.write_all(text.into_bytes()).await;
        });
        let (_, trailers) = wasip3::wit_future::new(|| Ok(None));
        Ok(Response::new(Fields::new(), Some(contents), trailers).0)
    }
}
