//! Which types are carried, and that the engine agrees with the Rust type of each.

use super::*;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, FutureReader, Linker, StreamReader};
use wasmtime::{Config, Engine};

fn engine() -> Engine {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    Engine::new(&config).unwrap()
}

/// A component that imports a function with a stream and a future of the type.
fn importer(engine: &Engine, ty: &str) -> Component {
    let text =
        format!("(component (import \"f\" (func (param \"items\" (stream {ty})) (param \"value\" (future {ty})))))");
    Component::new(engine, wat::parse_str(&text).unwrap()).unwrap()
}

fn element(engine: &Engine, component: &Component) -> Option<Type> {
    let item = component.component_type().get_import(engine, "f").unwrap().ty;
    let ComponentItem::ComponentFunc(function) = item else { panic!("no function") };
    let (_, Type::Stream(stream)) = function.params().next().unwrap() else { panic!("no stream") };
    stream.ty()
}

/// Links a host function with the Rust type, which the engine compares.
struct Link<'a>(&'a Engine, &'a Component);

impl Visit for Link<'_> {
    type Out = Result<()>;
    fn visit<T: Payload>(&self) -> Self::Out {
        let mut linker = Linker::<Ctx>::new(self.0);
        let function = |_: StoreContextMut<'_, Ctx>, (_, _): (StreamReader<T>, FutureReader<T>)| Ok(());
        linker.root().func_wrap("f", function)?;
        linker.instantiate_pre(self.1).map(drop)
    }
}

const SIMPLE: [&str; 13] =
    ["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string"];

#[test]
fn every_type_on_the_list_is_what_the_engine_takes_it_for() {
    let engine = engine();
    // There are no streams of `char` itself: the Component Model wants bytes and an encoding.
    let mut types: Vec<String> = SIMPLE.iter().filter(|ty| **ty != "char").map(|ty| (*ty).to_owned()).collect();
    for simple in SIMPLE {
        types.push(format!("(list {simple})"));
        types.push(format!("(option {simple})"));
        types.push(format!("(tuple string {simple})"));
        types.push(format!("(result {simple})"));
        types.push(format!("(result {simple} (error string))"));
    }
    types.extend(["(result)", "(result (error string))"].map(str::to_owned));
    for ty in types {
        // A type that is made of others has to have a name of its own.
        let named = format!("(type $t {ty})");
        let component = if ty.starts_with('(') {
            let text = format!(
                "(component {named} (import \"f\" (func (param \"items\" (stream $t)) (param \"value\" (future $t)))))"
            );
            Component::new(&engine, wat::parse_str(&text).unwrap()).unwrap()
        } else {
            importer(&engine, &ty)
        };
        let element = element(&engine, &component).unwrap();
        let linked = find(&element, &Link(&engine, &component)).unwrap_or_else(|| panic!("{ty} is not carried"));
        linked.unwrap_or_else(|error| panic!("{ty}: {error:?}"));
    }
}

#[test]
fn nothing_is_an_element_too() {
    let engine = engine();
    let component = importer(&engine, "");
    assert_eq!(element(&engine, &component), None);
    Link(&engine, &component).visit::<()>().unwrap();
    assert!(Carrier::new(None).is_some());
}

#[test]
fn a_future_tells_of_a_failure_where_its_type_has_an_error() {
    assert_eq!(<std::result::Result<u32, String>>::failed("gone"), Some(Err("gone".to_owned())));
    assert_eq!(<std::result::Result<(), ()>>::failed("gone"), Some(Err(())));
    assert_eq!(u32::failed("gone"), None);
    assert_eq!(String::failed("gone"), None);
    assert_eq!(<std::result::Result<(), u32>>::failed("gone"), None);
}

#[test]
fn what_an_element_holds_is_counted() {
    assert_eq!(7_u64.bytes(), 8);
    assert_eq!("12345".to_owned().bytes(), size_of::<String>() + 5);
    let lists = vec![vec![1_u16; 10], Vec::new()];
    assert_eq!(lists.bytes(), 3 * size_of::<Vec<u16>>() + 20);
    assert_eq!((7_u8, Some('x')).bytes(), 1 + size_of::<Option<char>>() + 4);
}

/// A component that imports a function with a stream and a future of a type of WASI, after these definitions; `$t` is the type.
fn wasi_importer(engine: &Engine, definitions: &str) -> Component {
    let text = format!(
        "(component {definitions} (import \"f\" (func (param \"items\" (stream $t)) (param \"value\" (future $t)))))"
    );
    Component::new(engine, wat::parse_str(&text).unwrap()).unwrap()
}

/// A variant with these cases, of which some have payloads.
fn variant(cases: &[&str], payload: impl Fn(&str) -> Option<&'static str>) -> String {
    let case = |name: &&str| format!("(case \"{name}\" {})", payload(name).unwrap_or_default());
    let cases: String = cases.iter().map(case).collect();
    format!("(type $v (variant {cases})) (import \"error-code\" (type $e (eq $v))) (type $t (result (error $e)))")
}

#[test]
fn the_types_of_wasi_are_what_the_engine_takes_them_for() {
    const TEXT: &str = "(option string)";
    let names: String = wasi::CLI.map(|name| format!("\"{name}\" ")).concat();
    let cli =
        format!("(type $v (enum {names})) (import \"error-code\" (type $e (eq $v))) (type $t (result (error $e)))");
    let file = variant(&wasi::FILE, |name| (name == "other").then_some(TEXT));
    let socket = variant(&wasi::SOCKET, |name| (name == "other").then_some(TEXT));
    let http = variant(&wasi::HTTP, |name| match name {
        "DNS-error" => Some("$dns"),
        "TLS-alert-received" => Some("$alert"),
        "HTTP-request-header-size" => Some("(option $field)"),
        "HTTP-request-trailer-size" | "HTTP-response-header-size" | "HTTP-response-trailer-size" => Some("$field"),
        "HTTP-request-body-size" | "HTTP-response-body-size" => Some("(option u64)"),
        name if name.ends_with("-section-size") => Some("(option u32)"),
        name if name.ends_with("-coding") || name == "internal-error" => Some(TEXT),
        _ => None,
    });
    let http = format!(
        "(type $d (record (field \"rcode\" (option string)) (field \"info-code\" (option u16))))
         (type $a (record (field \"alert-id\" (option u8)) (field \"alert-message\" (option string))))
         (type $s (record (field \"field-name\" (option string)) (field \"field-size\" (option u32))))
         (import \"dns\" (type $dns (eq $d))) (import \"alert\" (type $alert (eq $a))) (import \"field\" (type $field (eq $s)))
         {http}"
    );
    let entry = "(type $k (variant (case \"block-device\") (case \"character-device\") (case \"directory\") (case \"fifo\")
                    (case \"symbolic-link\") (case \"regular-file\") (case \"socket\") (case \"other\" (option string))))
                 (import \"descriptor-type\" (type $kind (eq $k)))
                 (type $r (record (field \"type\" $kind) (field \"name\" string)))
                 (import \"directory-entry\" (type $t (eq $r)))";
    let engine = engine();
    for definitions in [cli.as_str(), &file, &socket, &http, entry] {
        let component = wasi_importer(&engine, definitions);
        let element = element(&engine, &component).unwrap();
        let linked = find(&element, &Link(&engine, &component)).unwrap_or_else(|| panic!("not carried: {definitions}"));
        linked.unwrap_or_else(|error| panic!("{definitions}: {error:?}"));
        assert_eq!(Carrier::new(Some(&element)).unwrap().tells, definitions != entry);
    }
}
