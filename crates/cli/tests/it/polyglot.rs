//! The example `polyglot`: TypeScript calls Rust, which calls Python, which calls C.

use crate::support::wharf;
use wharf_testkit::{App, Server};

const COMPONENTS: [(&str, &str); 4] = [
    ("polyglot-web", "web/web.wasm"),
    ("polyglot-orders", "orders/target/wasm32-wasip2/release/orders.wasm"),
    ("polyglot-prices", "prices/prices.wasm"),
    ("polyglot-tax", "tax/tax.wasm"),
];

/// Starts the example, with its components where the builds would put them and its manifest as `change` makes it.
fn up(change: impl Fn(String) -> String) -> Server {
    let app = App::empty();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/polyglot/wharf.toml");
    app.write("wharf.toml", change(std::fs::read_to_string(manifest).unwrap()));
    for (guest, file) in COMPONENTS {
        std::fs::create_dir_all(app.path(file).parent().unwrap()).unwrap();
        app.copy_guest(guest, file);
    }
    wharf().up(app.folder()).start()
}

#[track_caller]
fn check(server: &Server, path: &str, status: u16, expected: &str) {
    let answer = server.get("shop", path);
    assert_eq!((answer.status(), answer.text().as_str()), (status, expected), "{path}\n{}", server.log());
}

/// Everything that crosses a border: lists of records, an enum, a handle and its way back, and the error of each of the four.
fn makes_bills(server: &Server) {
    let bill = "2 apple       0.70 +   0.05 tax\n\
                1 novel      12.99 +   0.65 tax\n\
                total        13.69 +   0.70 tax\n";
    check(server, "/?2+apple&1+novel", 200, bill);
    // One line for both, and a discount for ten.
    let many = "10 bread     26.60 +   1.86 tax\n\
                total        26.60 +   1.86 tax\n";
    check(server, "/?4+bread&6+Bread", 200, many);
    check(server, "/", 400, "nothing was ordered; try /?2+apple&1+novel\n");
    check(server, "/?two+apples", 400, "\"two apples\" is no number and an article\n");
    check(server, "/?1+apple&1+p%C3%A4r", 404, "there is no pär\n");
    check(server, "/?4+lamp", 409, "there are only 3 of lamp\n");
    check(server, "/?1+apple&1+palace", 422, "the tax of palace is beyond what can be counted\n");
    check(server, "/?2+apple&1+novel", 200, bill);
}

#[test]
fn four_languages_are_one_component() {
    makes_bills(&up(|manifest| manifest));
}

#[test]
fn four_languages_are_four_instances() {
    let isolated = |manifest: String| {
        ["orders", "prices", "tax"].iter().fold(manifest, |manifest, name| {
            let fused = format!("{{ component = \"{name}\" }}");
            assert!(manifest.contains(&fused), "{name}\n{manifest}");
            manifest.replace(&fused, &format!("{{ component = \"{name}\", link = \"isolated\" }}"))
        })
    };
    makes_bills(&up(isolated));
}
