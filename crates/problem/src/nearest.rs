//! Finds the word that was probably meant.

/// Words longer than this are not compared: no key and no name is, and comparing costs their product.
const LEN_MAX: usize = 64;

/// Candidates that are compared: more than any table of keys has, and fewer than a hostile manifest could.
const CANDIDATES_MAX: usize = 256;

/// Returns the candidate with the fewest typing mistakes, unless that is more than one in three letters.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(LEN_MAX + 1).map(plain).collect();
    if word.len() > LEN_MAX {
        return None;
    }
    let mistakes_max = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .take(CANDIDATES_MAX)
        .map(|candidate| (mistakes(&word, candidate), candidate))
        .filter(|(count, _)| *count <= mistakes_max)
        .min_by_key(|(count, _)| *count)
        .map(|(_, candidate)| candidate)
}

/// Returns a letter without the differences that people do not see as mistakes.
fn plain(c: char) -> char {
    if c == '_' { '-' } else { c.to_ascii_lowercase() }
}

/// Counts letters to insert, remove, replace or swap with their neighbour.
fn mistakes(word: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> = candidate.chars().take(LEN_MAX + 1).map(plain).collect();
    let mut last: Vec<usize> = (0..=candidate.len()).collect();
    let mut before_last = vec![0; last.len()];
    let mut row = vec![0; last.len()];
    for i in 1..=word.len() {
        row[0] = i;
        for j in 1..=candidate.len() {
            let replaced = last[j - 1] + usize::from(word[i - 1] != candidate[j - 1]);
            let mut count = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && word[i - 1] == candidate[j - 2] && word[i - 2] == candidate[j - 1] {
                count = count.min(before_last[j - 2] + 1);
            }
            row[j] = count;
        }
        // The rows move back by one; the oldest is written over next.
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[candidate.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let keys = ["memory", "cpu", "wall", "request-body", "concurrency"];
        for (word, expected) in [
            ("memroy", Some("memory")),
            ("mem", None),
            ("CPU", Some("cpu")),
            ("request_body", Some("request-body")),
            ("requestbody", Some("request-body")),
            ("concurency", Some("concurrency")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys), expected, "{word:?}");
        }
        assert_eq!(nearest(&"m".repeat(10_000), keys), None);
    }
}
