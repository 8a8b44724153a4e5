//! Medians and percentiles of a handful of numbers.

/// Returns the median; not a number when there is nothing.
pub(crate) fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let sorted = sort(numbers);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Returns the smallest number that at least this share of them does not exceed.
pub(crate) fn percentile(numbers: impl IntoIterator<Item = f64>, share: f64) -> f64 {
    let sorted = sort(numbers);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}

fn sort(numbers: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = numbers.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}
