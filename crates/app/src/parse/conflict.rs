//! Finds routes that answer the same requests.

use std::collections::HashMap;

use crate::app::HttpTrigger;
use crate::codes;
use crate::problem::Problem;
use crate::read::Problems;
use crate::route::{RouteHost, Segment};

/// Reports each trigger whose route answers requests that an earlier one answers, with both places.
///
/// Routes are compared only within one host and shape of path, so a manifest of many routes does not cost their square.
pub(super) fn check(triggers: &[HttpTrigger], problems: &mut Problems) {
    let mut by_shape: HashMap<(&RouteHost, String), Vec<&HttpTrigger>> = HashMap::new();
    for trigger in triggers {
        let Some(route) = &trigger.route else { continue };
        let alike =
            by_shape.entry((&route.host, shape(route.path.segments(), route.path.is_open_ended()))).or_default();
        let first = alike.iter().find(|other| other.route.as_ref().is_some_and(|other| other.conflicts_with(route)));
        if let Some(first) = first {
            let problem = Problem::error(
                codes::ROUTE_CONFLICT,
                trigger.span.clone(),
                format!("two triggers answer the same requests: `{route}`"),
            );
            let problem = problem.with_label("the second").with_related(first.span.clone(), "the first");
            problems.add(problem.with_help("give them different paths, hosts or methods"));
        }
        alike.push(trigger);
    }
}

/// Returns a text that is the same for two paths exactly when they fit the same requests.
fn shape(segments: &[Segment], open_ended: bool) -> String {
    let mut shape = String::new();
    for segment in segments {
        shape.push('/');
        // A literal never starts with a colon.
        shape.push_str(match segment {
            Segment::Literal(text) => text,
            Segment::Param(_) => ":",
        });
    }
    if open_ended {
        shape.push_str("/...");
    }
    shape
}
