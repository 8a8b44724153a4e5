//! What is generated of `wasi:blobstore@0.2.0-draft`, with the streams that the engine's WASI links.

#![allow(missing_docs, unreachable_pub, reason = "generated")]

wasmtime::component::bindgen!({
    path: ["../../../wit/wasi-0.2/deps/io.wit", "../../../wit/blobstore"],
    world: "wasi:blobstore/imports",
    imports: { default: async | trappable },
    with: {
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "wasi:blobstore/container.container": super::Container,
        "wasi:blobstore/container.stream-object-names": super::container::Names,
        "wasi:blobstore/types.incoming-value": super::reader::Incoming,
        "wasi:blobstore/types.outgoing-value": super::writer::Outgoing,
    },
});
