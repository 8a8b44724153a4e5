//! {{ name }}: the interface `greeter` of wit/world.wit.

wit_bindgen::generate!({ path: "wit", world: "library" });

use exports::local::{{ name-wit-snake }}::greeter::Guest;

export!(Library);

struct Library;

impl Guest for Library {
    fn greet(name: String) -> String {
        format!("Hello from Rust, {name}!")
    }
}
