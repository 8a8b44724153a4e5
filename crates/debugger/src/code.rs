//! The modules of a component as a debugger sees them: one flat space of addresses, in which each module's bytes are.
//!
//! LLDB reads them from there, with the debug information that is in them; it needs no file.

use gdbstub_arch::wasm::addr::{WasmAddr, WasmAddrType};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use wasmtime::{Engine, Module, Store};

/// The code of one version of a component.
pub(crate) struct Code {
    /// Tells versions apart, by their bytes: one that was loaded again is the same.
    pub(crate) version: u64,
    modules: Vec<Module>,
    names: Vec<String>,
    /// Where the functions of each module begin, in order.
    functions: Vec<Vec<u32>>,
}

impl Code {
    /// Takes the modules that `register` puts into a store.
    pub(crate) fn new(
        name: &str,
        engine: &Engine,
        register: impl FnOnce(&mut Store<()>) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<Self> {
        let mut store = Store::new(engine, ());
        register(&mut store)?;
        let modules = store.debug_all_modules();
        let mut names: Vec<String> = Vec::new();
        for (index, module) in modules.iter().enumerate() {
            // LLDB takes libraries of one name for one library.
            let mut shown = module.name().unwrap_or(name).to_owned();
            if names.contains(&shown) {
                let _ = write!(shown, "-{index}");
            }
            names.push(shown);
        }
        let functions = modules.iter().map(|module| bodies(module.debug_bytecode().unwrap_or_default())).collect();
        let mut hasher = DefaultHasher::new();
        modules.iter().for_each(|module| module.debug_bytecode().hash(&mut hasher));
        Ok(Self { version: hasher.finish(), modules, names, functions })
    }

    /// Returns the module of that number.
    pub(crate) fn module(&self, number: u32) -> Option<&Module> {
        self.modules.get(usize::try_from(number).ok()?)
    }

    /// Returns the bytes of a module.
    pub(crate) fn bytes(&self, number: u32) -> &[u8] {
        self.module(number).and_then(Module::debug_bytecode).unwrap_or_default()
    }

    /// Returns the number of a module that a store runs.
    pub(crate) fn number(&self, module: &Module) -> Option<u32> {
        // Every store has a copy of the code; the bytes that it was made from are there once.
        let bytes = module.debug_bytecode()?.as_ptr();
        let at = self.modules.iter().position(|known| known.debug_bytecode().map(<[u8]>::as_ptr) == Some(bytes))?;
        u32::try_from(at).ok()
    }

    /// Tells whether two places of a module are in one function.
    pub(crate) fn is_one_function(&self, number: u32, one: u32, other: u32) -> bool {
        let functions = usize::try_from(number).ok().and_then(|number| self.functions.get(number));
        let function = |place| functions.map(|starts| starts.partition_point(|start| *start <= place));
        function(one).is_some_and(|index| index > 0 && function(other) == Some(index))
    }

    /// Returns the address of the instruction after the call at `pc`: what a debugger takes for the place where a caller is.
    pub(crate) fn after_call(&self, number: u32, pc: u32) -> u32 {
        let start = usize::try_from(pc).unwrap_or(usize::MAX);
        let Some([opcode, operands @ ..]) = self.bytes(number).get(start..) else { return pc };
        // call, call_ref, call_indirect: one or two numbers of variable length follow.
        let count = match opcode {
            0x10 | 0x14 => 1,
            0x11 => 2,
            _ => return pc,
        };
        let end = (0..count).try_fold(0, |at, _| read_number(operands, at).map(|(_, next)| next));
        pc.saturating_add(1).saturating_add(end.and_then(|end| u32::try_from(end).ok()).unwrap_or(0))
    }

    /// Returns the modules as LLDB's list of libraries.
    pub(crate) fn libraries(&self) -> String {
        let mut xml = "<library-list>".to_owned();
        for (number, name) in (0..).zip(&self.names) {
            let address = address(WasmAddrType::Object, number, 0);
            let _ = write!(xml, r#"<library name="{}"><section address="{address:#x}"/></library>"#, escaped(name));
        }
        xml.push_str("</library-list>");
        xml
    }
}

/// Returns where the bodies of a module's functions begin. The engine has validated the module; what is not as it must be ends the list.
fn bodies(module: &[u8]) -> Vec<u32> {
    const CODE: u8 = 10;
    let mut starts = Vec::new();
    // After the magic number and the version.
    let mut at = 8;
    while let Some(id) = module.get(at).copied() {
        let Some((length, start)) = read_number(module, at + 1) else { break };
        if id != CODE {
            at = start.saturating_add(length);
            continue;
        }
        let Some((count, mut next)) = read_number(module, start) else { break };
        for _ in 0..count {
            let Some((length, body)) = read_number(module, next) else { break };
            starts.push(u32::try_from(body).unwrap_or(u32::MAX));
            next = body.saturating_add(length);
        }
        break;
    }
    starts
}

/// Reads a number of variable length, and returns it with the place after it.
fn read_number(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    for (count, byte) in bytes.get(at..)?.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * count);
        if byte & 0x80 == 0 {
            return Some((value, at + count + 1));
        }
    }
    None
}

/// Returns an address in the debugger's space of addresses; zero for what has none.
pub(crate) fn address(kind: WasmAddrType, number: u32, offset: u32) -> u64 {
    WasmAddr::new(kind, number, offset).map_or(0, WasmAddr::as_raw)
}

/// A name of a module comes from the guest.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            // No document may have these, not even escaped.
            c if c.is_control() => text.push('?'),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Code {
        let engine = Engine::new(wasmtime::Config::new().guest_debug(true)).unwrap();
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        Code::new("app", &engine, |store| store.debug_register_module(&module)).unwrap()
    }

    #[test]
    fn a_caller_is_behind_its_call() {
        let code = code(
            r#"(module $calls (type $t (func)) (table 1 funcref) (func $f)
                (func (call $f) (call_indirect (type $t) (i32.const 0)) nop))"#,
        );
        let bytes = code.bytes(0);
        let at = |opcode: &[u8]| bytes.windows(opcode.len()).position(|window| window == opcode).unwrap() as u32;
        let call = at(&[0x10, 0x00, 0x41, 0x00, 0x11]);
        assert_eq!(code.after_call(0, call), call + 2);
        let indirect = at(&[0x11, 0x00, 0x00, 0x01]);
        assert_eq!(code.after_call(0, indirect), indirect + 3);
        assert_eq!(code.after_call(0, indirect + 3), indirect + 3, "a nop calls nobody");
        assert_eq!((code.after_call(7, 5), code.after_call(0, u32::MAX)), (5, u32::MAX));
    }

    #[test]
    fn places_are_in_the_functions_whose_bodies_they_are_in() {
        let code = code("(module (func nop) (func nop nop (call 0)))");
        let starts = code.functions[0].clone();
        let [first, second] = starts.as_slice() else { panic!("{starts:?}") };
        assert!(code.is_one_function(0, *first, second - 2));
        assert!(!code.is_one_function(0, *first, *second));
        assert!(code.is_one_function(0, *second, second + 3));
        assert!(!code.is_one_function(0, 0, 1), "the head of the module is in no function");
        assert!(!code.is_one_function(9, *first, *first));
    }

    #[test]
    fn libraries_are_named_and_no_name_breaks_the_list() {
        let code = code(r#"(module $"a<b>&\"c")"#);
        assert_eq!(
            code.libraries(),
            r#"<library-list><library name="a&lt;b&gt;&amp;&quot;c"><section address="0x4000000000000000"/></library></library-list>"#
        );
    }
}
