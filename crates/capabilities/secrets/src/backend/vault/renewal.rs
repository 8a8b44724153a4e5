//! Keeps the token alive: one thread for each server, asleep but for a request when two thirds of a lease are over.

use super::answer::Lease;
use super::client::Client;
use crate::Error;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// The time of one request.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The shortest pause: a lease of a second is renewed in time, and one of none does not spin.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// The longest pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How often a token is looked at that cannot be renewed: its file may have another one.
const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// The thread. Dropping this ends it.
pub(super) struct Renewal {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Renewal {
    pub(super) fn start(client: Arc<Client>) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let run = move || {
            runtime.block_on(async {
                tokio::select! {
                    never = keep(&client) => match never {},
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("wharf-vault".to_owned()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A thread that panicked has ended too.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn keep(client: &Client) -> std::convert::Infallible {
    let mut failures = 0;
    let mut known: Option<Lease> = None;
    loop {
        let asked = match known {
            Some(_) => within(client.renew()).await,
            None => within(client.look_up()).await,
        };
        let pause = match asked {
            Ok(lease) => {
                failures = 0;
                known = (lease.is_renewable && !lease.left.is_zero()).then_some(lease);
                known.map_or(LOOK_AGAIN, until_renewal)
            }
            Err(error) => {
                if failures == 0 && !matches!(error, Error::Unavailable(_)) {
                    tracing::warn!("the token of Vault at {} cannot be renewed: {error}", client.address());
                }
                // It may be another token by now, or one that cannot be renewed any more.
                if !matches!(error, Error::Unavailable(_)) {
                    known = None;
                }
                failures += 1;
                PAUSE_MIN.saturating_mul(1 << u32::min(failures, 12)).min(PAUSE_MAX)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn within(ask: impl Future<Output = Result<Lease, Error>>) -> Result<Lease, Error> {
    tokio::time::timeout(TIMEOUT, ask).await.unwrap_or(Err(Error::Unavailable("it does not answer")))
}

/// Returns the time until two thirds of a lease are over.
fn until_renewal(lease: Lease) -> Duration {
    lease.left.saturating_sub(lease.whole / 3).max(PAUSE_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_when_two_thirds_of_its_lease_are_over() {
        let seconds = Duration::from_secs;
        for (left, whole, expected) in [(90, 90, 60), (40, 90, 10), (10, 90, 0), (1, 1, 0)] {
            let until = until_renewal(Lease { left: seconds(left), whole: seconds(whole), is_renewable: true });
            assert_eq!(until.as_secs(), expected, "{left} of {whole}");
            assert!(until >= PAUSE_MIN);
        }
    }
}
