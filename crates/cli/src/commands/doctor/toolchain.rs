//! Which of the tools that are needed are there.
//!
//! In: needs. Out: a check for each tool. Next: [`super::fix`].

use super::needs::Needs;
use super::{Check, State};
use wharf_build::tools::{Found, Install, Scope, Search, Tool, Version, of_language};

const GROUP: &str = "tools";

/// Looks for every tool.
pub(super) fn checks(needs: &Needs, search: &Search) -> Vec<Check> {
    needs.tools.iter().map(|tool| check(tool, needs, search)).collect()
}

fn check(tool: &'static Tool, needs: &Needs, search: &Search) -> Check {
    let (found, is_old) = match search.find(tool) {
        Found::There { path, version } => {
            let version = version.map(|version| format!("{}, ", text(version))).unwrap_or_default();
            return Check::new(GROUP, tool.name, State::Good, format!("{version}{}", path.display()));
        }
        Found::Old { path, version, minimum } => {
            let older = format!("{} is older than {}", text(version), text(minimum));
            (format!("{older}, {}", path.display()), true)
        }
        _ => (format!("not there; it is needed for {}", tool.purpose), false),
    };
    let install = search.installer(tool);
    // A project installs packages for itself with its first build, unless its command takes them for granted; a compiler it does not.
    let is_package = |install: &Install| install.scope == Scope::Project && is_of_language(tool, install.by);
    let comes_with_builds = install.is_some_and(is_package);
    let has_to_be_there = !needs.is_everything && (!comes_with_builds || needs.named.contains(&tool));
    let state = if has_to_be_there { State::Bad } else { State::Note };
    let advice = match install.or(tool.install.first()) {
        Some(install) if comes_with_builds && !is_old => {
            format!("builds install it into the project, or `{}`", install.command)
        }
        Some(install) => format!("`{}`", install.command),
        None => "nothing here installs it".to_owned(),
    };
    Check { install, ..Check::new(GROUP, tool.name, state, found).advice(advice) }
}

/// Tells whether an installer is itself a tool of a language that the tool is for.
fn is_of_language(tool: &Tool, installer: &str) -> bool {
    tool.languages.iter().any(|language| of_language(*language).any(|known| known.name == installer))
}

fn text((major, minor, patch): Version) -> String {
    format!("{major}.{minor}.{patch}")
}
