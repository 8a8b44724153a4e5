//! Reports routes that answer the same requests.

use crate::app::HttpTrigger;
use crate::codes;
use crate::read::Problems;
use crate::route::Conflicts;
use wharf_problem::Problem;

/// Reports each trigger whose route answers requests that an earlier one answers, with both places.
pub(super) fn check(triggers: &[HttpTrigger], problems: &mut Problems) {
    let public: Vec<_> = triggers.iter().filter_map(|trigger| Some((trigger, trigger.route.as_ref()?))).collect();
    let mut conflicts = Conflicts::default();
    for (trigger, route) in &public {
        let Some(first) = conflicts.add(route) else { continue };
        let problem = Problem::error(
            codes::ROUTE_CONFLICT,
            trigger.span.clone(),
            format!("two triggers answer the same requests: `{route}`"),
        );
        let problem = problem.with_label("the second").with_related(public[first].0.span.clone(), "the first");
        problems.add(problem.with_help("give them different paths, hosts or methods"));
    }
}
