//! Finds routes that answer the same requests, in a list that anybody may have written.

use std::collections::HashMap;

use super::{Methods, Route, RouteHost};

/// The routes of a list so far, by what they answer.
///
/// Adding costs about as much as the route is long, however many came before and however many methods they name.
#[derive(Debug, Default)]
pub struct Conflicts<'r> {
    count: usize,
    by_shape: HashMap<(&'r RouteHost, String), Alike<'r>>,
}

/// Routes of one host and shape of path, by their places in the list.
#[derive(Debug, Default)]
struct Alike<'r> {
    first: Option<usize>,
    first_of_any: Option<usize>,
    first_of: HashMap<&'r str, usize>,
}

impl<'r> Conflicts<'r> {
    /// Adds the next route of the list and returns the place of the first one before it that it conflicts with.
    pub fn add(&mut self, route: &'r Route) -> Option<usize> {
        let place = self.count;
        self.count += 1;
        let alike = self.by_shape.entry((&route.host, route.path.shape())).or_default();
        let first = alike.first;
        alike.first.get_or_insert(place);
        match &route.methods {
            Methods::Any => {
                alike.first_of_any.get_or_insert(place);
                first
            }
            Methods::Only(names) => {
                let rival = names.iter().filter_map(|name| alike.first_of.get(name.as_str())).min().copied();
                for name in names {
                    alike.first_of.entry(name).or_insert(place);
                }
                rival.into_iter().chain(alike.first_of_any).min()
            }
        }
    }
}
