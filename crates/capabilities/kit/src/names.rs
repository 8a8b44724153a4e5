//! Under which names interfaces are linked: their own, or those of one member of a fused component.
//!
//! Components that were fused share a store. What each of them may touch is told apart by the names of its imports: `wasi:keyvalue/store` is
//! what the outermost component imports, `member1:wasi-keyvalue/store` what the first member with grants of its own does.

use std::borrow::Cow;

/// Under which names interfaces are linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names(Option<u8>);

impl Names {
    /// Their own.
    pub const OWN: Self = Self(None);

    /// Those of one member.
    pub const fn member(number: u8) -> Self {
        Self(Some(number))
    }

    /// Returns the name under which an interface is linked. A name without a package stays as it is.
    pub fn of(self, interface: &str) -> Cow<'_, str> {
        match (self.0, interface.split_once('/').map(|(package, rest)| (package.split_once(':'), rest))) {
            (Some(number), Some((Some((namespace, package)), rest))) => {
                format!("member{number}:{namespace}-{package}/{rest}").into()
            }
            _ => interface.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn a_member_has_names_of_its_own() {
        assert_eq!(Names::OWN.of("wasi:io/poll@0.2.6"), "wasi:io/poll@0.2.6");
        assert_eq!(Names::member(3).of("wasi:keyvalue/store@0.2.0-draft"), "member3:wasi-keyvalue/store@0.2.0-draft");
        assert_eq!(Names::member(3).of("plain"), "plain");
    }
}
