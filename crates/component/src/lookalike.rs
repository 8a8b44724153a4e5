//! What a file is when it is not WebAssembly, told from its first bytes.

use std::fmt;

/// What a file that is not WebAssembly looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookalike {
    /// WebAssembly text (`.wat`).
    Wat,
    /// WIT text.
    Wit,
    /// Compiled by Wasmtime for one machine (`.cwasm`).
    Precompiled,
    /// A native Linux program or library.
    Elf,
    /// A native macOS program or library.
    MachO,
    /// A native Windows program or library.
    Windows,
    /// A zip archive.
    Zip,
    /// Compressed with gzip.
    Gzip,
    /// Compressed with zstd.
    Zstd,
    /// A tar archive.
    Tar,
    /// A web page: mostly the error page of a download.
    Html,
    /// JSON, for example an OCI manifest.
    Json,
    /// A Git LFS pointer instead of the file.
    GitLfs,
    /// An `ar` archive of objects (`.a`, `.rlib`).
    Archive,
    /// LLVM bitcode.
    Bitcode,
    /// Some other text.
    Text,
    /// Nothing known.
    Unknown,
}

/// How far into a file the search for Wasmtime's ELF sections goes: the section names stand at the end of the file, but
/// the compatibility section is written first.
const ELF_SEARCH_BYTES: usize = 64 * 1024;

const MAGIC: &[(&[u8], Lookalike)] = &[
    (b"PK\x03\x04", Lookalike::Zip),
    (b"PK\x05\x06", Lookalike::Zip),
    (b"\x1f\x8b", Lookalike::Gzip),
    (b"\x28\xb5\x2f\xfd", Lookalike::Zstd),
    (b"MZ", Lookalike::Windows),
    (b"\xfe\xed\xfa\xce", Lookalike::MachO),
    (b"\xfe\xed\xfa\xcf", Lookalike::MachO),
    (b"\xce\xfa\xed\xfe", Lookalike::MachO),
    (b"\xcf\xfa\xed\xfe", Lookalike::MachO),
    (b"\xca\xfe\xba\xbe", Lookalike::MachO),
    (b"!<arch>\n", Lookalike::Archive),
    (b"BC\xc0\xde", Lookalike::Bitcode),
    (b"version https://git-lfs", Lookalike::GitLfs),
];

impl Lookalike {
    /// Looks at the bytes of a file that does not start with the WebAssembly magic.
    pub fn of(bytes: &[u8]) -> Lookalike {
        if bytes.starts_with(b"\x7fELF") {
            return elf(bytes);
        }
        if let Some((_, found)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            return *found;
        }
        if bytes.get(257..262) == Some(b"ustar") {
            return Lookalike::Tar;
        }
        text(bytes)
    }
}

fn elf(bytes: &[u8]) -> Lookalike {
    let end = bytes.len().saturating_sub(ELF_SEARCH_BYTES);
    let ends = [&bytes[..bytes.len().min(ELF_SEARCH_BYTES)], &bytes[end..]];
    let is_wasmtime = ends.iter().any(|part| part.windows(9).any(|window| window == b".wasmtime"));
    if is_wasmtime { Lookalike::Precompiled } else { Lookalike::Elf }
}

fn text(bytes: &[u8]) -> Lookalike {
    let head = &bytes[..bytes.len().min(512)];
    let head = match std::str::from_utf8(head) {
        Ok(head) => head,
        // The cut at 512 may have gone through a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Lookalike::Unknown,
    };
    if head.chars().any(|char| char.is_control() && !char.is_whitespace()) {
        return Lookalike::Unknown;
    }
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let lower = head.to_ascii_lowercase();
    if head.starts_with("(module") || head.starts_with("(component") || head.starts_with(";;") || head.starts_with("(;")
    {
        Lookalike::Wat
    } else if lower.starts_with("<!doctype") || lower.starts_with("<html") {
        Lookalike::Html
    } else if head.starts_with('{') || head.starts_with('[') {
        Lookalike::Json
    } else if head.lines().any(|line| line.starts_with("package ") && line.contains(':') && line.contains(';')) {
        Lookalike::Wit
    } else {
        Lookalike::Text
    }
}

impl fmt::Display for Lookalike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lookalike::Wat => "this is WebAssembly text; turn it into a binary with `wasm-tools parse FILE -o OUT.wasm`",
            Lookalike::Wit => "this is WIT text, which describes interfaces and has no code",
            Lookalike::Precompiled => {
                "this was compiled by Wasmtime for one machine (`.cwasm`); give the `.wasm` it was made from, compiled code is never loaded from outside"
            }
            Lookalike::Elf => "this is a native Linux program or library (ELF); build for a WebAssembly target, for example `cargo build --target wasm32-wasip2`",
            Lookalike::MachO => "this is a native macOS program or library; build for a WebAssembly target, for example `cargo build --target wasm32-wasip2`",
            Lookalike::Windows => "this is a native Windows program or library; build for a WebAssembly target, for example `cargo build --target wasm32-wasip2`",
            Lookalike::Zip => "this is a zip archive; unpack it and give the `.wasm` inside",
            Lookalike::Gzip => "this is compressed with gzip; unpack it and give the `.wasm` inside",
            Lookalike::Zstd => "this is compressed with zstd; unpack it and give the `.wasm` inside",
            Lookalike::Tar => "this is a tar archive; unpack it and give the `.wasm` inside",
            Lookalike::Html => "this is a web page, perhaps the error page of a download",
            Lookalike::Json => "this is JSON, perhaps the manifest of an artifact instead of its content",
            Lookalike::GitLfs => "this is a Git LFS pointer; fetch the real file with `git lfs pull`",
            Lookalike::Archive => "this is an archive of object files; link it first",
            Lookalike::Bitcode => "this is LLVM bitcode; link it first",
            Lookalike::Text => "this is text",
            Lookalike::Unknown => "its first bytes are not `\\0asm`",
        })
    }
}
