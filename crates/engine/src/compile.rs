//! Compiles components, or maps what was compiled before.
//!
//! In: the bytes of a component. Out: [`Code`]. Next: `runtime`, which links it.
//!
//! Where [`Settings::process`](crate::Settings) says so, a component is compiled in a process of its own. It is not by default: who develops
//! an app, or runs a file, compiles what is his.
//!
//! Where [`Settings::incremental`](crate::Settings) says so, a large component is compiled in parts: the functions of each of its large
//! modules by themselves, and what is left. Each part is in the cache by its own digest. A script that changes in front of an interpreter
//! leaves the interpreter's part as it was, and what is left is compiled in milliseconds. That costs a load from memory at some accesses
//! of the guest to its own memory, which is an import then; so it is for those who change components, not for those who serve them.

use crate::cwasm::Cache;
use crate::engine::{Engine, Lane, Settings};
use crate::process::Failed;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::Module;
use wasmtime::component::Component as Compiled;
use wharf_telemetry::Size;
use wharf_unbundle::{Needs, Unbundled, unbundle};

/// Components from this size on are compiled in parts. Smaller ones are compiled in less time than a change of them takes to build.
const LARGE_BYTES: usize = 1 << 20;

/// Modules whose functions have this size are parts of their own.
const PART_BYTES: usize = 64 << 10;

/// A compiled component.
#[derive(Clone)]
pub struct Code {
    /// The component.
    pub component: Compiled,
    /// The modules that it imports, by their names, if it was compiled in parts.
    pub modules: Vec<(Arc<str>, Module)>,
    /// What its modules start with; absent for one that imports modules of others.
    pub needs: Option<Needs>,
}

/// Why a component has no code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The bytes are no component that the engine takes.
    #[error("the engine refuses it")]
    Invalid(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The compiler took more than it may.
    #[error("the compiler was stopped: {0}")]
    Stopped(String),
}

/// Compiles for one engine.
pub struct Compiler<'a> {
    engine: &'a Engine,
    settings: &'a Settings,
    cache: Option<&'a Cache>,
}

/// Returns the digest of a component's bytes: what it is known by in the cache and in the log.
pub fn digest(bytes: &[u8]) -> Arc<str> {
    format!("blake3:{}", blake3::hash(bytes).to_hex()).into()
}

/// Compiled code that stays with the process, by digest and engine.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<KeptKey, Code>>);

/// Code belongs to an engine, and there is one for each lane and size of stacks.
type KeptKey = (Arc<str>, Lane, usize);

impl Kept {
    /// Returns the code of a component for an engine, if it is there.
    pub fn get(&self, digest: &str, engine: &Engine) -> Option<Code> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key(digest, engine)).cloned()
    }

    /// Keeps code.
    pub fn put(&self, digest: &str, engine: &Engine, code: &Code) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key(digest, engine), code.clone());
    }
}

fn key(digest: &str, engine: &Engine) -> KeptKey {
    (Arc::from(digest), engine.lane(), engine.stack_bytes())
}

impl<'a> Compiler<'a> {
    /// Returns the compiler of an engine that was built with these settings.
    pub fn new(engine: &'a Engine, settings: &'a Settings, cache: Option<&'a Cache>) -> Self {
        Self { engine, settings, cache }
    }

    /// Tells whether the component of that digest is in the cache, whole or in parts.
    pub fn has(&self, digest: &str) -> bool {
        let Some(cache) = self.cache else { return false };
        let raw = self.engine.raw();
        cache.has(raw, digest) || (self.is_in_parts() && cache.has(raw, &shell_digest(digest)))
    }

