//! {{ name }}: a command. `wharf run target/wasm32-wasip2/release/{{ name }}.wasm world`

fn main() {
    let who = std::env::args().nth(1).unwrap_or_else(|| "Rust".to_owned());
    println!("Hello from {who}!");
}
