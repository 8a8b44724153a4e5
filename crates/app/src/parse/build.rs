//! Reads `[component.NAME.build]`.

use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::limits::{Bounds, bounds, duration};
use crate::app::{Adapter, Build};
use crate::codes;
use crate::grant::path_mistake;
use crate::read::{Problems, Section, as_text};
use wharf_problem::Problem;

const TIMEOUT: Bounds<Duration> = bounds(
    "timeout",
    (Duration::from_secs(1), "no toolchain is done sooner"),
    (Duration::from_secs(24 * 3600), "nobody waits longer for a build"),
);

pub(super) fn read(component: &Section<'_>, problems: &mut Problems) -> Option<Build> {
    let value = component.value("build")?;
    match value.get_ref() {
        DeValue::String(_) => {
            let command = as_text(value)?;
            check_path("the build command", &command, problems);
            Some(Build::new(command.get_ref()))
        }
        DeValue::Table(_) => read_table(&component.section("build", "component.*.build", problems)?, problems),
        _ => component.mistyped("build", value, problems),
    }
}

fn read_table(table: &Section<'_>, problems: &mut Problems) -> Option<Build> {
    if table.value("command").is_none() {
        table.missing("command", "write the command line that makes the component", problems);
    }
    let command = table.text("command", problems);
    if let Some(command) = &command {
        check_path("the build command", command, problems);
    }
    let mut path = |key: &'static str| {
        let text = table.text(key, problems)?;
        check_path(&format!("`{key}`"), &text, problems);
        Some(text.into_inner().to_owned())
    };
    let (dir, module, wit) = (path("dir"), path("module"), path("wit"));
    let world = table.text("world", problems);
    if let Some(world) = world.as_ref().filter(|_| wit.is_none()) {
        let problem = Problem::error(codes::MISSING, world.span(), "`world` names a world, and no `wit` has it");
        problems.add(problem.with_help("add `wit = \"wit\"`, the folder of the world's WIT"));
    }
    let usual = Build::new("");
    Some(Build {
        dir,
        watch: table.texts("watch", problems).into_iter().map(|glob| glob.into_inner().to_owned()).collect(),
        module,
        wit,
        world: world.map(|world| world.into_inner().to_owned()),
        adapter: read_adapter(table, problems),
        preinit: read_preinit(table, problems),
        timeout: duration(table, &TIMEOUT, problems).unwrap_or(usual.timeout),
        command: command?.into_inner().to_owned(),
    })
}

fn check_path(what: &str, text: &Spanned<&str>, problems: &mut Problems) {
    if let Some(why) = path_mistake(text.get_ref().trim()) {
        problems.add(Problem::error(codes::PATH, text.span(), format!("{what} {why}")));
    }
}

fn read_adapter(table: &Section<'_>, problems: &mut Problems) -> Option<Adapter> {
    let text = table.text("adapter", problems)?;
    let found = Adapter::ALL.iter().find(|adapter| adapter.name() == *text.get_ref());
    if found.is_none() {
        let names: Vec<String> = Adapter::ALL.iter().map(|adapter| format!("`\"{}\"`", adapter.name())).collect();
        let problem = Problem::error(codes::TYPE, text.span(), "`adapter` is none that there is");
        problems.add(problem.with_help(format!("write one of {}", names.join(", "))));
    }
    found.copied()
}

/// `true` stands for the name that Wizer gave the function.
fn read_preinit(table: &Section<'_>, problems: &mut Problems) -> Option<String> {
    let value = table.value("preinit")?;
    match value.get_ref() {
        DeValue::Boolean(wanted) => wanted.then(|| "wizer-initialize".to_owned()),
        DeValue::String(_) => {
            let name = as_text(value)?;
            check_path("the name in `preinit`", &name, problems);
            Some(name.into_inner().to_owned())
        }
        _ => table.mistyped("preinit", value, problems),
    }
}
