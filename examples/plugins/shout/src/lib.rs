//! A plug-in in Rust: says it louder.

wit_bindgen::generate!({ path: "../wit", world: "plugin" });

export!(Shout);

struct Shout;

impl exports::docs::plugins::transform::Guest for Shout {
    fn apply(text: String) -> Result<String, String> {
        if text.is_empty() {
            return Err("there is nothing to shout".to_owned());
        }
        Ok(format!("{}!", text.to_uppercase()))
    }
}
