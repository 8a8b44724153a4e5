//! Links what the members of a fused component may touch, each under names of its own.
//!
//! In: a linker of a lane, and how many members there are. Out: the same with the interfaces that draw on grants, once more for each member.
//! Next: `runtime::load`.
//!
//! Members share a store, so they cannot be told apart by it; they are by the names of their imports, which were changed when they were
//! fused. Interfaces that draw on no grant (streams, clocks, random, types) are shared: what they hand out can cross between members.

use crate::ctx::Lent;
use crate::sockets;
use crate::{Ctx, capabilities};
use wasmtime::Result;
use wasmtime::component::{Linker, LinkerInstance};
use wasmtime_wasi::cli::{WasiCli, WasiCliCtxView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtxView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView};
use wasmtime_wasi::{WasiCtxView, p2, p3};
use wasmtime_wasi_http::{WasiHttp, p2 as http_p2, p3 as http_p3};
use wharf_kit::Names;

/// Members with grants of their own that one fused component may have. Each costs the host a few hundred links at load.
pub const MEMBERS: usize = 16;

type Link = fn(&mut Linker<Ctx>, bool) -> Result<()>;

/// One entry for each member number, from one on: a view is a plain function, which can carry a number only in its type.
const LINKS: [Link; MEMBERS] = [
    one::<1>, one::<2>, one::<3>, one::<4>, one::<5>, one::<6>, one::<7>, one::<8>, one::<9>, one::<10>, one::<11>,
    one::<12>, one::<13>, one::<14>, one::<15>, one::<16>,
];

/// Links the first `count` members, with the interfaces of WASI 0.3 if the lane has them.
///
/// # Errors
/// When they are more than [`MEMBERS`], or linked already.
pub fn add_to_linker(linker: &mut Linker<Ctx>, count: usize, is_concurrent: bool) -> Result<()> {
    wasmtime::ensure!(count <= MEMBERS, "a fused component has at most {MEMBERS} members with grants of their own");
    LINKS.iter().take(count).try_for_each(|link| link(linker, is_concurrent))
}

fn one<const MEMBER: u8>(linker: &mut Linker<Ctx>, is_concurrent: bool) -> Result<()> {
    let names = Names::member(MEMBER);
    capabilities::add_to_linker::<MEMBER>(linker, names)?;
    add_p2::<MEMBER>(&mut Named { linker, names })?;
    if is_concurrent {
        add_p3::<MEMBER>(&mut Named { linker, names })?;
    }
    Ok(())
}

/// A linker that opens interfaces under the names of a member.
struct Named<'a> {
    linker: &'a mut Linker<Ctx>,
    names: Names,
}

impl Named<'_> {
    fn open(&mut self, interface: &str) -> Result<LinkerInstance<'_, Ctx>> {
        self.linker.instance(&self.names.of(interface))
    }
}

