//! Tests over binaries made on the spot: WAT for modules, WIT with empty functions for components.

mod checks;
mod compares;
mod entries;
mod files;
mod hostile;
mod outline;
mod reports;
mod standard;

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WorldId};

use crate::{Facts, inspect};

/// The bits of WASI that the tests import, in the shape of the real ones.
const WASI: &str = "
    package wasi:http@0.2.12 {
        interface types { resource fields { get: func(name: string) -> list<list<u8>>; } }
        interface incoming-handler { use types.{fields}; handle: func(request: borrow<fields>); }
        interface outgoing-handler { use types.{fields}; handle: func(request: borrow<fields>) -> result<fields>; }
    }
    package wasi:http@0.3.0 {
        interface types { resource request; resource response; }
        interface handler { use types.{request, response}; handle: func(request: request) -> result<response>; }
        interface client { use types.{request, response}; send: func(request: request) -> result<response>; }
    }
    package wasi:http@0.3.0-rc-2026-03-15 {
        interface types { resource request; }
        interface handler { use types.{request}; handle: func(request: request); }
    }
    package wasi:cli@0.2.6 {
        interface run { run: func() -> result; }
        interface stdout { get-stdout: func() -> u32; }
    }
    package wasi:cli@0.3.2 { interface run { run: func() -> result; } }
    package wasi:keyvalue@0.2.0-draft2 {
        interface store { get: func(key: string) -> option<list<u8>>; }
        interface watcher { on-set: func(key: string); }
    }
    package wasi:clocks@0.2.12 { interface timezone { utc-offset: func() -> s32; } }
    package fermyon:spin@2.0.0 { interface sqlite { open: func(name: string) -> u32; } }
    package acme:shop@1.2.0 {
        interface types { record order { id: u64 } }
        interface orders { use types.{order}; total: func(order: order) -> u32; find: func(page: u32) -> list<order>; }
    }
";

/// A component of a world that is written in WIT; its functions trap.
fn component(world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package =
        resolve.push_str("test.wit", &format!("package test:test;\nworld test {{ {world} }}\n{WASI}")).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    encode(&resolve, world)
}

fn encode(resolve: &Resolve, world: WorldId) -> Vec<u8> {
    ComponentEncoder::default().module(&module_of(resolve, world)).unwrap().validate(true).encode().unwrap()
}

/// The core module that a component of this world is made from.
fn module_of(resolve: &Resolve, world: WorldId) -> Vec<u8> {
    let mut module = dummy_module(resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    module
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn facts_of(world: &str) -> Facts {
    inspect(&component(world)).unwrap()
}

fn facts_of_wat(text: &str) -> Facts {
    inspect(&wat(text)).unwrap()
}
