//! The plain text of `wharf inspect FILE`.
//!
//! In: [`Facts`]. Out: text for people, without colour. Next: `cli` prints it.

use std::fmt::{self, Write};

use crate::{Capability, Facts, Interface, Kind, Missing, PROVIDED, check};

/// How many lines of sections are shown; the rest is summed.
const SECTION_LINES: usize = 12;

/// How many missing imports with the same remedy are shown.
const MISSING_LINES: usize = 8;

/// Writes the report, with the verdict for what this host provides ([`PROVIDED`]).
pub fn render_text(facts: &Facts) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(&mut text, facts, &check(facts, PROVIDED));
    text
}

fn write_report(out: &mut String, facts: &Facts, missing: &[Missing]) -> fmt::Result {
    write_head(out, facts)?;
    write_imports(out, facts)?;
    write_exports(out, facts)?;
    write_producers(out, facts)?;
    write_sections(out, facts)?;
    write_verdict(out, facts, missing)
}

fn write_head(out: &mut String, facts: &Facts) -> fmt::Result {
    let kind = match facts.kind {
        Kind::Component => "component",
        Kind::Module => "core module",
        Kind::WitPackage => "WIT package",
    };
    writeln!(out, "{kind}, {}", size(facts.size_bytes))?;
    if let Some(world) = &facts.world {
        writeln!(out, "world      {world}")?;
    }
    if !facts.languages.is_empty() {
        writeln!(out, "languages  {}", facts.languages.join(", "))?;
    }
    for memory in &facts.memories {
        let bytes = |pages: u64| size(pages.saturating_mul(memory.page_size_bytes));
        let maximum = memory.maximum_pages.map_or("no maximum".to_owned(), |pages| format!("at most {}", bytes(pages)));
        writeln!(out, "memory     {} at the start, {maximum}", bytes(memory.initial_pages))?;
    }
    if !facts.proposals.is_empty() {
        writeln!(out, "needs      {}", facts.proposals.join(", "))?;
    }
    writeln!(out, "debug info {}", if facts.has_dwarf { "DWARF" } else { "none" })
}

fn write_imports(out: &mut String, facts: &Facts) -> fmt::Result {
    if facts.imports.is_empty() {
        return writeln!(out, "\nasks for nothing");
    }
    writeln!(out, "\nmay ask to")?;
    let groups = grouped(&facts.imports);
    for (capability, interfaces) in &groups {
        match capability.grant_line() {
            Some(line) => writeln!(out, "  {}   [needs a grant: {line}]", capability.words())?,
            None => writeln!(out, "  {}", capability.words())?,
        }
        for interface in interfaces {
            writeln!(out, "    {}", interface.name)?;
        }
    }
    let is_habit = |capability| matches!(capability, Capability::Files | Capability::Network | Capability::Environment);
    if groups.iter().any(|(capability, _)| is_habit(*capability)) {
        writeln!(
            out,
            "  (most toolchains import files and environment whether the code uses them or not; without a grant they are empty)"
        )?;
    }
    Ok(())
}

/// Those that need a grant first, plumbing last.
fn grouped(imports: &[Interface]) -> Vec<(Capability, Vec<&Interface>)> {
    let mut groups: Vec<(Capability, Vec<&Interface>)> = Vec::new();
    for import in imports {
        match groups.iter_mut().find(|(capability, _)| *capability == import.capability) {
            Some((_, interfaces)) => interfaces.push(import),
            None => groups.push((import.capability, vec![import])),
        }
    }
    groups.sort_by_key(|(capability, _)| (!capability.needs_grant(), *capability == Capability::Plumbing, *capability));
    groups
}

fn write_exports(out: &mut String, facts: &Facts) -> fmt::Result {
    if facts.exports.is_empty() {
        return writeln!(out, "\nexports nothing");
    }
    writeln!(out, "\nexports")?;
    for export in &facts.exports {
        let of_itself = format!("{}: ", export.name);
        if let [item] = export.items.as_slice()
            && item.starts_with(&of_itself)
        {
            writeln!(out, "  {item}")?;
            continue;
        }
        match export.capability {
            Capability::Other => writeln!(out, "  {}", export.name)?,
            capability => writeln!(out, "  {}   ({})", export.name, capability.words())?,
        }
        for item in &export.items {
            writeln!(out, "    {item}")?;
        }
    }
    Ok(())
}

fn write_producers(out: &mut String, facts: &Facts) -> fmt::Result {
    if facts.producers.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nmade with")?;
    for producer in &facts.producers {
        writeln!(out, "  {} {} ({})", producer.name, producer.version, producer.field)?;
    }
    Ok(())
}

fn write_sections(out: &mut String, facts: &Facts) -> fmt::Result {
    writeln!(out, "\nbytes")?;
    let mut line = |bytes: u64, name: &str| {
        writeln!(out, "  {:>10}  {:>5}  {name}", size(bytes), percent(bytes, facts.size_bytes))
    };
    for section in facts.sections.iter().take(SECTION_LINES) {
        match section.count {
            1 => line(section.bytes, &section.name)?,
            count => line(section.bytes, &format!("{} ({count})", section.name))?,
        }
    }
    let rest = facts.sections.get(SECTION_LINES..).unwrap_or_default();
    if !rest.is_empty() {
        line(rest.iter().map(|section| section.bytes).sum(), &format!("{} more", rest.len()))?;
    }
    if facts.kind != Kind::Component || facts.modules.is_empty() {
        return Ok(());
    }
    writeln!(out, "\ncore modules")?;
    for (index, module) in facts.modules.iter().enumerate() {
        let name = module.name.clone().unwrap_or_else(|| format!("#{index}"));
        let (code, data) = (size(module.code_bytes), size(module.data_bytes));
        writeln!(
            out,
            "  {:>10}  {name}: {} functions, code {code}, data {data}",
            size(module.bytes),
            module.functions
        )?;
    }
    Ok(())
}

fn write_verdict(out: &mut String, facts: &Facts, missing: &[Missing]) -> fmt::Result {
    // What a module misses on the way to a component is said by the verdict; the list would be every import it has.
    if !missing.is_empty() && !facts.has_embedded_world {
        writeln!(out, "\nmissing here")?;
        write_missing(out, missing)?;
    }
    let verdict = facts.verdict(missing);
    writeln!(out)?;
    if verdict.serve.is_err() && verdict.serve == verdict.run && verdict.run == verdict.call {
        let (Ok(sentence) | Err(sentence)) = verdict.serve;
        return writeln!(out, "cannot be used here: {sentence}");
    }
    for (name, answer) in [("wharf up", verdict.serve), ("wharf run", verdict.run), ("wharf call", verdict.call)] {
        let mark = if answer.is_ok() { "yes" } else { "no" };
        let (Ok(sentence) | Err(sentence)) = answer;
        writeln!(out, "{name:<11}{mark:<4}{sentence}")?;
    }
    Ok(())
}

/// The imports with the same remedy together, the remedy once.
fn write_missing(out: &mut String, missing: &[Missing]) -> fmt::Result {
    for group in missing.chunk_by(|one, next| one.help == next.help) {
        for missing in group.iter().take(MISSING_LINES) {
            writeln!(out, "  {}", missing.import)?;
        }
        if group.len() > MISSING_LINES {
            writeln!(out, "  and {} more", group.len() - MISSING_LINES)?;
        }
        writeln!(out, "    {}", group[0].help)?;
    }
    Ok(())
}

/// Bytes in the unit that people read: `512 B`, `64.0 KiB`, `1.5 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "-".to_owned(),
        _ => format!("{:.0} %", part as f64 * 100.0 / whole as f64),
    }
}
