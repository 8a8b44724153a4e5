//! What came back for a request, so far.

use crate::{Error, Message};
use wharf_kit::{Payload, Refused};

/// Replies that one request may wait for: enough to ask a fleet, few enough to be kept until the last one came.
pub const REPLIES_MAX: usize = 64;

/// The replies to one request. They belong to whoever asks, so that those that came are there when time is up.
#[derive(Debug)]
pub struct Replies {
    messages: Vec<Message>,
    wanted: usize,
    bytes: usize,
    limit_bytes: usize,
}

impl Replies {
    /// Returns room for `wanted` replies, 1 to [`REPLIES_MAX`], which together have no more than `limit_bytes`.
    pub fn new(wanted: usize, limit_bytes: usize) -> Self {
        Self { messages: Vec::new(), wanted: wanted.clamp(1, REPLIES_MAX), bytes: 0, limit_bytes }
    }

    /// Adds one.
    ///
    /// # Errors
    /// [`Refused::TooLarge`].
    pub fn push(&mut self, reply: Message) -> Result<(), Error> {
        let bytes = self.bytes.saturating_add(reply.size_bytes());
        if bytes > self.limit_bytes {
            return Err(Refused::TooLarge { bytes, limit_bytes: self.limit_bytes }.into());
        }
        self.bytes = bytes;
        self.messages.push(reply);
        Ok(())
    }

    /// Tells whether there are as many as were wanted.
    pub fn is_complete(&self) -> bool {
        self.missing() == 0
    }

    /// Returns how many are wanted still.
    pub fn missing(&self) -> usize {
        self.wanted.saturating_sub(self.messages.len())
    }

    /// Tells whether none came.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Returns what came.
    pub fn into_messages(self) -> Vec<Message> {
        self.messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_bounded_together() {
        let mut replies = Replies::new(2, 10);
        assert!(replies.push(Message::new("123456")).is_ok() && !replies.is_complete());
        assert!(matches!(
            replies.push(Message::new("12345")),
            Err(Error::Refused(Refused::TooLarge { bytes: 11, limit_bytes: 10 }))
        ));
        assert!(replies.push(Message::new("1234")).is_ok() && replies.is_complete());
        assert_eq!(replies.into_messages().len(), 2);
        assert_eq!((Replies::new(0, 0).wanted, Replies::new(usize::MAX, 0).wanted), (1, REPLIES_MAX));
    }
}
