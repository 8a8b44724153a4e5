//! The codes of what can be wrong with tests.

/// A test file that cannot be understood.
pub const CODE: &str = "WHARF-0090";

/// A request to a server that no test file has an answer for.
pub const UNMATCHED: &str = "WHARF-0091";
