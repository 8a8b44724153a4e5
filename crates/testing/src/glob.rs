//! URLs with `*` for any text.

/// Tells whether a URL is the one that a pattern says; `*` stands for any text, also for none.
pub fn matches(pattern: &str, url: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = url.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, url, fits) in [
            ("https://a.example/x", "https://a.example/x", true),
            ("https://a.example/x", "https://a.example/x?y", false),
            ("https://a.example/x", "https://a.example/", false),
            ("https://a.example/*", "https://a.example/", true),
            ("https://a.example/*", "https://a.example/x/y?z", true),
            ("https://a.example/*", "https://b.example/x", false),
            ("https://*.example/*/x", "https://a.example/1/2/x", true),
            ("https://*.example/*/x", "https://a.example/1/2/y", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, url), fits, "{pattern} {url}");
        }
    }
}
