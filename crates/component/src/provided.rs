//! The interfaces that this host gives to components, as data.
//!
//! The invariant: each line is in the linker that `host` builds, and each interface in that linker is a line.

use std::borrow::Cow;

/// One interface that a component may import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provided {
    /// The name without version, for example `wasi:http/types`.
    pub interface: Cow<'static, str>,
    /// The highest version; every compatible version is provided too. None for an interface without version.
    pub version: Option<Cow<'static, str>>,
}

impl Provided {
    /// An interface of the host.
    pub const fn new(interface: &'static str, version: &'static str) -> Provided {
        Provided { interface: Cow::Borrowed(interface), version: Some(Cow::Borrowed(version)) }
    }

    /// An interface by its full name, for example a dependency that the manifest satisfies.
    pub fn named(name: &str) -> Provided {
        match name.split_once('@') {
            Some((interface, version)) => {
                Provided { interface: Cow::Owned(interface.to_owned()), version: Some(Cow::Owned(version.to_owned())) }
            }
            None => Provided { interface: Cow::Owned(name.to_owned()), version: None },
        }
    }

    /// The full name, `interface@version`.
    pub fn full_name(&self) -> String {
        match &self.version {
            Some(version) => format!("{}@{version}", self.interface),
            None => self.interface.to_string(),
        }
    }
}

/// The version of WASI 0.2 that this host implements.
const P2: &str = "0.2.12";
/// The version of WASI 0.3 that this host implements.
const P3: &str = "0.3.0";

/// Every interface that this host provides to every component. `wasi:clocks/timezone` is unstable in both versions and left out.
pub const PROVIDED: &[Provided] = &[
    Provided::new("wasi:io/error", P2),
    Provided::new("wasi:io/poll", P2),
    Provided::new("wasi:io/streams", P2),
    Provided::new("wasi:clocks/monotonic-clock", P2),
    Provided::new("wasi:clocks/wall-clock", P2),
    Provided::new("wasi:random/random", P2),
    Provided::new("wasi:random/insecure", P2),
    Provided::new("wasi:random/insecure-seed", P2),
    Provided::new("wasi:cli/environment", P2),
    Provided::new("wasi:cli/exit", P2),
    Provided::new("wasi:cli/stdin", P2),
    Provided::new("wasi:cli/stdout", P2),
    Provided::new("wasi:cli/stderr", P2),
    Provided::new("wasi:cli/terminal-input", P2),
    Provided::new("wasi:cli/terminal-output", P2),
    Provided::new("wasi:cli/terminal-stdin", P2),
    Provided::new("wasi:cli/terminal-stdout", P2),
    Provided::new("wasi:cli/terminal-stderr", P2),
    Provided::new("wasi:filesystem/types", P2),
    Provided::new("wasi:filesystem/preopens", P2),
    Provided::new("wasi:sockets/network", P2),
    Provided::new("wasi:sockets/instance-network", P2),
    Provided::new("wasi:sockets/ip-name-lookup", P2),
    Provided::new("wasi:sockets/tcp", P2),
    Provided::new("wasi:sockets/tcp-create-socket", P2),
    Provided::new("wasi:sockets/udp", P2),
    Provided::new("wasi:sockets/udp-create-socket", P2),
    Provided::new("wasi:http/types", P2),
    Provided::new("wasi:http/outgoing-handler", P2),
    // For middleware: the component that comes after it.
    Provided::new("wasi:http/incoming-handler", P2),
    Provided::new("wasi:clocks/types", P3),
    Provided::new("wasi:clocks/monotonic-clock", P3),
    Provided::new("wasi:clocks/system-clock", P3),
    Provided::new("wasi:random/random", P3),
    Provided::new("wasi:random/insecure", P3),
    Provided::new("wasi:random/insecure-seed", P3),
    Provided::new("wasi:cli/types", P3),
    Provided::new("wasi:cli/environment", P3),
    Provided::new("wasi:cli/exit", P3),
    Provided::new("wasi:cli/stdin", P3),
    Provided::new("wasi:cli/stdout", P3),
    Provided::new("wasi:cli/stderr", P3),
    Provided::new("wasi:cli/terminal-input", P3),
    Provided::new("wasi:cli/terminal-output", P3),
    Provided::new("wasi:cli/terminal-stdin", P3),
    Provided::new("wasi:cli/terminal-stdout", P3),
    Provided::new("wasi:cli/terminal-stderr", P3),
    Provided::new("wasi:filesystem/types", P3),
    Provided::new("wasi:filesystem/preopens", P3),
    Provided::new("wasi:sockets/types", P3),
    Provided::new("wasi:sockets/ip-name-lookup", P3),
    Provided::new("wasi:http/types", P3),
    Provided::new("wasi:http/client", P3),
    Provided::new("wasi:http/handler", P3),
    // A pre-release stands for itself only: each version that components are built with has its line.
    Provided::new("wasi:keyvalue/store", "0.2.0-draft"),
    Provided::new("wasi:keyvalue/atomics", "0.2.0-draft"),
    Provided::new("wasi:keyvalue/batch", "0.2.0-draft"),
    Provided::new("wasi:keyvalue/store", "0.2.0-draft2"),
    Provided::new("wasi:keyvalue/atomics", "0.2.0-draft2"),
    Provided::new("wasi:keyvalue/batch", "0.2.0-draft2"),
    Provided::new("wharf:sql/database", "0.1.0"),
    Provided::new("wasi:blobstore/types", "0.2.0-draft"),
    Provided::new("wasi:blobstore/container", "0.2.0-draft"),
    Provided::new("wasi:blobstore/blobstore", "0.2.0-draft"),
    Provided::new("wasi:messaging/types", "0.2.0-draft"),
    Provided::new("wasi:messaging/producer", "0.2.0-draft"),
    Provided::new("wasi:messaging/request-reply", "0.2.0-draft"),
    Provided::new("wasmcloud:messaging/types", "0.2.0"),
    Provided::new("wasmcloud:messaging/consumer", "0.2.0"),
    Provided::new("wasi:config/store", "0.2.0-rc.1"),
    Provided::new("wasi:config/store", "0.2.0-draft"),
    Provided::new("wasi:config/runtime", "0.2.0-draft"),
    Provided::new("wasi:config/store", "0.2.0-draft-2024-09-27"),
    Provided::new("wharf:secrets/store", "0.1.0"),
    Provided::new("wharf:secrets/reveal", "0.1.0"),
    Provided::new("wasi:logging/logging", "0.1.0-draft"),
];

/// The functions of WASI preview 1, for core modules.
pub(crate) const PREVIEW1_FUNCTIONS: &[&str] = &[
    "args_get",
    "args_sizes_get",
    "clock_res_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_advise",
    "fd_allocate",
    "fd_close",
    "fd_datasync",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_fdstat_set_rights",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_pread",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_pwrite",
    "fd_read",
    "fd_readdir",
    "fd_renumber",
    "fd_seek",
    "fd_sync",
    "fd_tell",
    "fd_write",
    "path_create_directory",
    "path_filestat_get",
    "path_filestat_set_times",
    "path_link",
    "path_open",
    "path_readlink",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
    "poll_oneoff",
    "proc_exit",
    "proc_raise",
    "random_get",
    "sched_yield",
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
];
