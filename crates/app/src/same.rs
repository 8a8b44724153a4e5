//! Whether two readings of a manifest say the same of a component, wherever they say it.

use crate::app::Component;
use crate::grant::Grants;

impl Component {
    /// Tells whether the other one is the same but for its place in the file: a line that was added above changes nothing.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        // Most components differ in neither.
        self == other || self.without_places() == other.without_places()
    }

    fn without_places(&self) -> Self {
        let mut component = self.clone();
        component.name_span = 0..0;
        component.source_span = 0..0;
        component.files_spans.clear();
        for dependency in &mut component.dependencies {
            dependency.span = 0..0;
            dependency.supplier_span = 0..0;
        }
        forget_places(&mut component.grants);
        component
    }
}

fn forget_places(grants: &mut Grants) {
    grants.environment.iter_mut().for_each(|variable| variable.span = 0..0);
    grants.config.iter_mut().for_each(|value| value.span = 0..0);
    grants.secrets.iter_mut().for_each(|secret| secret.span = 0..0);
    grants.later.iter_mut().for_each(|later| later.span = 0..0);
    let labels = [&mut grants.keyvalue, &mut grants.sql, &mut grants.blobstore, &mut grants.messaging];
    labels.into_iter().flatten().for_each(|label| label.span = 0..0);
}

#[cfg(test)]
mod tests {
    use crate::parse;

    const COMPONENT: &str = "[component.a]\nsource = \"a.wasm\"\n[component.a.grants]\nkeyvalue = [\"default\"]\nsql.x = {}\n\
        environment = { A = \"b\" }\nconfig = { k = \"v\" }\nsecrets = [\"s\"]\nfiles = [\"x::/x\"]\nmessaging = [\"m\"]\n\
        inference = []\nblobstore = [\"b\"]\n";

    fn component(text: &str) -> crate::Component {
        let (app, problems) = parse(text);
        app.unwrap_or_else(|| panic!("{problems:?}")).components.remove(0)
    }

    #[test]
    fn a_line_above_changes_nothing_and_a_word_inside_does() {
        let first = component(&format!("name = \"n\"\n{COMPONENT}"));
        let moved = component(&format!("name = \"n\"\nversion = \"1.0.0\"\n\n{COMPONENT}"));
        assert_ne!(first, moved);
        assert!(first.says_the_same_as(&moved));
        for (word, other) in
            [("\"default\"", "\"other\""), ("\"b\" }", "\"c\" }"), ("a.wasm", "b.wasm"), ("\"v\"", "\"w\"")]
        {
            let changed = component(&format!("name = \"n\"\n{}", COMPONENT.replacen(word, other, 1)));
            assert!(!first.says_the_same_as(&changed), "{word}");
        }
    }
}
