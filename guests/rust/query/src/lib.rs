//! The part of a request that selects what a test guest does: `/case?key=value&…`.

/// A path with its query, taken apart.
pub struct Query {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Query {
    pub fn parse(path_with_query: &str) -> Query {
        let (path, query) = path_with_query.split_once('?').unwrap_or((path_with_query, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(key), unescape(value))
        });
        Query { path: path.to_owned(), pairs: pairs.collect() }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|pair| pair.0 == key).map(|pair| pair.1.as_str())
    }

    /// Returns the number under `key`, or `default` when it is absent or no number.
    pub fn number(&self, key: &str, default: u64) -> u64 {
        self.text(key).and_then(|text| text.parse().ok()).unwrap_or(default)
    }
}

/// Decodes `%41`; what is no such escape stays as it is.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn takes_a_path_apart() {
        let query = Query::parse("/fetch?url=http%3A%2F%2Fa%2Fb&n=7&flag&bad=%4");
        assert_eq!(query.path(), "/fetch");
        assert_eq!(query.text("url"), Some("http://a/b"));
        assert_eq!(query.number("n", 1), 7);
        assert_eq!(query.number("flag", 1), 1);
        assert_eq!(query.text("bad"), Some("%4"));
        assert_eq!(query.text("absent"), None);
    }
}
