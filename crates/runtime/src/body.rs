//! The body of a guest's response. Reading it runs the guest; dropping it ends the guest.
//!
//! In: the body that the guest writes, and the future that owns its store. Out: frames. Next: the connection.
//!
//! Invariant: a body whose guest failed never ends as if it were complete.

use crate::admit::Permit;
use crate::bodies::OpenBody;
use crate::component::Component;
use crate::invoke::http::Answered;
use crate::meter::Metered;
use crate::outcome::{Cause, Failure};
use crate::pool::Listener;
use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use wasmtime_wasi_http::{Error, WasiBody};
use wharf_telemetry::RequestId;

/// Body bytes that are taken together with the head if the guest has them ready: the answer then leaves in one write and the store
/// is gone before it does.
const EAGER_BYTES: usize = 32 << 10;

/// Turns of the event loop that a reused instance gets to write a short body before the head is sent without it.
const ROUNDS: u8 = 8;

/// Empty frames that are swallowed before the core is given back.
const EMPTY_FRAMES: usize = 64;

pub(crate) type Guest = Metered<Result<(), Failure>>;

/// The guest behind a body.
pub(crate) struct Running {
    component: Arc<Component>,
    request: Option<RequestId>,
    /// Absent once the guest has ended, and for a reused instance, which its pool drives.
    guest: Option<Guest>,
    /// The reused instance that answers, if it is one.
    reused: Option<Listener>,
    _permit: Permit,
    failure: Option<Failure>,
}

impl Running {
    /// `guest`: absent if it has ended already, then with its `failure` if it failed.
    pub(crate) fn fresh(
        component: &Arc<Component>,
        guest: Option<Guest>,
        permit: Permit,
        request: Option<RequestId>,
        failure: Option<Failure>,
    ) -> Self {
        Self { component: Arc::clone(component), request, guest, reused: None, _permit: permit, failure }
    }

    pub(crate) fn reused(component: &Arc<Component>, listener: Listener, permit: Permit) -> Self {
        let component = Arc::clone(component);
        Self { component, request: None, guest: None, reused: Some(listener), _permit: permit, failure: None }
    }

    /// Runs the guest until it waits. Ready with the failure, if it ends with one.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Failure>> {
        if let Some(failure) = self.failure.take() {
            self.guest = None;
            return Poll::Ready(Some(failure));
        }
        let Some(guest) = self.guest.as_mut() else {
            return Poll::Ready(self.reused.as_ref().and_then(Listener::failure));
        };
        let ended = std::task::ready!(guest.poll(cx));
        self.guest = None;
        Poll::Ready(match ended {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some(failure),
            Err(ended) => Some(Failure::ended(ended)),
        })
    }

    /// Lets a guest that still runs after its body is complete finish within its own budget.
    fn finish(mut self) {
        if self.failure.is_none() && self.guest.is_none() {
            return;
        }
        let rest = async move {
            if let Some(failure) = std::future::poll_fn(|cx| self.poll(cx)).await {
                failure.report(&self.component.identity, self.request.as_ref());
            }
        };
        #[expect(clippy::disallowed_methods, reason = "bounded by the component's gate: the task holds the permit")]
        tokio::task::spawn(rest);
    }
}

/// The body of a guest's response.
pub struct GuestBody {
    early: VecDeque<Result<Frame<Bytes>, Failure>>,
    early_bytes: u64,
    rest: Option<Box<Rest>>,
}

struct Rest {
    inner: WasiBody,
    /// Gone before the guest is asked for the last time, so that its store may end.
    open: Option<OpenBody>,
    running: Option<Running>,
    left_bytes: u64,
    limit_bytes: u64,
    /// What is left of the length that the guest declared, if it did.
    declared_bytes: Option<u64>,
}

