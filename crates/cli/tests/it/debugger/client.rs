//! A debugger that speaks GDB's remote protocol with LLDB's packets for WebAssembly.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long it waits for an answer: the bound of a broken test.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Client {
    connection: TcpStream,
}

impl Client {
    /// Connects, and agrees on packets without acknowledgements.
    pub(super) fn connect(address: SocketAddr) -> Self {
        let connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Self { connection };
        client.send("QStartNoAckMode");
        // What acknowledges the packet that switches it off.
        assert_eq!(client.byte(), b'+');
        assert_eq!(client.receive(), "OK");
        client.raw(b"+");
        client
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        // A server that has closed a broken session takes no more.
        let _ = self.connection.write_all(bytes);
    }

    pub(super) fn send(&mut self, packet: &str) {
        let sum = packet.bytes().fold(0_u8, u8::wrapping_add);
        self.raw(format!("${packet}#{sum:02x}").as_bytes());
    }

    pub(super) fn interrupt(&mut self) {
        self.raw(&[3]);
    }

    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.connection.read_exact(&mut byte).unwrap();
        byte[0]
    }

    /// Returns the next packet, with its repetitions written out.
    pub(super) fn receive(&mut self) -> String {
        while self.byte() != b'$' {}
        let mut text = String::new();
        loop {
            match self.byte() {
                b'#' => break,
                b'*' => {
                    let count = usize::from(self.byte()) - 29;
                    let last = text.chars().last().unwrap();
                    text.extend(std::iter::repeat_n(last, count));
                }
                b'}' => text.push(char::from(self.byte() ^ 0x20)),
                byte => text.push(char::from(byte)),
            }
        }
        self.byte();
        self.byte();
        text
    }

    pub(super) fn ask(&mut self, packet: &str) -> String {
        self.send(packet);
        self.receive()
    }

    #[track_caller]
    pub(super) fn ok(&mut self, packet: &str) {
        assert_eq!(self.ask(packet), "OK", "{packet}");
    }

    fn bytes(&mut self, packet: &str) -> Vec<u8> {
        let hex = self.ask(packet);
        assert!(!hex.starts_with('E'), "{packet}: {hex}");
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// Returns where the guest is, innermost first.
    pub(super) fn stack(&mut self) -> Vec<u64> {
        let bytes = self.bytes("qWasmCallStack:1");
        bytes.chunks_exact(8).map(|place| u64::from_le_bytes(place.try_into().unwrap())).collect()
    }

    pub(super) fn number(&mut self, packet: &str) -> u32 {
        u32::from_le_bytes(self.bytes(packet).try_into().unwrap())
    }

    pub(super) fn memory(&mut self, place: u64) -> u32 {
        self.number(&format!("m{place:x},4"))
    }

    /// Returns the names and addresses of the modules.
    pub(super) fn libraries(&mut self) -> Vec<(String, u64)> {
        let list = self.ask("qXfer:libraries:read::0,fff");
        let after = |text: &str, key: &str| text.split_once(key).unwrap().1.split('"').next().unwrap().to_owned();
        let libraries = list.split("<library ").skip(1).map(|library| {
            let address = after(library, "address=\"0x");
            (after(library, "name=\""), u64::from_str_radix(&address, 16).unwrap())
        });
        libraries.collect()
    }

    /// Returns where a module is, and all of its bytes.
    pub(super) fn module(&mut self, name: &str) -> (u64, Vec<u8>) {
        let libraries = self.libraries();
        let (_, base) = libraries.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{libraries:?}"));
        let mut module = Vec::new();
        loop {
            let mut packet = String::new();
            write!(packet, "m{:x},8000", base + module.len() as u64).unwrap();
            let hex = self.ask(&packet);
            if hex.starts_with('E') {
                return (*base, module);
            }
            module.extend((0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()));
        }
    }
}

/// Starts a program that waits for a debugger, and connects to it. Returns how to wait for its end, too.
pub(super) fn beside(mut program: Command) -> (impl FnOnce() -> Option<i32>, Client) {
    let mut child = program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let address = line.split("connect://").nth(1).and_then(|rest| rest.split('\'').next());
    let address = address.unwrap_or_else(|| panic!("no address in {line:?}")).parse().unwrap();
    let client = Client::connect(address);
    let end = move || {
        std::io::copy(&mut lines, &mut std::io::sink()).unwrap();
        child.wait().unwrap().code()
    };
    (end, client)
}
