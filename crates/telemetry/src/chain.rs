//! An error and what caused it, on one line.

use std::error::Error;
use std::fmt::Write;

/// Returns an error and its causes, one after the other on one line. A cause that the text has already is left out: some layers repeat what
/// is below them.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            let _ = write!(text, ": {next}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &dyn Error)
        }
    }

    #[test]
    fn causes_follow_in_order_and_none_is_told_twice() {
        let over = |text, cause| Layer(text, Some(Box::new(cause)));
        let refused = || Layer("connection refused", None);
        assert_eq!(chain(&refused()), "connection refused");
        assert_eq!(
            chain(&over("cannot fetch a", over("no answer", refused()))),
            "cannot fetch a: no answer: connection refused"
        );
        assert_eq!(chain(&over("no answer: connection refused", refused())), "no answer: connection refused");
    }
}
