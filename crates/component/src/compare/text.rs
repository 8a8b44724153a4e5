//! A comparison as text for people.

use std::fmt::{self, Write};

use super::{Comparison, Power, PowerChange, ProducerChange, SizeChange};
use crate::report::size;

/// How many sections are listed.
const SECTIONS: usize = 8;

/// How many interfaces of one capability are listed.
const INTERFACES: usize = 8;

pub(super) fn power(comparison: &Comparison) -> String {
    let mut out = String::from("power\n");
    if comparison.power.is_empty() {
        out.push_str("  both ask for nothing\n");
    }
    for power in &comparison.power {
        // Writing to a string cannot fail.
        let _ = write_power(power, &mut out);
    }
    out
}

fn write_power(power: &Power, out: &mut String) -> fmt::Result {
    let (mark, word) = match power.change {
        PowerChange::New => ("+", "may now "),
        PowerChange::Gone => ("-", "may no longer "),
        PowerChange::Kept if power.is_more => ("+", "may more than before "),
        PowerChange::Kept => (" ", "may, as before, "),
    };
    write!(out, "  {mark} {word}{}", power.words)?;
    match (power.change, power.grant) {
        (PowerChange::New, Some(grant)) => writeln!(out, "   [needs a grant: {grant}]")?,
        (PowerChange::Gone, Some(_)) => writeln!(out, "   [its grant can be removed]")?,
        _ => writeln!(out)?,
    }
    for (mark, names) in [('+', &power.added), ('-', &power.removed)] {
        for name in names.iter().take(INTERFACES) {
            writeln!(out, "      {mark} {name}")?;
        }
        if names.len() > INTERFACES {
            writeln!(out, "      {mark} and {} more", names.len() - INTERFACES)?;
        }
    }
    Ok(())
}

pub(super) fn size_and_tools(comparison: &Comparison) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_sizes(comparison, &mut out);
    out
}

fn write_sizes(comparison: &Comparison, out: &mut String) -> fmt::Result {
    let total = comparison.size;
    writeln!(out, "size\n  {} -> {}   {}", size(total.old_bytes), size(total.new_bytes), difference(total))?;
    for section in comparison.sections.iter().take(SECTIONS) {
        writeln!(out, "  {:>12}  {}", difference(section.size), section.name)?;
    }
    if comparison.sections.len() > SECTIONS {
        writeln!(out, "  and {} more kinds of sections", comparison.sections.len() - SECTIONS)?;
    }
    if !comparison.producers.is_empty() {
        writeln!(out, "\nmade with")?;
    }
    comparison.producers.iter().try_for_each(|producer| write_producer(producer, out))
}

fn write_producer(change: &ProducerChange, out: &mut String) -> fmt::Result {
    let ProducerChange { field, name, old, new } = change;
    match (old.is_empty(), new.is_empty()) {
        (true, _) => writeln!(out, "  + {name} {} ({field})", new.join(", ")),
        (_, true) => writeln!(out, "  - {name} {} ({field})", old.join(", ")),
        _ => writeln!(out, "  ~ {name} {} -> {} ({field})", old.join(", "), new.join(", ")),
    }
}

fn difference(sizes: SizeChange) -> String {
    let apart = size(sizes.old_bytes.abs_diff(sizes.new_bytes));
    match sizes.old_bytes.cmp(&sizes.new_bytes) {
        std::cmp::Ordering::Less => format!("+{apart}"),
        std::cmp::Ordering::Greater => format!("-{apart}"),
        std::cmp::Ordering::Equal => "the same".to_owned(),
    }
}
