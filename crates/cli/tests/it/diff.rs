//! `wharf diff`: what one component may do more than another.

use crate::support::wharf;
use serde_json::Value;
use wharf_testkit::guest;

fn paths(old: &str, new: &str) -> [String; 2] {
    [guest(old), guest(new)].map(|path| path.display().to_string())
}

#[test]
fn tells_power_interface_size_and_tools() {
    let [hello, front] = paths("hello", "empty-component");
    let text = wharf().run(["diff", &front, &hello]).well().stdout;
    for said in [
        "power\n  + may now read environment variables and arguments   [needs a grant: environment",
        "\ninterface\n",
        "  + export wasi:http/incoming-handler@0.2.12\n",
        "\nsize\n",
        "\nmade with\n  + ",
    ] {
        assert!(text.contains(said), "{said:?} is missing in:\n{text}");
    }
}

#[test]
fn new_power_can_be_denied() {
    let [empty, hello] = paths("empty-component", "hello");
    wharf().run(["diff", &empty, &hello, "--deny-new-power"]).badly(1, &["may ask for more than"]);
    for [old, new] in [[&hello, &empty], [&hello, &hello]] {
        let text = wharf().run(["diff", old, new, "--deny-new-power"]).well().stdout;
        assert!(!text.contains("may now"), "{text}");
    }
    let value: Value = serde_json::from_str(&wharf().run(["diff", &empty, &hello, "--json"]).well().stdout).unwrap();
    assert_eq!((&value["has_new_power"], &value["power"][0]["change"]), (&Value::Bool(true), &"new".into()));
    assert!(!value["interface"]["groups"].as_array().unwrap().is_empty());
}

#[test]
fn core_modules_have_power_too() {
    let [module, args] = paths("module", "args-p1");
    let text = wharf().run(["diff", &module, &args]).well().stdout;
    assert!(text.contains("make the system calls of WASI preview 1") && text.contains("cannot be compared"), "{text}");
    wharf().run(["diff", &module, "/no/such.wasm"]).badly(2, &["cannot read /no/such.wasm"]);
}
