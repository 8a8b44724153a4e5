//! The reference page of the manifest.

use std::fmt::Write;

use super::{FIELDS, Field, Kind, children};

/// Returns the page as Markdown, one table of keys for each table of the manifest.
pub fn reference_markdown() -> String {
    let mut page = String::from(
        "# The manifest, `wharf.toml`\n\n\
         Generated from the code by `cargo xtask docs`; do not edit.\n\n\
         Everything that an app is made of: its components, what each may use and touch, and what starts them. \
         Sizes are whole numbers with a unit (`64MiB`, `512KiB`, `64MB`, a bare number counts bytes); durations are whole \
         numbers with a unit (`100us`, `50ms`, `10s`, `2m`, `1h`). Keys that are not listed here are refused.\n",
    );
    write_section(&mut page, "", "Top of the file");
    for table in FIELDS {
        match table.kind {
            Kind::Named | Kind::Labels => write_section(&mut page, &format!("{}.*", table.path), &title(table)),
            _ => write_section(&mut page, table.path, &title(table)),
        }
    }
    write_later(&mut page);
    page
}

/// Writes the keys of one table, unless it has none that this version does something for.
fn write_section(page: &mut String, path: &str, title: &str) {
    let mut keys = children(path).filter(|field| !field.later).peekable();
    if keys.peek().is_none() {
        return;
    }
    page.push_str(&format!("\n## {title}\n\n| key | value | default | meaning |\n|---|---|---|---|\n"));
    for field in keys {
        let default = match field.default {
            "" if field.required => "required".to_owned(),
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let row = [&format!("`{}`", field.split().1), field.kind.words(), &default, field.doc].map(escape);
        writeln!(page, "| {} |", row.join(" | ")).expect("writing to a string does not fail");
    }
}

fn write_later(page: &mut String) {
    page.push_str(
        "\n## Known, not in this version\n\nA grant of such a capability is a warning and has no effect; the other keys are \
         errors.\n\n| key | meaning |\n|---|---|\n",
    );
    for field in FIELDS.iter().filter(|field| field.later) {
        let path = field.path.replace('*', "NAME");
        writeln!(page, "| `{path}` | {} |", escape(field.doc)).expect("writing to a string does not fail");
    }
}

fn title(table: &Field) -> String {
    let path = table.path.replace('*', "NAME");
    match table.kind {
        Kind::Named => format!("`[{path}.NAME]`"),
        Kind::Labels => format!("`[{path}.LABEL]`"),
        Kind::Tables => format!("`[[{path}]]`"),
        Kind::TextOrTable | Kind::TextsOrTables => format!("`{path}` as a table"),
        _ => format!("`[{path}]`"),
    }
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|")
}
