//! The gate, with calls that never end and calls that end at once.

use super::*;
use std::time::Duration;

#[derive(Debug, PartialEq, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("not found")]
    NotFound,
}

fn kind(error: &Error) -> Kind {
    match error {
        Error::Refused(refused) => refused.kind(),
        Error::NotFound => Kind::NotFound,
    }
}

fn gate(concurrency: usize) -> Gate {
    Gate::new(Bounds { timeout: Duration::from_millis(50), concurrency, size_bytes: 10 }, Arc::default())
}

async fn never() -> Result<u64, Error> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn ends_a_call_at_its_deadline_and_counts_it() {
    let (gate, mut tally) = (gate(1), Tally::default());
    let result = gate.call(&mut tally, "test", 7, kind, never()).await;
    assert_eq!(result, Err(Error::Refused(Refused::Deadline(Duration::from_millis(50)))));
    assert_eq!((tally.counts().calls, tally.counts().errors, tally.counts().sent_bytes), (1, 1, 7));
    assert_eq!(gate.usage().counts(), tally.counts());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gets_no_turn_is_told_so() {
    let gate = gate(1);
    let (mut one, mut two) = (Tally::default(), Tally::default());
    let mut first = pin!(gate.call(&mut one, "test", 0, kind, never()));
    assert!(poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx))).await.is_pending());
    let second = gate.call(&mut two, "test", 0, kind, never()).await;
    assert_eq!(second, Err(Error::Refused(Refused::Busy(1))));
}

#[tokio::test]
async fn what_a_component_is_told_is_no_error_of_the_host() {
    let (gate, mut tally) = (gate(1), Tally::default());
    let result: Result<u64, Error> = gate.call(&mut tally, "test", 0, kind, async { Err(Error::NotFound) }).await;
    assert_eq!(result, Err(Error::NotFound));
    assert_eq!((tally.counts().calls, tally.counts().errors), (1, 0));
}

#[tokio::test]
async fn a_call_that_is_dropped_gives_its_turn_back() {
    let (gate, mut tally) = (gate(1), Tally::default());
    {
        let mut dropped = pin!(gate.call(&mut tally, "test", 0, kind, never()));
        assert!(poll_fn(|cx| Poll::Ready(dropped.as_mut().poll(cx))).await.is_pending());
    }
    let result = gate.call(&mut tally, "test", 0, kind, async { Ok::<_, Error>(5_u64) }).await;
    assert_eq!(result, Ok(5));
}

#[test]
fn refuses_what_is_too_large() {
    assert!(gate(1).check_size(10).is_ok());
    assert_eq!(gate(1).check_size(11), Err(Refused::TooLarge { bytes: 11, limit_bytes: 10 }));
}

#[tokio::test(start_paused = true)]
async fn what_stays_open_is_bounded_and_given_back_when_dropped() {
    let gate = gate(1);
    let held = gate.hold().await;
    assert!(held.is_ok());
    assert_eq!(gate.hold().await.err(), Some(Refused::Busy(1)));
    let call = gate.call(&mut Tally::default(), "test", 0, kind, async { Ok::<_, Error>(5_u64) }).await;
    assert_eq!(call, Ok(5), "calls have their own places");
    drop(held);
    assert!(gate.hold().await.is_ok());
}

/// Refuses every other call, and says what it saw.
#[derive(Default)]
struct Moody(std::sync::Mutex<Vec<String>>);

impl Interceptor for Moody {
    fn before<'a>(&'a self, site: Site<'a>) -> crate::Intercepted<'a> {
        let mut seen = self.0.lock().unwrap();
        seen.push(format!("{}.{} {}", site.capability, site.operation, site.label));
        let is_refused = seen.len().is_multiple_of(2);
        let fault = Refused::Fault { kind: Kind::Unavailable, why: "the backend is not available" };
        Box::pin(async move { if is_refused { Err(fault) } else { Ok(Box::new(()) as Pass) } })
    }
}

#[tokio::test]
async fn who_is_asked_before_each_call_can_refuse_it() {
    let moody = Arc::new(Moody::default());
    let gate = gate(1).intercepted(Arc::<Moody>::clone(&moody), "keyvalue", "default");
    let mut tally = Tally::default();
    let first = gate.call(&mut tally, "get", 0, kind, async { Ok::<_, Error>(5_u64) }).await;
    assert_eq!(first, Ok(5));
    let second = gate.call(&mut tally, "set", 0, kind, never()).await;
    assert_eq!(second.unwrap_err().to_string(), "the backend is not available: a test made this call fail");
    assert_eq!((tally.counts().calls, tally.counts().errors), (2, 1));
    assert_eq!(*moody.0.lock().unwrap(), ["keyvalue.get default", "keyvalue.set default"]);
}
