//! The socket that a debugger connects to, and the states of its session.
//!
//! In: connections, one at a time. Out: packets. Next: [`crate::target`].

use crate::Error;
use crate::handler::Debuggee;
use crate::shared::{Event, Shared, Stop};
use crate::target::{Remote, THREAD};
use gdbstub::common::Signal;
use gdbstub::conn::Connection;
use gdbstub::stub::state_machine::GdbStubStateMachine as Machine;
use gdbstub::stub::{GdbStub, MultiThreadStopReason};
use gdbstub_arch::wasm::reg::id::WasmRegId;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use wasmtime::component::Component;
use wasmtime::{Module, Trap};

/// Bytes of one packet: LLDB reads modules in pieces of this size.
const PACKET_BYTES: usize = 128 << 10;

/// Serves one component of a process to debuggers.
#[derive(Clone)]
pub struct Debugger {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Debugger {
    /// Starts to listen; port 0 takes a free one. Ends with the process.
    ///
    /// Whoever connects reads and writes all memory of the guests: listen on loopback.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub fn listen(address: SocketAddr) -> Result<Self, Error> {
        let failed = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared::default());
        let server = Arc::clone(&shared);
        let thread = thread::Builder::new().name("wharf-debugger".into());
        thread.spawn(move || serve(&listener, &server)).map_err(failed)?;
        Ok(Self { shared, address })
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes a component as the one that is debugged. A debugger that looks at an earlier version has to attach again.
    ///
    /// # Errors
    /// When its engine cannot debug.
    pub fn load(&self, name: &str, component: &Component) -> Result<Debuggee, Error> {
        Debuggee::component(&self.shared, name, component)
    }

    /// Takes a core module as what is debugged.
    ///
    /// # Errors
    /// When its engine cannot debug.
    pub fn load_module(&self, name: &str, module: &Module) -> Result<Debuggee, Error> {
        Debuggee::module(&self.shared, name, module)
    }

    /// Says that a program waits for a debugger, and will start when one is attached: it is seen at its first instruction.
    pub fn expect(&self) {
        self.shared.expect_debugger();
    }

    /// Blocks until a debugger is attached.
    pub fn wait(&self) {
        self.shared.wait_for_debugger();
    }

    /// Tells the debugger that the program has ended with this code.
    pub fn end(&self, code: u8) {
        self.shared.end(code);
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for connection in listener.incoming() {
        let Ok(connection) = connection else { continue };
        let Ok(input) = connection.try_clone() else { continue };
        let _ = connection.set_nodelay(true);
        shared.attach();
        tracing::info!("a debugger is attached: the component stands still until it says to go on");
        thread::scope(|scope| {
            scope.spawn(|| receive(input, shared));
            // What a debugger sends must not end the process, nor the next session.
            let ended = catch_unwind(AssertUnwindSafe(|| session(&connection, shared)));
            let reason = match ended {
                Ok(Ok(())) => String::new(),
                Ok(Err(reason)) => format!(": {reason}"),
                Err(_) => ": its session failed".to_owned(),
            };
            // Requests that wait go on, and the receiving thread ends.
            shared.detach();
            let _ = connection.shutdown(Shutdown::Both);
            tracing::info!("the debugger has left{reason}");
        });
    }
}

fn receive(mut input: TcpStream, shared: &Shared) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = input.read(&mut buffer) {
        shared.received(buffer.get(..length).unwrap_or_default());
    }
    shared.closed();
}

/// Answers one debugger until it leaves.
fn session(connection: &TcpStream, shared: &Arc<Shared>) -> Result<(), String> {
    let wire = Wire { connection, packet: Vec::new() };
    let stub = GdbStub::builder(wire).packet_buffer_size(PACKET_BYTES).build().map_err(|error| error.to_string())?;
    let mut remote = Remote::new(Arc::clone(shared));
    let mut machine = stub.run_state_machine(&mut remote).map_err(|error| error.to_string())?;
    loop {
        let next = match machine {
            Machine::Idle(idle) => match shared.next() {
                Event::Byte(byte) => idle.incoming_data(&mut remote, byte),
                Event::Stopped(_) => Ok(idle.into()),
                Event::Ended(_) | Event::Closed => return Ok(()),
            },
            Machine::Running(running) => match shared.next() {
                Event::Byte(byte) => running.incoming_data(&mut remote, byte),
                Event::Stopped(stop) => {
                    // LLDB wants to know where a thread is together with the news that it stopped.
                    let place = remote.place().to_le_bytes();
                    let mut registers = std::iter::once((WasmRegId::Pc, place.as_slice()));
                    running.report_stop_with_regs(&mut remote, reason(stop), &mut registers)
                }
                Event::Ended(code) => running.report_stop(&mut remote, MultiThreadStopReason::Exited(code)),
                Event::Closed => return Ok(()),
            },
            Machine::CtrlCInterrupt(interrupt) => {
                shared.interrupt();
                interrupt.interrupt_handled(&mut remote, Some(reason(Stop::Interrupt)))
            }
            Machine::Disconnected(_) => return Ok(()),
        };
        machine = next.map_err(|error| error.to_string())?;
    }
}

fn reason(stop: Stop) -> MultiThreadStopReason<u64> {
    let signal = match stop {
        Stop::Breakpoint => return MultiThreadStopReason::SwBreak(THREAD),
        Stop::Step => Signal::SIGTRAP,
        Stop::Interrupt => Signal::SIGINT,
        Stop::HostError => Signal::SIGABRT,
        Stop::Trap(Trap::UnreachableCodeReached) => Signal::SIGILL,
        Stop::Trap(Trap::IntegerDivisionByZero | Trap::IntegerOverflow | Trap::BadConversionToInteger) => {
            Signal::SIGFPE
        }
        Stop::Trap(_) => Signal::SIGSEGV,
    };
    MultiThreadStopReason::SignalWithThread { tid: THREAD, signal }
}

/// The way to the debugger: a packet is sent when it is complete.
struct Wire<'a> {
    connection: &'a TcpStream,
    packet: Vec<u8>,
}

impl Connection for Wire<'_> {
    type Error = io::Error;

    fn write(&mut self, byte: u8) -> io::Result<()> {
        self.packet.push(byte);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let packet = std::mem::take(&mut self.packet);
        self.connection.write_all(&packet)
    }
}
