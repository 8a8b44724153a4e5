//! Texts and words that no file may have, as `xtask/tidy.toml` lists them.

use toml::{Table, Value};

use super::{CONFIG, tables, text, texts};
use crate::finding::Finding;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree, config: &Table, findings: &mut Vec<Finding>) {
    for file in tree.files.iter().filter(|file| file.is_text && file.path != CONFIG) {
        for rule in tables(config, "forbidden").filter(|rule| is_for(rule, &file.path)) {
            let wanted = text(rule, "text");
            let is_word = rule.get("word").and_then(Value::as_bool).unwrap_or_default();
            let why = format!("`{wanted}`: {}; {}", text(rule, "why"), text(rule, "fix"));
            let has = |line: &str| if is_word { words(line).any(|word| word == wanted) } else { line.contains(wanted) };
            findings.extend(lines(&file.text, has).map(|line| Finding::new(&file.path, line, why.as_str())));
        }
    }
    let others = texts(config, "names_of_others");
    for file in tree.rust() {
        for rule in tables(config, "word") {
            let never = texts(rule, "never");
            let text = format!("`{}` is not a word of this project: write {}", never[0], text(rule, "say"));
            let has = |line: &str| {
                let line = others.iter().fold(line.to_owned(), |line, name| line.replace(name, " "));
                words(&line).any(|word| never.iter().any(|never| word.eq_ignore_ascii_case(never)))
            };
            findings.extend(lines(&file.text, has).map(|line| Finding::new(&file.path, line, text.as_str())));
        }
    }
}

/// Tells whether a rule is for a file: `in` has the ends of paths, where `*` stands for any name.
fn is_for(rule: &Table, path: &str) -> bool {
    let ends = texts(rule, "in");
    let fits = |end: &&str| match end.split_once('*') {
        Some((folder, kind)) => path.contains(folder) && path.ends_with(kind),
        None => path.ends_with(end),
    };
    ends.is_empty() || ends.iter().any(fits)
}

fn lines(text: &str, has: impl Fn(&str) -> bool) -> impl Iterator<Item = usize> {
    (1..).zip(text.lines()).filter(move |(_, line)| has(line)).map(|(number, _)| number)
}

/// Splits a line into words; `snake_case` and `CamelCase` are two each, `CAPITALS` is one.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_alphanumeric()).flat_map(|name| {
        let mut starts = vec![0];
        let letters: Vec<(usize, char)> = name.char_indices().collect();
        starts.extend(
            letters
                .windows(2)
                .filter(|pair| pair[0].1.is_lowercase() && pair[1].1.is_uppercase())
                .map(|pair| pair[1].0),
        );
        let ends: Vec<usize> = starts.iter().skip(1).copied().chain([name.len()]).collect();
        starts.into_iter().zip(ends).map(|(start, end)| &name[start..end]).collect::<Vec<_>>()
    })
}
