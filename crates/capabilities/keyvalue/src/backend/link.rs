//! The connection of one core to one server, shared by all calls there: made with the first call, made again when it is lost, in the
//! background and ever less often. While the server is away, calls fail at once.

use crate::api::Error;
use futures_util::FutureExt;
use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use wharf_telemetry::clock;

/// The time before the second attempt to connect, doubled with each further one.
const BACK_OFF: Duration = Duration::from_millis(50);

/// The longest time between two attempts: at most so late a server that is back is noticed.
const BACK_OFF_MAX: Duration = Duration::from_secs(2);

/// A call that was given up after so long makes its connection suspicious: it may lead to a machine that is gone.
const SUSPICIOUS: Duration = Duration::from_millis(500);

/// How connections to one server are made.
pub(super) trait Dial: Send + Sync + Sized + 'static {
    /// A connection, which many calls use at a time.
    type Connection: Clone + Send + Sync;

    /// Where to, without a password.
    fn place(&self) -> &str;

    /// Makes a connection, in bounded time. `lost` may be told when it breaks.
    fn connect(&self, lost: Lost<Self>) -> impl Future<Output = Result<Self::Connection, Trouble>> + Send;
}

/// Why a call or an attempt to connect failed.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) error: Error,
    /// Whether the connection is of no use any more.
    pub(super) is_lost: bool,
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self { error, is_lost: false }
    }
}

pub(super) struct Link<D: Dial> {
    dial: Arc<D>,
    state: Mutex<State<D::Connection>>,
}

enum State<C> {
    /// Nobody called yet.
    New,
    /// The first attempt since there was a connection; calls wait for it.
    Connecting(watch::Receiver<()>),
    Up {
        connection: C,
        /// Another one for each connection, so that a late error of a former one does no harm.
        number: u64,
    },
    /// The last attempt failed, further ones follow.
    Down(Reason),
}

/// An error that is given to many callers.
struct Reason {
    is_away: bool,
    why: &'static str,
    cause: String,
}

/// Tells a link that one of its connections is lost.
pub(super) struct Lost<D: Dial> {
    link: Weak<Link<D>>,
    number: u64,
}

impl<D: Dial> Link<D> {
    pub(super) fn new(dial: Arc<D>) -> Arc<Self> {
        Arc::new(Self { dial, state: Mutex::new(State::New) })
    }

    /// Makes a call.
    pub(super) async fn call<T, F>(self: &Arc<Self>, call: impl FnOnce(D::Connection) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        self.attempt(call).await.map_err(|trouble| trouble.error)
    }

    /// Makes a call that changes nothing, a second time if its connection is lost meanwhile.
    pub(super) async fn call_again<T, F>(self: &Arc<Self>, call: impl Fn(D::Connection) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        match self.attempt(&call).await {
            Err(trouble) if trouble.is_lost => self.call(call).await,
            result => result.map_err(|trouble| trouble.error),
        }
    }

    async fn attempt<T, F>(self: &Arc<Self>, call: impl FnOnce(D::Connection) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let (connection, number) = self.connection().await?;
        let mut pending = Pending { link: self, number, since: clock::now(), is_over: false };
        let result = call(connection).await;
        pending.is_over = true;
        if matches!(&result, Err(trouble) if trouble.is_lost) {
            self.lose(number);
        }
        result
    }

    /// Returns the connection. Waits only where there is hope.
    async fn connection(self: &Arc<Self>) -> Result<(D::Connection, u64), Error> {
        loop {
            let mut attempt = {
                let mut state = self.state();
                match &*state {
                    State::Up { connection, number } => return Ok((connection.clone(), *number)),
                    State::Down(reason) => return Err(reason.error()),
                    State::Connecting(attempt) => attempt.clone(),
                    State::New => self.start(&mut state),
                }
            };
            // Its end is told by its other half being dropped.
            let _ = attempt.changed().await;
        }
    }

