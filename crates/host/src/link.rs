//! Everything a guest can import, in one function that reads from top to bottom.
//!
//! In: an engine. Out: a [`Linker`] with WASI 0.2 and 0.3, told apart by their versions, and all capabilities. Next: `runtime::load`.
//!
//! An interface is linked even where nothing is granted: the guest then gets the interface's own refusal, not a failed start.

use crate::Ctx;
use wasmtime::component::Linker;
use wasmtime::{Engine, Result};
use wharf_kit::Names;

/// Links all host interfaces.
///
/// # Errors
/// Only if two interfaces had one name, which would be a mistake of this list.
pub fn all(engine: &Engine) -> Result<Linker<Ctx>> {
    let mut linker = everywhere(engine, true)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    crate::sockets::add_p3_to_linker(&mut linker, |ctx: &mut Ctx| ctx.lend(0).names())?;
    crate::clocks::add_p3_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// Links those whose functions need no task of the engine: everything but WASI 0.3.
///
/// # Errors
/// As [`all`].
pub fn plain(engine: &Engine) -> Result<Linker<Ctx>> {
    everywhere(engine, false)
}

fn everywhere(engine: &Engine, is_concurrent: bool) -> Result<Linker<Ctx>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    crate::sockets::add_p2_to_linker(&mut linker, |ctx: &mut Ctx| ctx.lend(0).names())?;
    crate::clocks::add_p2_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    crate::capabilities::add_to_linker::<0>(&mut linker, Names::OWN)?;
    crate::logging::add_to_linker(&mut linker)?;
    crate::next::add_to_linker(&mut linker, is_concurrent)?;
    Ok(linker)
}
