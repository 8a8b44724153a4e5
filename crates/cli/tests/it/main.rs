//! The built program from outside: its command line, its files, its sockets, and guests that mean it no good.
//!
//! Guests come from `target/guests`; `cargo xtask guests` builds them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

mod browser;
mod build;
mod cache;
mod call;
mod compiling;
mod composition;
mod config;
mod debugger;
mod dev;
mod diagnose;
mod diff;
mod doctor;
mod drain;
mod fetch;
mod files;
mod graph;
mod grpc;
mod hostile;
mod http1;
mod http2;
mod inspect;
mod keyvalue;
mod labels;
mod languages;
mod limits;
mod links;
mod locked;
mod logging;
mod logs;
mod messaging;
mod middleware;
mod network;
mod notes;
mod polyglot;
mod preinit;
mod proxy;
mod pumps;
mod quickstart;
mod routing;
mod run;
mod scaffold;
mod shortener;
mod sources;
mod sql;
mod support;
mod swap;
mod terminal;
mod test_command;
mod thumbnails;
mod tls;
mod up;
mod wit;

#[test]
fn no_room_of_these_tests_is_forgotten() {
    let text = include_str!("main.rs");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let room = name.trim_end_matches(".rs");
        assert!(room == "main" || text.contains(&format!("mod {room};")), "{name} is not in main.rs");
    }
}
