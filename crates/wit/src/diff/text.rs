//! A diff as text for people.

use std::fmt::{self, Write};

use super::{Audience, Change, ChangeKind, Diff, Group, Level};

/// Functions that a changed type reaches, as far as they are listed.
const REACHES_MAX: usize = 5;

pub(super) fn text(diff: &Diff) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(diff, &mut text);
    text
}

fn write(diff: &Diff, out: &mut String) -> fmt::Result {
    if let (Some(old), Some(new)) = (&diff.old, &diff.new) {
        writeln!(out, "{old} -> {new}")?;
    }
    // What came or went as a whole is one line, those of the same sort together.
    let (whole, parts): (Vec<&Group>, Vec<&Group>) = diff.groups.iter().partition(|group| is_whole(group));
    for (index, group) in whole.iter().enumerate() {
        if index == 0 {
            writeln!(out)?;
        }
        write_change(&group.changes[0], "  ", out)?;
    }
    for group in parts {
        writeln!(out, "\n  {}", group.name)?;
        for change in &group.changes {
            write_change(change, "    ", out)?;
        }
    }
    if !diff.groups.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{}", sentence(diff))
}

/// Says whether a group is one change of all that it is.
fn is_whole(group: &Group) -> bool {
    matches!(group.changes.as_slice(), [change] if change.item == group.name)
}

fn write_change(change: &Change, indent: &str, out: &mut String) -> fmt::Result {
    let mark = match change.kind {
        ChangeKind::Added => '+',
        ChangeKind::Removed => '-',
        ChangeKind::Changed => '~',
    };
    let shown = match (change.kind, &change.before, &change.after) {
        (ChangeKind::Added, _, Some(text)) | (ChangeKind::Removed, Some(text), _) => text,
        _ => &change.item,
    };
    let breaks = match change.breaks.as_slice() {
        [] => String::new(),
        breaks => format!("   breaks {}", breaks.iter().map(|who| who.word()).collect::<Vec<_>>().join(" and ")),
    };
    writeln!(out, "{indent}{mark} {shown}{breaks}")?;
    for detail in &change.details {
        writeln!(out, "{indent}    {detail}")?;
    }
    if let (ChangeKind::Changed, Some(before), Some(after)) = (change.kind, &change.before, &change.after)
        && change.details.iter().all(|detail| !detail.contains('`'))
    {
        writeln!(out, "{indent}    was {before}")?;
        writeln!(out, "{indent}    is  {after}")?;
    }
    if !change.reaches.is_empty() {
        let shown = change.reaches.iter().take(REACHES_MAX).cloned().collect::<Vec<_>>().join(", ");
        let more = change.reaches.len().saturating_sub(REACHES_MAX);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        writeln!(out, "{indent}    reaches {shown}{more}")?;
    }
    Ok(())
}

/// The last line: how much changed, and whether the version says so.
fn sentence(diff: &Diff) -> String {
    let changes: Vec<&Change> = diff.groups.iter().flat_map(|group| &group.changes).collect();
    let verdict = &diff.verdict;
    let Some(level) = verdict.level else {
        return match verdict.is_enough {
            Some(false) => "nothing changed, and the version went down".to_owned(),
            _ => "nothing changed".to_owned(),
        };
    };
    let count = if changes.len() == 1 { "1 change".to_owned() } else { format!("{} changes", changes.len()) };
    let word = match level {
        Level::Major => "a major version: something that worked does not any more",
        Level::Minor => "a minor version: there is more than before",
        Level::Patch => "a patch version",
    };
    let broken: Vec<&str> = [Audience::Callers, Audience::Implementers, Audience::Components, Audience::Hosts]
        .into_iter()
        .filter(|who| changes.iter().any(|change| change.breaks.contains(who)))
        .map(Audience::word)
        .collect();
    let broken = if broken.is_empty() { "breaks nobody".to_owned() } else { format!("breaks {}", broken.join(", ")) };
    let given = match (&verdict.required, verdict.is_enough) {
        (Some(required), Some(true)) => format!("; at least {required} is asked for, and given"),
        (Some(required), Some(false)) => format!("; at least {required} is asked for, and not given"),
        (None, Some(false)) => "; a higher version is asked for, and not given".to_owned(),
        _ => String::new(),
    };
    format!("{count}, {broken}: {word}{given}")
}
