//! `wasi:sockets/ip-name-lookup`, 0.2 and 0.3, by the grants: the engine's own looks every name up, or none.
//!
//! In: names. Out: addresses that the store may reach. Next: [`Reach::look_up`].

use super::{LookupError, Reach};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::vec;
use wasmtime::component::{Accessor, HasData, Linker, LinkerInstance, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup as p2;
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, Network};
use wasmtime_wasi::p2::{DynPollable, Pollable, SocketError, SocketResult, subscribe};
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup as p3;

/// What one store lends for one call.
pub(crate) struct View<'a> {
    pub(crate) reach: &'a Arc<Reach>,
    pub(crate) table: &'a mut ResourceTable,
}

struct Names;

impl HasData for Names {
    type Data<'a> = View<'a>;
}

/// Links the interface of 0.2 in an instance of a linker.
pub(crate) fn add_p2_to_linker_instance<T: 'static>(
    instance: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    p2::add_to_linker_instance::<T, Names>(instance, view)
}

/// Links the interface of 0.3 in an instance of a linker.
pub(crate) fn add_p3_to_linker_instance<T: Send + 'static>(
    instance: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    p3::add_to_linker_instance::<T, Names>(instance, view)
}

/// Links the interface of 0.2 in the place of the engine's.
pub(crate) fn add_p2_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    p2::add_to_linker::<T, Names>(linker, view)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Links the interface of 0.3 in the place of the engine's.
pub(crate) fn add_p3_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    p3::add_to_linker::<T, Names>(linker, view)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// A look-up of 0.2, on its way or done. Dropping it gives it up.
enum Answer {
    Looking(Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, LookupError>> + Send>>),
    Found(vec::IntoIter<IpAddr>),
    Failed(LookupError),
}

impl Answer {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::Looking(looking) = self {
            *self = match std::task::ready!(looking.as_mut().poll(cx)) {
                Ok(found) => Self::Found(found.into_iter()),
                Err(error) => Self::Failed(error),
            };
        }
        Poll::Ready(())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Answer {
    async fn ready(&mut self) {
        std::future::poll_fn(|cx| self.poll(cx)).await;
    }
}

/// The table has an [`Answer`] where the interface has its own type, which only the engine can make.
fn answer(stream: &Resource<p2::ResolveAddressStream>) -> Resource<Answer> {
    Resource::new_borrow(stream.rep())
}

impl p2::Host for View<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<p2::ResolveAddressStream>> {
        self.table.get(&network)?;
        let looking = self.reach.look_up(&name).map_err(refusal)?;
        let stream = self.table.push(Answer::Looking(Box::pin(looking)))?;
        Ok(Resource::new_own(stream.rep()))
    }
}

/// Asked for the conversion of errors only; the interface itself stays the engine's.
impl network::Host for View<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, _: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(None)
    }
}

impl network::HostNetwork for View<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        self.table.delete(network)?;
        Ok(())
    }
}

impl p2::HostResolveAddressStream for View<'_> {
    fn resolve_next_address(&mut self, stream: Resource<p2::ResolveAddressStream>) -> SocketResult<Option<IpAddress>> {
        let answer = self.table.get_mut(&answer(&stream))?;
        if answer.poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            return Err(ErrorCode::WouldBlock.into());
        }
        match answer {
            Answer::Found(found) => Ok(found.next().map(IpAddress::from)),
            Answer::Failed(error) => Err(refusal(*error)),
            Answer::Looking(_) => Err(ErrorCode::WouldBlock.into()),
        }
    }

    fn subscribe(&mut self, stream: Resource<p2::ResolveAddressStream>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, answer(&stream))
    }

    fn drop(&mut self, stream: Resource<p2::ResolveAddressStream>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Answer>::new_own(stream.rep()))?;
        Ok(())
    }
}

fn refusal(error: LookupError) -> SocketError {
    let code = match error {
        LookupError::Denied => ErrorCode::AccessDenied,
        LookupError::Invalid => ErrorCode::InvalidArgument,
        LookupError::NotFound => ErrorCode::NameUnresolvable,
        LookupError::Late => ErrorCode::TemporaryResolverFailure,
    };
    code.into()
}

impl p3::Host for View<'_> {}

impl<T: Send> p3::HostWithStore<T> for Names {
    async fn resolve_addresses(
        store: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<Vec<p3::IpAddress>, p3::ErrorCode>> {
        let looking = store.with(|mut access| access.get().reach.look_up(&name));
        let found = match looking {
            Ok(looking) => looking.await,
            Err(error) => Err(error),
        };
        Ok(match found {
            Ok(found) => Ok(found.into_iter().map(p3::IpAddress::from).collect()),
            Err(LookupError::Denied) => Err(p3::ErrorCode::AccessDenied),
            Err(LookupError::Invalid) => Err(p3::ErrorCode::InvalidArgument),
            Err(LookupError::NotFound) => Err(p3::ErrorCode::NameUnresolvable),
            Err(LookupError::Late) => Err(p3::ErrorCode::TemporaryResolverFailure),
        })
    }
}