    /// Returns the code of the component of that digest, and whether it was compiled for that.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn code(&self, bytes: &[u8], digest: &str) -> Result<(Code, bool), CompileError> {
        let raw = self.engine.raw();
        let known = |cache: &Cache| cache.component(raw, digest);
        if let Some(component) = self.cache.and_then(known) {
            return Ok((Code::whole(component), false));
        }
        if let Some(compiled) = self.parts(bytes, digest) {
            return Ok(compiled);
        }
        if let Some(code) = self.outside(bytes)? {
            let kept = self.cache.and_then(|cache| {
                cache.store(raw, digest, Ok(code));
                known(cache)
            });
            if let Some(component) = kept {
                return Ok((Code::whole(component), true));
            }
            // No code but the cache's is loaded. What was compiled within its limits can be compiled here.
        }
        // `from_binary`: text is not taken, a file of an app is what it says it is.
        let component = Compiled::from_binary(raw, bytes).map_err(|error| CompileError::Invalid(error.into()))?;
        Ok((Code::whole(self.kept(digest, component)), true))
    }

    /// Compiles in a process of its own, if that is wanted and there can be one.
    fn outside(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, CompileError> {
        let lane = self.engine.lane();
        // A debugger is looked through by who serves the component.
        let Some(process) = self.settings.process.as_ref().filter(|_| lane != Lane::Debug) else { return Ok(None) };
        match process.compile(bytes, lane, self.settings) {
            Ok(code) => {
                tracing::debug!("a component was compiled in a process of its own: {} of code", Size::from(code.len()));
                Ok(Some(code))
            }
            Err(Failed::Compile(error)) => Err(error),
            Err(Failed::Start(error)) => {
                tracing::warn!(
                    "a component is compiled in this process, without limits: there can be no other one: {error}"
                );
                Ok(None)
            }
        }
    }

    fn is_in_parts(&self) -> bool {
        // A debugger wants to see one component.
        self.settings.incremental && self.engine.lane() != Lane::Debug
    }

    /// The same in parts. Absent where that does not pay or cannot be: then the component is compiled whole, and what is wrong is found there.
    fn parts(&self, bytes: &[u8], digest: &str) -> Option<(Code, bool)> {
        if !self.is_in_parts() || bytes.len() < LARGE_BYTES {
            return None;
        }
        let whole = |why: &dyn std::fmt::Display| tracing::debug!("{digest} is compiled whole: {why}");
        let Unbundled { component, modules, needs } = unbundle(bytes, PART_BYTES).map_err(|why| whole(&why)).ok()?;
        let mut is_new = false;
        let mut parts = Vec::with_capacity(modules.len());
        for code in modules {
            let (module, compiled) = self.part(&code.bytes).map_err(|error| whole(&error)).ok()?;
            is_new |= compiled;
            parts.push((Arc::from(code.import), module));
        }
        let key = shell_digest(digest);
        let known = self.cache.and_then(|cache| cache.component(self.engine.raw(), &key));
        let component = match known {
            Some(component) => component,
            None => {
                is_new = true;
                let compiled = Compiled::from_binary(self.engine.raw(), &component);
                self.kept(&key, compiled.map_err(|error| whole(&error)).ok()?)
            }
        };
        Some((Code { component, modules: parts, needs: Some(needs) }, is_new))
    }

    fn part(&self, bytes: &[u8]) -> wasmtime::Result<(Module, bool)> {
        let digest = digest(bytes);
        if let Some(module) = self.cache.and_then(|cache| cache.module(self.engine.raw(), &digest)) {
            return Ok((module, false));
        }
        let module = Module::from_binary(self.engine.raw(), bytes)?;
        let Some(cache) = self.cache else { return Ok((module, true)) };
        cache.store(self.engine.raw(), &digest, module.serialize());
        Ok((cache.module(self.engine.raw(), &digest).unwrap_or(module), true))
    }

    /// Keeps a component in the cache. Code that is mapped from its file is shared with the page cache; what was just compiled is not.
    fn kept(&self, digest: &str, component: Compiled) -> Compiled {
        let Some(cache) = self.cache else { return component };
        cache.store(self.engine.raw(), digest, component.serialize());
        cache.component(self.engine.raw(), digest).unwrap_or(component)
    }
}

impl Code {
    fn whole(component: Compiled) -> Self {
        let needs = component.resources_required().map(|needs| Needs {
            // In pages of WebAssembly, 64 KiB each.
            memory_bytes: needs.max_initial_memory_size.unwrap_or(0).saturating_mul(64 << 10),
            table_elements: needs.max_initial_table_size.unwrap_or(0),
        });
        Self { component, modules: Vec::new(), needs }
    }
}

/// What is left of a component is another one than the component.
fn shell_digest(digest: &str) -> String {
    format!("in-parts:{digest}")
}