    /// Begins to connect. The state is another one when the receiver notices the end.
    fn start(self: &Arc<Self>, state: &mut State<D::Connection>) -> watch::Receiver<()> {
        let (end, attempt) = watch::channel(());
        *state = State::Connecting(attempt.clone());
        #[expect(clippy::disallowed_methods, reason = "ends when there is a connection, or no link any more")]
        tokio::spawn(connect(Arc::downgrade(self), Arc::clone(&self.dial), end));
        attempt
    }

    /// Takes note that a connection is of no use any more, and begins to make another one.
    fn lose(self: &Arc<Self>, number: u64) {
        let mut state = self.state();
        if matches!(&*state, State::Up { number: current, .. } if *current == number) {
            tracing::info!(place = self.dial.place(), "a connection of keyvalue is lost");
            self.start(&mut state);
        }
    }

    fn state(&self) -> MutexGuard<'_, State<D::Connection>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connects, however long it takes; after the first attempt, calls fail meanwhile.
async fn connect<D: Dial>(link: Weak<Link<D>>, dial: Arc<D>, end: watch::Sender<()>) {
    let mut end = Some(end);
    let mut pause = BACK_OFF;
    let random = RandomState::new();
    loop {
        let number = random.hash_one(clock::now());
        // A panic in a library is no reason to leave all calls waiting.
        let attempt = dial.connect(Lost { link: link.clone(), number });
        let attempt = AssertUnwindSafe(attempt).catch_unwind().await;
        let attempt = attempt.unwrap_or_else(|_| Err(Error::Backend { why: "connecting failed", source: None }.into()));
        let Some(link) = link.upgrade() else { return };
        if link.conclude(attempt, number) {
            return;
        }
        drop(link);
        end.take();
        // Between half of it and all of it, so that the cores do not come all at once.
        let part = 0.5 + f64::from(u8::try_from(random.hash_one(number) % 250).unwrap_or(0)) / 500.0;
        tokio::time::sleep(pause.mul_f64(part)).await;
        pause = (pause * 2).min(BACK_OFF_MAX);
    }
}

impl<D: Dial> Link<D> {
    /// Takes note of what came of an attempt, and tells whether it was the last one.
    fn conclude(&self, attempt: Result<D::Connection, Trouble>, number: u64) -> bool {
        let mut state = self.state();
        let was_down = matches!(*state, State::Down(_));
        let place = self.dial.place();
        match attempt {
            Ok(connection) => {
                if was_down {
                    tracing::info!(place, "keyvalue is connected again");
                }
                *state = State::Up { connection, number };
                true
            }
            Err(Trouble { error, .. }) => {
                let reason = Reason::from(error);
                if !was_down {
                    let Reason { why, cause, .. } = &reason;
                    tracing::warn!(place, cause, "keyvalue cannot connect and tries again until it can: {why}");
                }
                *state = State::Down(reason);
                false
            }
        }
    }
}

impl<D: Dial> Lost<D> {
    /// Tells it. Only on the thread of the link.
    pub(super) fn tell(&self) {
        if let Some(link) = self.link.upgrade() {
            link.lose(self.number);
        }
    }
}

impl Reason {
    fn error(&self) -> Error {
        let source = Some(self.cause.clone().into());
        match self.is_away {
            true => Error::Unavailable { why: self.why, source },
            false => Error::Backend { why: self.why, source },
        }
    }
}

impl From<Error> for Reason {
    fn from(error: Error) -> Self {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        match error {
            Error::Backend { why, .. } => Self { is_away: false, why, cause },
            Error::Unavailable { why, .. } => Self { is_away: true, why, cause },
            other => Self { is_away: true, why: "connecting failed", cause: other.to_string() },
        }
    }
}

/// A call under way.
struct Pending<'a, D: Dial> {
    link: &'a Arc<Link<D>>,
    number: u64,
    since: Instant,
    is_over: bool,
}

impl<D: Dial> Drop for Pending<'_, D> {
    fn drop(&mut self) {
        if !self.is_over && clock::since(self.since) >= SUSPICIOUS {
            self.link.lose(self.number);
        }
    }
}
