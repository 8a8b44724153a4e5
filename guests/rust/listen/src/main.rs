//! Listens on the address of its first argument, and sends back what the first one who connects sends.

use std::io::{Read, Write};
use std::net::TcpListener;

fn main() {
    let address = std::env::args().nth(1).unwrap_or_default();
    match echo(&address) {
        Ok(count) => println!("echoed {count} bytes"),
        Err(error) => println!("{error}"),
    }
}

fn echo(address: &str) -> std::io::Result<usize> {
    let (mut stream, _) = TcpListener::bind(address)?.accept()?;
    let mut bytes = [0; 64];
    let count = stream.read(&mut bytes)?;
    stream.write_all(&bytes[..count])?;
    Ok(count)
}
