//! How much of a backend one label may use.

use std::time::Duration;

/// Bounds of the calls that one component makes to one label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Time of one call, waiting for its turn included.
    pub timeout: Duration,
    /// Calls at once; more wait for their turn, within the time of the call.
    pub concurrency: usize,
    /// Bytes of one value, object part, row or message. A capability says in its documentation what it counts.
    pub size_bytes: usize,
}

/// Bounds that a grant or a binding gives; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoundsOverride {
    /// See [`Bounds::timeout`].
    pub timeout: Option<Duration>,
    /// See [`Bounds::concurrency`].
    pub concurrency: Option<usize>,
    /// See [`Bounds::size_bytes`].
    pub size_bytes: Option<usize>,
}

impl Bounds {
    /// Returns the bounds within the operator's and the grant's. A grant may only lower what the operator allows; without an operator's
    /// word the grant decides.
    #[must_use]
    pub fn within(self, operator: BoundsOverride, grant: BoundsOverride) -> Self {
        Self {
            timeout: lower(self.timeout, operator.timeout, grant.timeout),
            concurrency: lower(self.concurrency, operator.concurrency, grant.concurrency).max(1),
            size_bytes: lower(self.size_bytes, operator.size_bytes, grant.size_bytes),
        }
    }
}

fn lower<T: Ord + Copy>(default: T, operator: Option<T>, grant: Option<T>) -> T {
    match (operator, grant) {
        (Some(operator), Some(grant)) => operator.min(grant),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_lowers_what_the_operator_allows_and_never_raises_it() {
        let default = Bounds { timeout: Duration::from_secs(5), concurrency: 64, size_bytes: 100 };
        let none = BoundsOverride::default();
        let size = |bytes| BoundsOverride { size_bytes: Some(bytes), ..none };
        assert_eq!(default.within(none, none), default);
        assert_eq!(default.within(none, size(1000)).size_bytes, 1000);
        assert_eq!(default.within(size(500), size(1000)).size_bytes, 500);
        assert_eq!(default.within(size(500), size(10)).size_bytes, 10);
        assert_eq!(default.within(size(500), none).size_bytes, 500);
        assert_eq!(default.within(none, BoundsOverride { concurrency: Some(0), ..none }).concurrency, 1);
    }
}
