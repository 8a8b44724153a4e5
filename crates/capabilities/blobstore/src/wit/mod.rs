//! The interface: WIT ⇄ [`crate::api`].
//!
//! In: a call of a guest. Out: the interface's answer. Next: [`Store`], behind the label's gate.
//!
//! A container's name is `LABEL` or `LABEL/NAME`: before the first `/` is the label, which has to be granted, behind it a container within
//! it. So a guest reaches what its manifest names, and nothing else.

mod blobstore;
mod container;
mod copy;
mod generated;
mod reader;
mod types;
mod writer;

use crate::api::{ContainerName, Error, ObjectId, ObjectName, Store};
use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable, ResourceTableError};
use wharf_kit::{Access, Granted, Kind, Label, Names as LinkNames, Payload, Refused, Tally};

pub use container::Names;
pub use reader::Incoming;
pub use writer::Outgoing;

use generated::wasi::blobstore as wit;

/// What one store lends the adapter for one call.
pub struct View<'a> {
    /// What the component may touch.
    pub granted: &'a Arc<Granted<dyn Store>>,
    /// The numbers of the invocation.
    pub tally: &'a mut Tally,
    /// The guest's handles.
    pub table: &'a mut ResourceTable,
}

/// Marks the data of this capability in a store.
struct Blobstore;

impl HasData for Blobstore {
    type Data<'a> = View<'a>;
}

/// Links `wasi:blobstore`; the streams of `wasi:io` are linked by others. The functions are asynchronous: they need a store that is called so.
///
/// # Errors
/// When one of their names is linked already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    names: LinkNames,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    wit::types::add_to_linker_instance::<T, Blobstore>(
        &mut linker.instance(&names.of("wasi:blobstore/types@0.2.0-draft"))?,
        view,
    )?;
    wit::container::add_to_linker_instance::<T, Blobstore>(
        &mut linker.instance(&names.of("wasi:blobstore/container@0.2.0-draft"))?,
        view,
    )?;
    wit::blobstore::add_to_linker_instance::<T, Blobstore>(
        &mut linker.instance(&names.of("wasi:blobstore/blobstore@0.2.0-draft"))?,
        view,
    )
}

/// A container that a guest has open.
#[derive(Clone)]
pub struct Container {
    label: Arc<Label<dyn Store>>,
    name: ContainerName,
}

impl Container {
    fn object(&self, name: &str) -> Result<ObjectId, Failure> {
        Ok(ObjectId { container: self.name.clone(), name: ObjectName::new(name)? })
    }

    /// Returns the name as guests write it.
    fn full_name(&self) -> String {
        let label = &self.label.name;
        if self.name.is_root() { label.clone() } else { format!("{label}/{}", self.name) }
    }
}

/// Why a guest gets no answer.
#[derive(Debug)]
enum Failure {
    /// The label is not granted, or only for reading.
    Denied(String),
    /// The call failed.
    Call(Error),
    /// What the guest did is told as a text.
    Misuse(&'static str),
    /// The guest has as many handles as it may have.
    Handles,
    /// The guest did what no guest can do that was compiled from the interface.
    Trap(wasmtime::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(text) => f.write_str(text),
            Self::Misuse(text) => f.write_str(text),
            Self::Handles => f.write_str("the component has too many open handles"),
            Self::Call(error) => error.fmt(f),
            Self::Trap(trap) => trap.fmt(f),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Call(refused.into())
    }
}

impl From<ResourceTableError> for Failure {
    fn from(error: ResourceTableError) -> Self {
        match error {
            ResourceTableError::Full => Self::Handles,
            error => Self::Trap(error.into()),
        }
    }
}

/// What every function of the interface returns: a trap outside, the guest's own error inside.
type Answer<T> = wasmtime::Result<Result<T, String>>;

impl View<'_> {
    /// Returns the container that a guest names, if its label is granted.
    fn locate(&mut self, name: &str) -> Result<Container, Failure> {
        let (label, within) = name.split_once('/').map_or((name, None), |(label, within)| (label, Some(within)));
        let label = self.granted.label(label, self.tally).map(Arc::clone);
        let label = label.ok_or_else(|| Failure::Denied(format!("access to the container {name:?} is not granted")))?;
        let name = within.map_or_else(|| Ok(ContainerName::root()), ContainerName::new)?;
        Ok(Container { label, name })
    }

    fn opened(&self, container: &Resource<Container>) -> Result<Container, Failure> {
        Ok(self.table.get(container)?.clone())
    }

    /// Returns an open container that may be changed.
    fn writable(&mut self, container: &Resource<Container>) -> Result<Container, Failure> {
        let container = self.opened(container)?;
        self.check_write(&container)?;
        Ok(container)
    }

    fn check_write(&mut self, container: &Container) -> Result<(), Failure> {
        if container.label.access == Access::ReadWrite {
            return Ok(());
        }
        self.granted.refuse_write(&container.label, self.tally);
        Err(Failure::Denied(format!("the container {:?} is granted for reading only", container.full_name())))
    }

    /// Makes one call of a backend, within the bounds of its label.
    async fn call<T: Payload>(
        &mut self,
        label: &Label<dyn Store>,
        operation: &'static str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failure> {
        Ok(label.gate.call(self.tally, operation, 0, Error::kind, call).await?)
    }

    /// Makes of a result what the guest reads; what the operator has to know is logged.
    fn answer<T>(&self, result: Result<T, Failure>) -> Answer<T> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(Failure::Trap(trap)) => Err(trap),
            Err(failure) => {
                if let Failure::Call(error) = &failure {
                    let who = self.granted.who();
                    log(&who.app, &who.component, error);
                }
                Ok(Err(failure.to_string()))
            }
        }
    }
}

/// Logs what only the operator can change, with its causes.
fn log(app: &str, component: &str, error: &Error) {
    let is_ours = matches!(error.kind(), Kind::Unavailable | Kind::Backend) && !matches!(error, Error::Refused(_));
    if !is_ours {
        return;
    }
    let mut causes = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push_str(": ");
        causes.push_str(&error.to_string());
        cause = error.source();
    }
    tracing::warn!(%app, %component, "blobstore: {error}{causes}");
}

#[cfg(test)]
mod tests;
