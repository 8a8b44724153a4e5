//! Reads `[test]`.

use super::Mention;
use crate::app::Testing;
use crate::read::{Problems, Section};

pub(super) fn read(root: &Section<'_>, mentions: &mut Vec<Mention>, problems: &mut Problems) -> Testing {
    let Some(section) = root.section("test", "test", problems) else { return Testing::default() };
    let component = section.text("component", problems).map(|name| {
        let name = (name.span(), (*name.get_ref()).to_owned());
        mentions.push(Mention { name: name.1.clone(), span: name.0 });
        name.1
    });
    let timeout = section.duration("timeout", problems).map(toml::Spanned::into_inner);
    Testing { component, timeout }
}

#[cfg(test)]
mod tests {
    use crate::parse;
    use std::time::Duration;

    const APP: &str = "name = \"shop\"\n[component.e2e]\nsource = \"e2e.wasm\"\n[test]\n";

    #[test]
    fn a_component_of_the_app_tests_it() {
        let (app, problems) = parse(&format!("{APP}component = \"e2e\"\ntimeout = \"10s\"\n"));
        assert_eq!(problems, []);
        let test = app.unwrap().test;
        assert_eq!((test.component.as_deref(), test.timeout), (Some("e2e"), Some(Duration::from_secs(10))));
        let (app, problems) = parse(&format!("{APP}component = \"e2\"\n"));
        assert!(app.is_none() && problems[0].label.contains("did you mean `e2e`?"), "{problems:?}");
    }
}
