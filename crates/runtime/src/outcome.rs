//! What came of an invocation that did not end well: one cause, one status, one code.

use crate::component::Identity;
use crate::meter::Ended;
use std::fmt;
use std::time::Duration;
use wasmtime::{Trap, WasmBacktrace, WasmCoreDump};
use wharf_host::Refusal;
use wharf_telemetry::{RequestId, Size};

/// Why an invocation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The guest trapped: a panic, an out-of-bounds access, an exhausted stack.
    Trap,
    /// It used more CPU time than its budget.
    Cpu(Duration),
    /// It took longer than its wall-clock limit.
    Wall(Duration),
    /// It wanted more memory than its limit.
    Memory {
        /// What it would have used, in bytes.
        wanted_bytes: usize,
        /// Its limit, in bytes.
        limit_bytes: usize,
    },
    /// Too many invocations run and wait already.
    Overloaded,
    /// It returned without setting a response.
    NoResponse,
    /// It answered with an error of the interface instead of a response.
    GuestError(String),
    /// An instance could not be made.
    Instantiation,
    /// The engine itself failed; the process and all other invocations go on.
    Engine,
    /// It sent more body bytes than its limit.
    ResponseBody {
        /// Its limit, in bytes.
        limit_bytes: u64,
    },
    /// The body of the request was longer than the component takes: the client's fault.
    RequestBody {
        /// What it takes, in bytes.
        limit_bytes: u64,
    },
    /// The body of its response broke off.
    BrokenBody(String),
    /// The component does not export what the trigger calls.
    NotAHandler,
    /// A component that it depends on failed, and their interface has no error to say so.
    Dependency(String),
}

/// A failed invocation: the cause for everybody, the detail for the log.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Why.
    pub cause: Cause,
    /// What the engine said, with the guest's backtrace if there is one. Never shown to a client.
    pub detail: Option<String>,
}

impl Cause {
    /// Returns the code of the page that explains this cause.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Trap => "WHARF-0030",
            Self::Cpu(_) => "WHARF-0031",
            Self::Wall(_) => "WHARF-0032",
            Self::Memory { .. } => "WHARF-0033",
            Self::Overloaded => "WHARF-0034",
            Self::NoResponse => "WHARF-0035",
            Self::GuestError(_) => "WHARF-0036",
            Self::Instantiation => "WHARF-0037",
            Self::Engine => "WHARF-0038",
            Self::ResponseBody { .. } => "WHARF-0039",
            Self::BrokenBody(_) => "WHARF-0040",
            Self::NotAHandler => "WHARF-0041",
            Self::RequestBody { .. } => "WHARF-0052",
            Self::Dependency(_) => "WHARF-0054",
        }
    }

    /// Returns the one HTTP status of this cause.
    pub fn status(&self) -> u16 {
        match self {
            Self::RequestBody { .. } => 413,
            Self::Overloaded => 503,
            Self::Cpu(_) | Self::Wall(_) => 504,
            Self::GuestError(_) | Self::Dependency(_) => 502,
            _ => 500,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap => f.write_str("the component trapped"),
            Self::Cpu(limit) => write!(f, "the component used more than its {limit:?} of CPU time"),
            Self::Wall(limit) => write!(f, "the component took longer than its {limit:?}"),
            Self::Memory { wanted_bytes, limit_bytes } => {
                let (wanted, limit) = (Size::from(*wanted_bytes), Size::from(*limit_bytes));
                write!(f, "the component wanted {wanted} of memory, its limit is {limit}")
            }
            Self::Overloaded => f.write_str("too many requests for this component run and wait already"),
            Self::NoResponse => f.write_str("the component returned without setting a response"),
            Self::GuestError(code) => write!(f, "the component answered with the error {code}"),
            Self::Instantiation => f.write_str("the component could not be instantiated"),
            Self::Engine => f.write_str("the engine failed while it ran the component"),
            Self::ResponseBody { limit_bytes } => {
                write!(f, "the component sent a body of more than its {}", Size::from(*limit_bytes))
            }
            Self::RequestBody { limit_bytes } => {
                write!(f, "the request body is larger than the limit of {}", Size::from(*limit_bytes))
            }
            Self::BrokenBody(why) => write!(f, "the component broke its response body off: {why}"),
            Self::NotAHandler => f.write_str("the component exports no HTTP handler"),
            Self::Dependency(why) => f.write_str(why),
        }
    }
}

impl Failure {
    pub(crate) fn ended(ended: Ended) -> Self {
        match ended {
            Ended::Cpu(limit) => Cause::Cpu(limit).into(),
            Ended::Wall(limit) => Cause::Wall(limit).into(),
            Ended::Panic => Cause::Engine.into(),
        }
    }

    /// Classifies an error of the engine. What the limiter refused explains a trap better than the trap does: guests trap
    /// when they cannot have memory.
    pub(crate) fn from_engine(error: &wasmtime::Error, refusal: Option<Refusal>, detail: String) -> Self {
        if let Some(failed) = error.downcast_ref::<wharf_transfer::Failed>() {
            return Self { cause: Cause::Dependency(failed.to_string()), detail: Some(detail) };
        }
        let cause = match refusal {
            Some(Refusal::Memory { wanted_bytes, limit_bytes }) => Cause::Memory { wanted_bytes, limit_bytes },
            None if error.is::<Trap>() || error.is::<WasmBacktrace>() || error.is::<WasmCoreDump>() => Cause::Trap,
            None if error.is::<wasmtime::PoolConcurrencyLimitError>() => Cause::Overloaded,
            None => Cause::Instantiation,
        };
        Self { cause, detail: Some(detail) }
    }

    /// Writes the failure to the log, with all that an operator needs and a client must not see.
    pub fn report(&self, identity: &Identity, request: Option<&RequestId>) {
        let request = request.map_or("-", RequestId::as_str);
        let detail = self.detail.as_deref().map_or(String::new(), |detail| format!("\n{detail}"));
        if matches!(self.cause, Cause::Overloaded | Cause::RequestBody { .. }) {
            // One line a refused request would be a flood at the worst moment, and by the will of clients; the access log has them.
            tracing::debug!(app = %identity.app, component = %identity.component, request, "{}: {}", self.cause.code(), self.cause);
            return;
        }
        tracing::error!(
            app = %identity.app, component = %identity.component, request,
            "{}: {}{detail}", self.cause.code(), self.cause
        );
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self { cause, detail: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for Failure {}
