//! Finds components that depend on each other in a circle: none of them could be there before the others.

use std::collections::HashMap;

use crate::app::Component;
use crate::codes;
use crate::dependency::{Dependency, Supplier};
use crate::read::Problems;
use wharf_problem::Problem;

/// Reports each circle once, at the dependency that closes it.
pub(super) fn check(components: &[Component], problems: &mut Problems) {
    let by_name: HashMap<&str, &Component> =
        components.iter().map(|component| (component.name.as_str(), component)).collect();
    let mut done: HashMap<&str, bool> = HashMap::new();
    for component in components {
        walk(component, &by_name, &mut done, problems);
    }
}

/// One component on the way, and how many of its dependencies were looked at.
struct Step<'a> {
    component: &'a Component,
    next: usize,
}

/// Walks the dependencies of one component, depth first. Not recursive: a manifest may chain as many components as it likes.
/// `done` has `false` for those on the way and `true` for those that were left.
fn walk<'a>(
    start: &'a Component,
    by_name: &HashMap<&str, &'a Component>,
    done: &mut HashMap<&'a str, bool>,
    problems: &mut Problems,
) {
    if done.contains_key(start.name.as_str()) {
        return;
    }
    done.insert(&start.name, false);
    let mut way = vec![Step { component: start, next: 0 }];
    while let Some(step) = way.last_mut() {
        let component = step.component;
        let Some(dependency) = component.dependencies.get(step.next) else {
            done.insert(&component.name, true);
            way.pop();
            continue;
        };
        step.next += 1;
        let Supplier::Component(name) = &dependency.supplier else { continue };
        let Some(supplier) = by_name.get(name.as_str()) else { continue };
        match done.get(name.as_str()) {
            None => {
                done.insert(&supplier.name, false);
                way.push(Step { component: supplier, next: 0 });
            }
            Some(false) => problems.add(closed(&way, dependency, name)),
            Some(true) => {}
        }
    }
}

fn closed(way: &[Step<'_>], dependency: &Dependency, name: &str) -> Problem {
    let names = way.iter().map(|step| step.component.name.as_str()).skip_while(|on_way| *on_way != name);
    let circle: Vec<String> = names.chain([name]).map(|name| format!("`{name}`")).collect();
    let message = format!("components depend on each other in a circle: {}", circle.join(" → "));
    let problem = Problem::error(codes::CYCLE, dependency.supplier_span.clone(), message);
    problem.with_label("this closes it").with_help("move what both need into a component that depends on neither")
}
