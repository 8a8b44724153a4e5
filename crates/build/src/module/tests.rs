use super::*;

const WORLD: &str = "package test:app;\nworld adder { export add: func(a: u32, b: u32) -> u32; }\n";
const ADDER: &str = "(module (func (export \"add\") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))";

fn folder_of(wit: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("wit")).unwrap();
    std::fs::write(folder.path().join("wit/world.wit"), wit).unwrap();
    folder
}

fn build(world: Option<&str>, adapter: Option<Adapter>) -> Build {
    Build { wit: Some("wit".to_owned()), world: world.map(str::to_owned), adapter, ..Build::new("true") }
}

#[test]
fn a_module_without_a_world_gets_the_one_of_the_manifest() {
    let (folder, module) = (folder_of(WORLD), wat::parse_str(ADDER).unwrap());
    for world in [None, Some("adder"), Some("test:app/adder")] {
        let component = componentize(&module, Some(&build(world, None)), folder.path()).unwrap();
        let facts = wharf_component::inspect(&component).unwrap();
        assert_eq!(facts.kind, wharf_component::Kind::Component);
        assert!(facts.wit.contains("export add: func(a: u32, b: u32) -> u32"), "{}", facts.wit);
    }
}

#[test]
fn a_module_that_carries_its_world_needs_nothing() {
    let (folder, mut module) = (folder_of(WORLD), wat::parse_str(ADDER).unwrap());
    embed(&mut module, &folder.path().join("wit"), None).unwrap();
    assert!(componentize(&module, None, folder.path()).is_ok());
}

#[test]
fn a_command_of_preview_1_needs_no_world() {
    let text =
        "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func (param i32))) (memory (export \"memory\") 1)
        (func (export \"_start\")))";
    let module = wat::parse_str(text).unwrap();
    let component = componentize(&module, None, Path::new(".")).unwrap();
    let facts = wharf_component::inspect(&component).unwrap();
    assert!(facts.exports.iter().any(|export| export.name.starts_with("wasi:cli/run@0.2")), "{:?}", facts.exports);
    let none = Build { adapter: Some(Adapter::None), ..Build::new("true") };
    let refused = componentize(&module, Some(&none), Path::new(".")).unwrap_err();
    assert!(refused.to_string().contains("wasi_snapshot_preview1"), "{refused}");
}

#[test]
fn what_does_not_fit_is_said() {
    let module = wat::parse_str(ADDER).unwrap();
    let folder = folder_of(WORLD);
    let error = |build: Option<&Build>| componentize(&module, build, folder.path()).unwrap_err().to_string();
    assert!(error(None).contains("name it with `wit` and `world`"), "{}", error(None));
    let unknown = error(Some(&build(Some("subtracter"), None)));
    assert!(unknown.contains("does not say which world"), "{unknown}");
    let other = folder_of("package test:app;\nworld other { export other: func(); }\n");
    let refused = componentize(&module, Some(&build(None, None)), other.path()).unwrap_err().to_string();
    assert!(refused.contains("other"), "{refused}");
    std::fs::write(other.path().join("wit/world.wit"), "this is no WIT").unwrap();
    let broken = componentize(&module, Some(&build(None, None)), other.path()).unwrap_err();
    assert!(matches!(&broken, ModuleError::Wit { why, .. } if why.contains("world.wit:1")), "{broken:?}");
}

#[test]
fn a_damaged_world_is_an_error() {
    let folder = folder_of(WORLD);
    let mut sound = wat::parse_str(ADDER).unwrap();
    let plain = sound.len();
    embed(&mut sound, &folder.path().join("wit"), None).unwrap();
    // Each byte of the embedded world in turn; none of them may end the process.
    for at in plain + 20..sound.len() {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x55;
        let _ = componentize(&damaged, None, folder.path());
    }
}
