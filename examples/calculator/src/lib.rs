//! A library component: typed functions that other components or `wharf call` use.

wit_bindgen::generate!({ path: "wit", world: "calculator" });

use exports::docs::calculator::ops::{Error, Guest, Summary};

export!(Calculator);

struct Calculator;

impl Guest for Calculator {
    fn add(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn subtract(a: i32, b: i32) -> i32 {
        a.wrapping_sub(b)
    }

    fn summarize(samples: Vec<f64>) -> Result<Summary, Error> {
        if let Some(position) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(Error::NotFinite(position as u32));
        }
        let smallest = samples.iter().copied().reduce(f64::min).ok_or(Error::Empty)?;
        let largest = samples.iter().copied().reduce(f64::max).ok_or(Error::Empty)?;
        let count = samples.len() as u32;
        Ok(Summary { count, smallest, largest, mean: samples.iter().sum::<f64>() / f64::from(count) })
    }
}
