//! HTTP/2 frame by frame, for what no client library sends. Source: RFC 9113, section 4.1, and RFC 7541.

/// What a connection starts with: the preface and empty settings.
pub fn start() -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(0x4, 0, 0, &[]));
    bytes
}

/// Returns the head of a GET request for `path` at host `host`, without a body.
pub fn get(stream: u32, host: &str, path: &str) -> Vec<u8> {
    frame(0x1, END_HEADERS | END_STREAM, stream, &fields(0x82, host, path))
}

/// Returns the head of a POST request whose body is still to come.
pub fn post(stream: u32, host: &str, path: &str) -> Vec<u8> {
    frame(0x1, END_HEADERS, stream, &fields(0x83, host, path))
}

/// Returns a frame that gives a request up.
pub fn reset(stream: u32) -> Vec<u8> {
    const CANCEL: u32 = 0x8;
    frame(RESET, 0, stream, &CANCEL.to_be_bytes())
}

/// Returns a frame that asks whether the other side is there.
pub fn ping() -> Vec<u8> {
    frame(PING, 0, 0, b"are you?")
}

/// Returns the answer to such a frame.
pub fn pong(payload: &[u8]) -> Vec<u8> {
    const ACK: u8 = 0x1;
    frame(PING, ACK, 0, payload)
}

/// Returns the last part of a request's body.
pub fn last_data(stream: u32, bytes: &[u8]) -> Vec<u8> {
    frame(DATA, END_STREAM, stream, bytes)
}

/// Returns a frame that opens a stream's window wide, or the connection's for stream 0.
pub fn window(stream: u32, bytes: u32) -> Vec<u8> {
    frame(0x8, 0, stream, &bytes.to_be_bytes())
}

/// Returns any frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The flag of a stream's last frame.
pub const END_STREAM: u8 = 0x1;

/// The flag of complete headers.
pub const END_HEADERS: u8 = 0x4;

/// The kind of a frame with a part of a body.
pub const DATA: u8 = 0x0;

/// The kind of a frame that gives a stream up.
pub const RESET: u8 = 0x3;

/// The kind of a frame that asks whether the other side is there.
pub const PING: u8 = 0x6;

/// The kind of a frame by which the other side closes the connection.
pub const GOAWAY: u8 = 0x7;

/// One frame as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream; 0 is the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// Splits what was read into frames. What is cut off at the end is left out.
pub fn split(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some((payload, rest)) = rest.split_at_checked(length) else { break };
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        frames.push(Frame { kind: head[3], flags: head[4], stream, payload: payload.to_vec() });
        bytes = rest;
    }
    frames
}

/// The pseudo-headers: `:method` as index of the static table, `:scheme http`, `:authority` and `:path` as literals.
fn fields(method: u8, host: &str, path: &str) -> Vec<u8> {
    let mut block = vec![method, 0x86];
    for (index, text) in [(0x01, host), (0x04, path)] {
        block.extend([index, u8::try_from(text.len()).unwrap_or(127).min(126)]);
        block.extend(text.as_bytes());
    }
    block
}
