//! Compiles components, or maps what was compiled before.
//!
//! In: the bytes of a component. Out: [`Code`]. Next: [`crate::load`] links it.
//!
//! Where [`Settings::in_parts`](crate::Settings) says so, a large component is compiled in parts: the functions of each of its large
//! modules by themselves, and what is left. Each part is in the cache by its own digest. A script that changes in front of an interpreter
//! leaves the interpreter's part as it was, and what is left is compiled in milliseconds. That costs a load from memory at some accesses
//! of the guest to its own memory, which is an import then; so it is for those who change components, not for those who serve them.

use crate::cwasm::Cache;
use crate::engine::Lane;
use crate::load::LoadError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::component::Component as Compiled;
use wasmtime::{Engine, Module};
use wharf_unbundle::{Needs, Unbundled, unbundle};

/// Components from this size on are compiled in parts. Smaller ones are compiled in less time than a change of them takes to build.
const LARGE_BYTES: usize = 1 << 20;

/// Modules whose functions have this size are parts of their own.
const PART_BYTES: usize = 64 << 10;

/// A compiled component.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) component: Compiled,
    /// The modules that it imports, by their names, if it was compiled in parts.
    pub(crate) modules: Vec<(Arc<str>, Module)>,
    /// What its modules start with; absent for one that imports modules of others.
    pub(crate) needs: Option<Needs>,
}

/// What is compiled for one engine.
pub(crate) struct Compiler<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) cache: Option<&'a Cache>,
    pub(crate) in_parts: bool,
}

/// Compiled code that stays with the process, by digest and lane.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<(Arc<str>, Lane), Code>>);

impl Kept {
    pub(crate) fn get(&self, digest: &str, lane: Lane) -> Option<Code> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(Arc::from(digest), lane)).cloned()
    }

    pub(crate) fn put(&self, digest: &str, lane: Lane, code: &Code) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((Arc::from(digest), lane), code.clone());
    }
}

impl Compiler<'_> {
    /// Tells whether the component of that digest is in the cache, whole or in parts.
    pub(crate) fn has(&self, digest: &str) -> bool {
        let Some(cache) = self.cache else { return false };
        cache.has(self.engine, digest) || (self.in_parts && cache.has(self.engine, &shell_digest(digest)))
    }

    /// Returns the code of the component of that digest, and whether it was compiled for that.
    pub(crate) fn code(&self, bytes: &[u8], digest: &str) -> Result<(Code, bool), LoadError> {
        if let Some(component) = self.cache.and_then(|cache| cache.component(self.engine, digest)) {
            return Ok((Code::whole(component), false));
        }
        if let Some(compiled) = self.parts(bytes, digest) {
            return Ok(compiled);
        }
        // `from_binary`: text is not taken, a file of an app is what it says it is.
        let component = Compiled::from_binary(self.engine, bytes).map_err(|error| LoadError::Compile(error.into()))?;
        Ok((Code::whole(self.kept(digest, component)), true))
    }

    /// The same in parts. Absent where that does not pay or cannot be: then the component is compiled whole, and what is wrong is found there.
    fn parts(&self, bytes: &[u8], digest: &str) -> Option<(Code, bool)> {
        if !self.in_parts || bytes.len() < LARGE_BYTES {
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
        let known = self.cache.and_then(|cache| cache.component(self.engine, &key));
        let component = match known {
            Some(component) => component,
            None => {
                is_new = true;
                let compiled = Compiled::from_binary(self.engine, &component);
                self.kept(&key, compiled.map_err(|error| whole(&error)).ok()?)
            }
        };
        Some((Code { component, modules: parts, needs: Some(needs) }, is_new))
    }

    fn part(&self, bytes: &[u8]) -> wasmtime::Result<(Module, bool)> {
        let digest = crate::load::digest(bytes);
        if let Some(module) = self.cache.and_then(|cache| cache.module(self.engine, &digest)) {
            return Ok((module, false));
        }
        let module = Module::from_binary(self.engine, bytes)?;
        let Some(cache) = self.cache else { return Ok((module, true)) };
        cache.store(self.engine, &digest, module.serialize());
        Ok((cache.module(self.engine, &digest).unwrap_or(module), true))
    }

    /// Keeps a component in the cache. Code that is mapped from its file is shared with the page cache; what was just compiled is not.
    fn kept(&self, digest: &str, component: Compiled) -> Compiled {
        let Some(cache) = self.cache else { return component };
        cache.store(self.engine, digest, component.serialize());
        cache.component(self.engine, digest).unwrap_or(component)
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
