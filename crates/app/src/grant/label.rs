//! Labels: the names by which components ask for stores, and what a grant says about one.

use std::time::Duration;

use super::Access;
use crate::pattern::PatternError;
use wharf_problem::Span;

/// The longest label. Labels become parts of file names, of schemas and of subjects, where 63 is the least of the limits.
const LABEL_LEN_MAX: usize = 63;

/// One label of a capability that a component may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelGrant {
    /// The label, a valid one; unique within the component's grants of this capability.
    pub label: String,
    /// What may be done.
    pub access: Access,
    /// The time of one call; the capability's default, or the operator's, when absent.
    pub timeout: Option<Duration>,
    /// Calls at once, likewise.
    pub concurrency: Option<u32>,
    /// Bytes of one value, object, row or message, likewise.
    pub size_bytes: Option<u64>,
    /// Where the manifest has it; empty in an app that has no manifest.
    pub span: Span,
}

impl LabelGrant {
    /// Returns the grant of everything that can be done with a label.
    pub fn full(label: &str, span: Span) -> Self {
        let access = Access::ReadWrite;
        Self { label: label.to_owned(), access, timeout: None, concurrency: None, size_bytes: None, span }
    }

    /// Reads `LABEL`, with `:ro` at the end for one that may only be read.
    ///
    /// # Errors
    ///
    /// Why the text is no such grant.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let (label, access) = match text.strip_suffix(":ro") {
            Some(label) => (label, Access::ReadOnly),
            None => (text.strip_suffix(":rw").unwrap_or(text), Access::ReadWrite),
        };
        check_label(label)?;
        Ok(Self { access, ..Self::full(label, 0..0) })
    }

    /// Reads `LABEL` of messages, which are only sent: what may be done has no other name.
    ///
    /// # Errors
    ///
    /// Why the text is no such grant.
    pub fn parse_sent(text: &str) -> Result<Self, PatternError> {
        let wrong = |message: String| PatternError::new(0..text.len(), message);
        if let Some((label, access @ ("ro" | "rw"))) = text.rsplit_once(':') {
            return Err(wrong(format!("messages are only sent, so that `:{access}` says nothing: write `{label}`")));
        }
        Self::parse(text).map_err(|error| wrong(error.to_string()))
    }
}

/// A text that cannot be a label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{label}` is no label: it {why}")]
pub struct LabelError {
    /// The text.
    pub label: String,
    /// What is wrong with it, as the end of a sentence.
    pub why: &'static str,
}

/// Checks that `label` can name a store: a lower-case letter, then lower-case letters, digits, `-` and `_`, 63 characters at most.
///
/// # Errors
///
/// What is wrong with it.
pub fn check_label(label: &str) -> Result<(), LabelError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let why = if label.is_empty() {
        "is empty"
    } else if label.len() > LABEL_LEN_MAX {
        "is longer than 63 characters"
    } else if !label.starts_with(|c: char| c.is_ascii_lowercase()) {
        "does not start with a lower-case letter"
    } else if !label.chars().all(plain) {
        "has characters other than lower-case letters, digits, `-` and `_`"
    } else {
        return Ok(());
    };
    Err(LabelError { label: label.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_names_a_label_and_whether_it_only_reads() {
        let read = |text: &str| LabelGrant::parse(text).map(|grant| (grant.label, grant.access)).ok();
        assert_eq!(read("orders"), Some(("orders".to_owned(), Access::ReadWrite)));
        assert_eq!(read("orders:rw"), read("orders"));
        assert_eq!(read("orders:ro"), Some(("orders".to_owned(), Access::ReadOnly)));
        for bad in ["", ":ro", "a:b", "a:ro:ro", "a=b", "A"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_flag_of_messages_names_a_label_alone() {
        assert_eq!(LabelGrant::parse_sent("orders").ok(), LabelGrant::parse("orders").ok());
        for (bad, part) in [
            ("orders:ro", "`:ro` says nothing: write `orders`"),
            ("orders:rw", "`:rw` says nothing: write `orders`"),
            ("a:b", "`a:b` is no label"),
            ("", "is empty"),
        ] {
            let error = LabelGrant::parse_sent(bad).map_err(|error| error.to_string()).expect_err(bad);
            assert!(error.contains(part), "{bad}: {error}");
        }
    }

    #[test]
    fn labels_are_plain() {
        for good in ["default", "a", "orders-2024", "a_b"] {
            assert!(check_label(good).is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "Default", "1a", "-a", "a/b", "a.b", "ä", "a b", "..", long.as_str()] {
            assert!(check_label(bad).is_err(), "{bad}");
        }
    }
}