impl GuestBody {
    /// Takes what the guest has ready, up to a bound, and returns without waiting for more.
    pub(crate) async fn settle(answered: Answered, running: Running) -> Response<Self> {
        let limit_bytes = running.component.limits.response_body_bytes;
        let Answered { response, open } = answered;
        let (parts, inner) = response.into_parts();
        let declared = parts.headers.get(http::header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let declared_bytes = declared.and_then(|length| length.parse().ok());
        let rest = Rest { inner, open, running: Some(running), left_bytes: limit_bytes, limit_bytes, declared_bytes };
        let mut body = Self { early: VecDeque::new(), early_bytes: 0, rest: Some(Box::new(rest)) };
        let mut rounds = body.rounds();
        std::future::poll_fn(|cx| {
            body.take_early(cx);
            if rounds == 0 || body.is_complete() {
                return Poll::Ready(());
            }
            rounds -= 1;
            // The task of the reused instance was woken before this one, so it runs first.
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        Response::from_parts(parts, body)
    }

    /// Returns how often a guest that runs in a task of its own is let run before the head is sent.
    fn rounds(&self) -> u8 {
        let reused =
            self.rest.as_ref().and_then(|rest| rest.running.as_ref()).is_some_and(|running| running.reused.is_some());
        if reused { ROUNDS } else { 0 }
    }

    fn take_early(&mut self, cx: &mut Context<'_>) {
        let mut bytes = 0;
        while bytes < EAGER_BYTES {
            match self.poll_rest(cx) {
                Poll::Ready(Some(frame)) => {
                    let data = frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
                    bytes += data;
                    self.early_bytes += data as u64;
                    self.early.push_back(frame);
                }
                Poll::Ready(None) | Poll::Pending => return,
            }
        }
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let Some(rest) = self.rest.as_mut() else {
            return Poll::Ready(None);
        };
        let polled = std::task::ready!(rest.poll(cx));
        if !matches!(polled, Some(Ok(_))) {
            // The end, good or bad: the guest goes.
            self.rest = None;
        }
        Poll::Ready(polled)
    }

    /// Tells whether the guest has ended and the whole body is here.
    pub fn is_complete(&self) -> bool {
        self.rest.is_none()
    }
}

impl Rest {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        for _ in 0..EMPTY_FRAMES {
            let mut polled = Pin::new(&mut self.inner).poll_frame(cx);
            if polled.is_pending() {
                let guest = self.poll_guest(cx);
                // What the guest just wrote is ready now; if it wrote nothing, its waker is registered.
                polled = Pin::new(&mut self.inner).poll_frame(cx);
                if let Poll::Ready(Some(failure)) = guest {
                    let wrote = matches!(polled, Poll::Ready(Some(Ok(_))));
                    match &mut self.running {
                        // It wrote and then failed: its failure comes after what it wrote.
                        Some(running) if wrote => running.failure = Some(failure),
                        _ => return Poll::Ready(Some(Err(failure))),
                    }
                }
            }
            match std::task::ready!(polled) {
                // GHSA-f8mm-ggr3-89wh: a flood of empty frames would be queued by HTTP/2 without a bound.
                Some(Ok(frame)) if frame.data_ref().is_some_and(Bytes::is_empty) => {}
                Some(Ok(frame)) => return Poll::Ready(Some(self.count(frame))),
                Some(Err(error)) => return Poll::Ready(Some(Err(self.broken(&error, cx)))),
                None => return Poll::Ready(self.end(cx).map(Err)),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_guest(&mut self, cx: &mut Context<'_>) -> Poll<Option<Failure>> {
        self.running.as_mut().map_or(Poll::Ready(None), |running| running.poll(cx))
    }

    /// The guest's body is complete. A guest that failed meanwhile makes it a broken one; one that still runs goes on by itself.
    fn end(&mut self, cx: &mut Context<'_>) -> Option<Failure> {
        let is_ours = self.running.as_ref().is_some_and(|running| running.guest.is_some());
        match self.open.take() {
            Some(open) if is_ours => open.close(),
            // A reused instance has a task of its own.
            open => drop(open),
        }
        let polled = self.poll_guest(cx);
        let running = self.running.take();
        match polled {
            Poll::Ready(failure) => failure,
            Poll::Pending => {
                if let Some(running) = running {
                    running.finish();
                }
                None
            }
        }
    }

    /// The guest's body broke off. Its store knows the reason better than the channel does.
    fn broken(&mut self, error: &Error, cx: &mut Context<'_>) -> Failure {
        match self.poll_guest(cx) {
            Poll::Ready(Some(failure)) => failure,
            _ => Cause::BrokenBody(error.to_string()).into(),
        }
    }

    fn count(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Failure> {
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        if let Some(declared) = &mut self.declared_bytes {
            let Some(left) = declared.checked_sub(bytes) else {
                // The connection would cut the excess off, and the client would see a complete answer.
                return Err(Cause::BrokenBody("more bytes than its content-length".to_owned()).into());
            };
            *declared = left;
        }
        match self.left_bytes.checked_sub(bytes) {
            Some(left) => {
                self.left_bytes = left;
                Ok(frame)
            }
            None => Err(Cause::ResponseBody { limit_bytes: self.limit_bytes }.into()),
        }
    }
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        if let Some(frame) = self.early.pop_front() {
            let data = frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
            self.early_bytes -= data as u64;
            return Poll::Ready(Some(frame));
        }
        self.poll_rest(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.early.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let whole = self.rest.is_none() && self.early.iter().all(|frame| frame.as_ref().is_ok_and(Frame::is_data));
        if whole {
            return SizeHint::with_exact(self.early_bytes);
        }
        let mut hint = SizeHint::new();
        hint.set_lower(self.early_bytes);
        hint
    }
}
