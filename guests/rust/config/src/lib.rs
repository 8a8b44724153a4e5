//! A WASI 0.2 HTTP handler that tells what it was configured with: `/config?key=K`, `/all`, `/env`, `/secret?name=N` (its SHA-256), and
//! `/hold?name=N`, which gets a secret and never looks at it.

use query::Query;
use sha2::{Digest as _, Sha256};
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

wit_bindgen::generate!({
    path: [
        "../../../wit/config-0.2.0-rc.1",
        "../../../wit/config-0.2.0-draft",
        "../../../wit/config-0.2.0-draft-2024-09-27",
        "../../../wit/secrets",
    ],
    inline: "
        package wharf:config-guest;
        world config {
            import wasi:config/store@0.2.0-rc.1;
            import wasi:config/store@0.2.0-draft;
            import wasi:config/runtime@0.2.0-draft;
            import wasi:config/store@0.2.0-draft-2024-09-27;
            import wharf:secrets/store@0.1.0;
            import wharf:secrets/reveal@0.1.0;
        }
    ",
    generate_all,
});

use wasi::{config0_2_0_draft as draft, config0_2_0_draft_2024_09_27 as dated, config0_2_0_rc_1 as rc1};
use wharf::secrets::reveal::{SecretValue, reveal};
use wharf::secrets::store;

wasip2::http::proxy::export!(Config);

struct Config;

impl Guest for Config {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let query = Query::parse(&request.path_with_query().unwrap_or_default());
        let name = query.text("name").unwrap_or_default();
        let text = match query.path() {
            "/config" => values(query.text("key").unwrap_or_default()),
            "/all" => lines(rc1::store::get_all().unwrap_or_default()),
            "/env" => lines(std::env::vars()),
            "/secret" => store::get(name).map_or_else(|error| format!("{error:?}\n"), |secret| digest(&secret)),
            "/hold" => store::get(name).map_or_else(|error| format!("{error:?}\n"), |secret| format!("{secret:?}\n")),
            path => format!("no case {path}\n"),
        };
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().expect("the first body");
        ResponseOutparam::set(out, Ok(response));
        if !text.is_empty() {
            let stream = body.write().expect("the first stream");
            let _ = stream.blocking_write_and_flush(text.as_bytes());
        }
        let _ = OutgoingBody::finish(body, None);
    }
}

/// Returns what each version of the interface says of a key, one a line.
fn values(key: &str) -> String {
    let all = [
        rc1::store::get(key).ok(),
        draft::store::get(key).ok(),
        draft::runtime::get(key).ok(),
        dated::store::get(key).ok(),
    ];
    all.map(|found| format!("{:?}\n", found.flatten())).concat()
}

fn lines(pairs: impl IntoIterator<Item = (String, String)>) -> String {
    pairs.into_iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

fn digest(secret: &store::Secret) -> String {
    let (kind, bytes) = match reveal(secret) {
        SecretValue::Text(text) => ("text", text.into_bytes()),
        SecretValue::Bytes(bytes) => ("bytes", bytes),
    };
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{kind} {digest}\n")
}
