//! The bodies that `dev` makes: events without an end, and pages with a script after their own end.

use super::{Page, Phase, State};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};
use wharf_trigger::{Body, BodyError};

/// How often something is sent so that a dead connection is noticed.
const PULSE: Duration = Duration::from_secs(15);

/// What is shown of a failed build in a page.
const SHOWN_BYTES: usize = 64 << 10;

type Change = Pin<Box<dyn Future<Output = (watch::Receiver<State>, bool)> + Send>>;

/// The states of the app as server-sent events: the one that is now, and each that follows.
pub(super) struct Events {
    change: Option<Change>,
    now: Option<State>,
    pulse: Interval,
    _page: Page,
}

impl Events {
    /// Returns nothing when `limit` pages listen already.
    pub(super) fn start(mut states: watch::Receiver<State>, pages: &Arc<AtomicUsize>, limit: usize) -> Option<Self> {
        let page = Page::enter(pages, limit)?;
        let now = Some(states.borrow_and_update().clone());
        let mut pulse = interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pulse.reset();
        Some(Self { change: Some(next(states)), now, pulse, _page: page })
    }
}

fn next(mut states: watch::Receiver<State>) -> Change {
    Box::pin(async move {
        let goes_on = states.changed().await.is_ok();
        (states, goes_on)
    })
}

impl HttpBody for Events {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(now) = self.now.take() {
            return Poll::Ready(event(&now).map(|bytes| Ok(Frame::data(bytes))));
        }
        if let Some(change) = &mut self.change
            && let Poll::Ready((mut states, goes_on)) = change.as_mut().poll(cx)
        {
            let now = states.borrow_and_update().clone();
            self.change = goes_on.then(|| next(states));
            let event = if goes_on { event(&now) } else { None };
            return Poll::Ready(event.map(|bytes| Ok(Frame::data(bytes))));
        }
        ready!(self.pulse.poll_tick(cx));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b": still here\n\n")))))
    }
}

/// Returns a state as an event; nothing for the last one.
fn event(state: &State) -> Option<Bytes> {
    let (phase, why) = match &state.phase {
        Phase::Building => ("building", None),
        Phase::Ready => ("ready", None),
        Phase::Failed(why) => ("failed", Some(last(why, SHOWN_BYTES))),
        Phase::Ended => return None,
    };
    let data = serde_json::json!({ "version": state.version, "phase": phase, "why": why });
    Some(Bytes::from(format!("retry: 500\ndata: {data}\n\n")))
}

/// Returns the end of a text: what a compiler says last is the sum of it.
fn last(text: &str, bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default()
}

/// A body with something after its end, before its trailers.
pub(super) struct Appended {
    inner: Body,
    /// Absent when it was sent, or when the body broke off.
    rest: Option<Bytes>,
    /// What comes after it.
    trailers: Option<Frame<Bytes>>,
}

impl Appended {
    pub(super) fn new(inner: Body, rest: Bytes) -> Self {
        Self { inner, rest: Some(rest), trailers: None }
    }
}

impl HttpBody for Appended {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.rest.is_none() {
            return Poll::Ready(self.trailers.take().map(Ok));
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match frame {
            Some(Ok(frame)) if frame.is_data() => Poll::Ready(Some(Ok(frame))),
            Some(Err(error)) => {
                self.rest = None;
                Poll::Ready(Some(Err(error)))
            }
            trailers => {
                self.trailers = trailers.and_then(Result::ok);
                Poll::Ready(self.rest.take().map(|rest| Ok(Frame::data(rest))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.as_ref().map_or(0, |rest| rest.len() as u64);
        match self.inner.size_hint().exact() {
            Some(exact) => SizeHint::with_exact(exact + rest),
            None => SizeHint::default(),
        }
    }
}
