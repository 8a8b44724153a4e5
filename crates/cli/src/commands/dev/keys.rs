//! Keys that are pressed while `wharf dev` runs in a terminal.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use std::io::{IsTerminal, Read, stdin};
use tokio::sync::mpsc;

/// Keys that may wait to be looked at. Nobody types faster than they are.
const WAITING: usize = 16;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Build everything again.
    Rebuild,
    /// Open the app in a browser.
    Open,
    /// Log more, or less.
    Level,
    /// End.
    Quit,
    /// Say what the keys are.
    Help,
}

/// The keyboard, as single keys. The terminal is as it was when this is dropped.
pub(super) struct Keys {
    keys: mpsc::Receiver<Key>,
    before: Termios,
}

impl Keys {
    /// Takes the keyboard, if there is one and this process is in the foreground.
    pub(super) fn start() -> Option<Self> {
        let input = stdin();
        if !input.is_terminal() || tcgetpgrp(&input).ok()? != rustix::process::getpgrp() {
            return None;
        }
        let before = tcgetattr(&input).ok()?;
        let mut single = before.clone();
        // Signals stay: Ctrl-C ends the process as everywhere.
        single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(&input, OptionalActions::Now, &single).ok()?;
        let (sender, keys) = mpsc::channel(WAITING);
        // Ends with the process: nothing else can end a read of a terminal.
        std::thread::spawn(move || {
            let mut bytes = [0; 16];
            while let Ok(n @ 1..) = stdin().lock().read(&mut bytes) {
                for key in bytes.iter().take(n).filter_map(|byte| key(*byte)) {
                    let _ = sender.try_send(key);
                }
            }
        });
        Some(Self { keys, before })
    }

    /// Returns the next key; never without a keyboard. Cancel-safe.
    pub(super) async fn next(keys: &mut Option<Self>) -> Key {
        let next = match keys {
            Some(keys) => keys.keys.recv().await,
            None => None,
        };
        match next {
            Some(key) => key,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // Fails when the terminal is gone.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}

fn key(byte: u8) -> Option<Key> {
    match byte.to_ascii_lowercase() {
        b'r' => Some(Key::Rebuild),
        b'o' => Some(Key::Open),
        b'l' => Some(Key::Level),
        // Ctrl-D too.
        b'q' | 4 => Some(Key::Quit),
        b'h' | b'?' => Some(Key::Help),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_the_help_says() {
        for part in super::super::HELP.trim_end().split(" · ") {
            assert!(key(part.as_bytes()[0]).is_some(), "{part}");
        }
        assert_eq!((key(b'Q'), key(b'x')), (Some(Key::Quit), None));
    }
}
