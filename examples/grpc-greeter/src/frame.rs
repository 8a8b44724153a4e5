//! The gRPC frame: a flag byte (compressed or not), the length as four big-endian bytes, the message.

use prost::Message;
use wasip3::wit_bindgen::{StreamReader, StreamResult};

use crate::Status;

const HEAD_BYTES: usize = 5;
/// The limit of most gRPC servers, so that a client meets no surprise here.
const MESSAGE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Reads the one message of a unary call.
pub(crate) async fn read<M: Message + Default>(mut body: StreamReader<u8>) -> Result<M, Status> {
    let mut bytes = Vec::new();
    loop {
        let (result, piece) = body.read(Vec::with_capacity(16 * 1024)).await;
        bytes.extend(piece);
        if result == StreamResult::Dropped {
            break;
        }
        if bytes.len() > HEAD_BYTES + MESSAGE_MAX_BYTES {
            return Err(Status(8, "the message is larger than 4 MiB"));
        }
    }
    let (head, message) = bytes.split_at_checked(HEAD_BYTES).ok_or(Status(3, "the frame is cut off"))?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    match (head[0], message.len() == length) {
        (0, true) => M::decode(message).map_err(|_| Status(3, "not the expected message")),
        (0, false) => Err(Status(3, "the frame's length is not the body's")),
        _ => Err(Status(12, "compressed messages are not supported")),
    }
}

/// Puts a message into its frame.
pub(crate) fn write(message: &impl Message) -> Vec<u8> {
    let length = message.encoded_len();
    let mut frame = Vec::with_capacity(HEAD_BYTES + length);
    frame.push(0);
    frame.extend_from_slice(&(length as u32).to_be_bytes());
    frame.extend_from_slice(&message.encode_to_vec());
    frame
}