fn add_p2<const MEMBER: u8>(linker: &mut Named<'_>) -> Result<()> {
    use http_p2::bindings::http::outgoing_handler;
    use p2::bindings::cli::environment;
    use p2::bindings::filesystem::{preopens, types};
    use p2::bindings::sockets::{instance_network, network, tcp, tcp_create_socket, udp, udp_create_socket};
    // Any version of 0.2 that a guest asks for fits.
    let at = |interface: &str| format!("{interface}@0.2.12");
    environment::add_to_linker_instance::<_, WasiCli>(&mut linker.open(&at("wasi:cli/environment"))?, cli::<MEMBER>)?;
    preopens::add_to_linker_instance::<_, WasiFilesystem>(
        &mut linker.open(&at("wasi:filesystem/preopens"))?,
        filesystem::<MEMBER>,
    )?;
    types::add_to_linker_instance::<_, WasiFilesystem>(
        &mut linker.open(&at("wasi:filesystem/types"))?,
        filesystem::<MEMBER>,
    )?;
    let options = network::LinkOptions::default();
    network::add_to_linker_instance::<_, WasiSockets>(
        &mut linker.open(&at("wasi:sockets/network"))?,
        &options,
        sockets::<MEMBER>,
    )?;
    instance_network::add_to_linker_instance::<_, WasiSockets>(
        &mut linker.open(&at("wasi:sockets/instance-network"))?,
        sockets::<MEMBER>,
    )?;
    tcp::add_to_linker_instance::<_, WasiSockets>(&mut linker.open(&at("wasi:sockets/tcp"))?, sockets::<MEMBER>)?;
    tcp_create_socket::add_to_linker_instance::<_, WasiSockets>(
        &mut linker.open(&at("wasi:sockets/tcp-create-socket"))?,
        sockets::<MEMBER>,
    )?;
    udp::add_to_linker_instance::<_, WasiSockets>(&mut linker.open(&at("wasi:sockets/udp"))?, sockets::<MEMBER>)?;
    udp_create_socket::add_to_linker_instance::<_, WasiSockets>(
        &mut linker.open(&at("wasi:sockets/udp-create-socket"))?,
        sockets::<MEMBER>,
    )?;
    sockets::add_p2_to_linker_instance(&mut linker.open(&at("wasi:sockets/ip-name-lookup"))?, names::<MEMBER>)?;
    outgoing_handler::add_to_linker_instance::<_, WasiHttp>(
        &mut linker.open(&at("wasi:http/outgoing-handler"))?,
        http::<MEMBER>,
    )
}

fn add_p3<const MEMBER: u8>(linker: &mut Named<'_>) -> Result<()> {
    use http_p3::bindings::http::client;
    use p3::bindings::cli::environment;
    use p3::bindings::filesystem::{preopens, types as files};
    use p3::bindings::sockets::types;
    let at = |interface: &str| format!("{interface}@0.3.0");
    environment::add_to_linker_instance::<_, WasiCli>(&mut linker.open(&at("wasi:cli/environment"))?, cli::<MEMBER>)?;
    preopens::add_to_linker_instance::<_, WasiFilesystem>(
        &mut linker.open(&at("wasi:filesystem/preopens"))?,
        filesystem::<MEMBER>,
    )?;
    files::add_to_linker_instance::<_, WasiFilesystem>(
        &mut linker.open(&at("wasi:filesystem/types"))?,
        filesystem::<MEMBER>,
    )?;
    types::add_to_linker_instance::<_, WasiSockets>(&mut linker.open(&at("wasi:sockets/types"))?, sockets::<MEMBER>)?;
    sockets::add_p3_to_linker_instance(&mut linker.open(&at("wasi:sockets/ip-name-lookup"))?, names::<MEMBER>)?;
    client::add_to_linker_instance::<_, WasiHttp>(&mut linker.open(&at("wasi:http/client"))?, http::<MEMBER>)
}

fn wasi<const MEMBER: u8>(ctx: &mut Ctx) -> WasiCtxView<'_> {
    ctx.lend(MEMBER).wasi()
}

fn cli<const MEMBER: u8>(ctx: &mut Ctx) -> WasiCliCtxView<'_> {
    let WasiCtxView { ctx, table } = wasi::<MEMBER>(ctx);
    WasiCliCtxView { ctx: ctx.cli(), table }
}

fn filesystem<const MEMBER: u8>(ctx: &mut Ctx) -> WasiFilesystemCtxView<'_> {
    let WasiCtxView { ctx, table } = wasi::<MEMBER>(ctx);
    WasiFilesystemCtxView { ctx: ctx.filesystem(), table }
}

fn sockets<const MEMBER: u8>(ctx: &mut Ctx) -> WasiSocketsCtxView<'_> {
    let WasiCtxView { ctx, table } = wasi::<MEMBER>(ctx);
    WasiSocketsCtxView { ctx: ctx.sockets(), table }
}

fn names<const MEMBER: u8>(ctx: &mut Ctx) -> sockets::View<'_> {
    ctx.lend(MEMBER).names()
}

fn http<const MEMBER: u8>(ctx: &mut Ctx) -> wasmtime_wasi_http::WasiHttpCtxView<'_> {
    let lent: Lent<'_> = ctx.lend(MEMBER);
    lent.http()
}
