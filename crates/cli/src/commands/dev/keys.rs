//! Keys that are pressed while `wharf dev` runs in a terminal.
//!
//! Invariant: the terminal is touched in the foreground only. In the background that would stop the process.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use std::io::{IsTerminal, Read, stdin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// Keys that may wait to be looked at. Nobody types faster than they are.
const WAITING: usize = 16;

/// How often it is looked whether the process is in the foreground: the shell says so to nobody that it did not stop.
const LOOK: Duration = Duration::from_millis(250);

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
    keyboard: Arc<Keyboard>,
}

impl Keys {
    /// Takes the keyboard, if there is one: while the process is in the foreground.
    pub(super) fn start() -> Option<Self> {
        if !stdin().is_terminal() {
            return None;
        }
        let keyboard = Arc::new(Keyboard::default());
        keyboard.take();
        let (sender, keys) = mpsc::channel(WAITING);
        let taker = Arc::clone(&keyboard);
        // Ends with the process, or when the terminal is gone: nothing else can end a read of it.
        std::thread::spawn(move || taker.read(&sender));
        Some(Self { keys, keyboard })
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

    /// Stops the process, as Ctrl-Z does, with the terminal as it was. Returns when it goes on.
    pub(super) fn stop_process(keys: Option<&Self>) {
        // Held until the process goes on: who reads keys would take the terminal again.
        let mut taken = keys.map(|keys| keys.keyboard.lock());
        taken.iter_mut().for_each(|taken| taken.give_back());
        // What cannot be stopped goes on, which is no harm.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
        drop(taken);
        keys.iter().for_each(|keys| keys.keyboard.take());
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.keyboard.end();
    }
}

/// What the terminal is to be again afterwards.
#[derive(Default)]
struct Keyboard(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    /// How the terminal was, while it is ours.
    before: Option<Termios>,
    /// Whether nothing is taken any more.
    has_ended: bool,
}

impl Taken {
    fn give_back(&mut self) {
        // In the background the shell has done it.
        if let Some(before) = self.before.take().filter(|_| is_in_foreground()) {
            // Fails when the terminal is gone.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
        }
    }
}

impl Keyboard {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for single keys. Does nothing in the background, and where that was asked already.
    fn take(&self) {
        let mut taken = self.lock();
        if taken.before.is_some() || taken.has_ended || !is_in_foreground() {
            return;
        }
        let Ok(before) = tcgetattr(stdin()) else { return };
        let mut single = before.clone();
        // Signals stay: Ctrl-C ends the process as everywhere.
        single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        if tcsetattr(stdin(), OptionalActions::Now, &single).is_ok() {
            taken.before = Some(before);
        }
    }

    fn end(&self) {
        let mut taken = self.lock();
        taken.has_ended = true;
        taken.give_back();
    }

    /// Reads keys until nobody wants them.
    fn read(&self, keys: &mpsc::Sender<Key>) {
        let look = Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK.subsec_nanos()) };
        let mut bytes = [0; 16];
        while !keys.is_closed() {
            let input = stdin();
            let mut wanted = [PollFd::new(&input, PollFlags::IN)];
            let found = poll(&mut wanted, Some(&look));
            if !is_in_foreground() {
                // What the shell reads is not ours to wait for.
                std::thread::sleep(LOOK);
                continue;
            }
            self.take();
            if !matches!(found, Ok(1..)) {
                continue;
            }
            let Ok(count @ 1..) = input.lock().read(&mut bytes) else { return };
            for key in bytes.iter().take(count).filter_map(|byte| key(*byte)) {
                let _ = keys.try_send(key);
            }
        }
    }
}

fn is_in_foreground() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
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
