//! A command that says what it may use. Each two arguments are a look at one capability, and each look is a line.
//!
//! `keyvalue LABEL` counts its runs there, `sql LABEL` adds a row and counts all, `blobstore LABEL` and
//! `messaging LABEL` look and send there, `config KEY` and `secret NAME` print what there is.

use std::env;

wit_bindgen::generate!({
    path: [
        "../../../wit/keyvalue-0.2.0-draft",
        "../../../wit/sql",
        "../../../wit/wasi-0.2/deps/io.wit",
        "../../../wit/blobstore",
        "../../../wit/messaging-0.2.0-draft",
        "../../../wit/config-0.2.0-rc.1",
        "../../../wit/secrets",
    ],
    inline: "
        package wharf:granted-guest;
        world granted {
            import wasi:keyvalue/store@0.2.0-draft;
            import wasi:keyvalue/atomics@0.2.0-draft;
            import wharf:sql/database@0.1.0;
            import wasi:blobstore/blobstore@0.2.0-draft;
            import wasi:messaging/producer@0.2.0-draft;
            import wasi:config/store@0.2.0-rc.1;
            import wharf:secrets/store@0.1.0;
            import wharf:secrets/reveal@0.1.0;
        }
    ",
    generate_all,
});

use wasi::{blobstore, config, keyvalue, messaging};
use wharf::{secrets, sql};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    for look in args.chunks(2) {
        let [what, name] = look else { panic!("{look:?} are no two arguments") };
        let answer = match what.as_str() {
            "keyvalue" => count(name),
            "sql" => rows(name),
            "blobstore" => blobstore::blobstore::get_container(name).map(|_| "there".to_owned()),
            "messaging" => send(name),
            "config" => config::store::get(name).map(|value| format!("{value:?}")).map_err(|error| format!("{error:?}")),
            "secret" => secret(name),
            other => panic!("{other} is no capability"),
        };
        println!("{what} {name}: {}", answer.unwrap_or_else(|error| format!("error: {error}")));
    }
}

fn count(label: &str) -> Result<String, String> {
    let bucket = keyvalue::store::open(label).map_err(|error| format!("{error:?}"))?;
    let before = bucket.get("runs").map_err(|error| format!("{error:?}"))?;
    let sum = keyvalue::atomics::increment(&bucket, "runs", 1).map_err(|error| format!("{error:?}"));
    sum.map(|sum| sum.to_string()).map_err(|error| format!("{error} after {}", before.map_or(0, |value| value.len())))
}

fn rows(label: &str) -> Result<String, String> {
    let failed = |error: sql::database::Error| format!("{error:?}");
    let database = sql::database::open(label).map_err(failed)?;
    database.execute("CREATE TABLE IF NOT EXISTS runs (id INTEGER)", &[]).map_err(failed)?;
    database.execute("INSERT INTO runs VALUES (1)", &[]).map_err(failed)?;
    // What changes all of them says how many they are.
    database.execute("UPDATE runs SET id = 2", &[]).map(|rows| rows.to_string()).map_err(failed)
}

fn send(label: &str) -> Result<String, String> {
    let failed = |error: messaging::types::Error| format!("{error:?}");
    let client = messaging::types::Client::connect(label).map_err(failed)?;
    let message = messaging::types::Message::new(b"hello");
    messaging::producer::send(&client, "greetings", message).map(|()| "sent".to_owned()).map_err(failed)
}

fn secret(name: &str) -> Result<String, String> {
    let secret = secrets::store::get(name).map_err(|error| format!("{error:?}"))?;
    match secrets::reveal::reveal(&secret) {
        secrets::reveal::SecretValue::Text(text) => Ok(text),
        secrets::reveal::SecretValue::Bytes(bytes) => Ok(format!("{} bytes", bytes.len())),
    }
}
