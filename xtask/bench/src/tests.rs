use super::client::dechunk;
use super::components::{numbered, saying};
use super::instructions::parse_total;
use super::options::Options;
use super::process::{Memory, parse_processor_seconds};
use super::report::number;
use super::statistics::{median, percentile};

fn options(args: &[&str]) -> Option<Options> {
    Options::parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
}

#[test]
fn reads_options() {
    let options = options(&["--rounds", "5", "--only", "wharf", "--only", "native", "--apps", "7"]).unwrap();
    assert_eq!((options.rounds, options.seconds, options.apps.as_slice()), (5, 4, &[7][..]));
    assert!(options.wants("wharf 0.2 fresh") && options.wants("native multi-thread") && !options.wants("serve 0.2"));
}

#[test]
fn refuses_unknown_options_and_missing_values() {
    for args in [&["--round", "3"][..], &["--rounds"], &["--rounds", "0"], &["--apps", "many"]] {
        assert_eq!(options(args), None, "{args:?}");
    }
}

#[test]
fn takes_the_middle() {
    assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
    assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
    assert!(median([]).is_nan());
    assert_eq!(percentile((1..=20).map(f64::from), 0.9), 18.0);
    assert_eq!(percentile([5.0], 0.0), 5.0);
}

#[test]
fn writes_numbers_with_three_digits() {
    for (value, text) in [
        (0.123, "0.12"),
        (12.34, "12.3"),
        (999.6, "1,000"),
        (1_234_567.0, "1,234,567"),
        (-1500.0, "-1,500"),
        (f64::NAN, "–"),
    ] {
        assert_eq!(number(value), text);
    }
}

#[test]
fn reads_what_the_kernel_says() {
    let status = "Name:\twharf\nVmPeak:\t 9 kB\nVmHWM:\t   300 kB\nVmRSS:\t   200 kB\nRssAnon:\t 150 kB\nRssFile:\t  50 kB\nPss:\t 180 kB\n";
    assert_eq!(Memory::parse(status), Some(Memory { resident: 200, peak: 300, anonymous: 150, file: 50, once: 180 }));
    assert_eq!(Memory::parse("Name:\tzombie\n"), None);

    let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 1 1 1";
    assert_eq!(parse_processor_seconds(stat), Some(3.0));
}

#[test]
fn joins_chunks_only_when_all_are_there() {
    let whole = b"6\r\nhello\n\r\n2;x=y\r\n!\n\r\n0\r\n\r\n";
    assert_eq!(dechunk(whole).unwrap().as_deref(), Some(&b"hello\n!\n"[..]));
    for length in 0..whole.len() {
        assert_eq!(dechunk(&whole[..length]).unwrap(), None, "{length}");
    }
    assert!(dechunk(b"zz\r\n").is_err());
}

#[test]
fn makes_valid_components_of_others() {
    let component = wat::parse_str("(component (core module (memory 1) (data (i32.const 0) \"hello\\0a\")))").unwrap();
    let (one, two) = (numbered(&component, 1), numbered(&component, 2));
    assert_ne!(one, two);
    let other = saying(&component, "hello\n", "swap!\n").unwrap();
    for bytes in [one, two, other] {
        wasmparser::validate(&bytes).unwrap();
    }
    assert!(saying(&component, "nobody says this", "because it is no").is_err());
}

#[test]
fn reads_the_total_of_a_profile() {
    assert_eq!(parse_total("events: Ir\nfn=(1)\n16 400\ntotals: 12345\n"), Some(12345.0));
    assert_eq!(parse_total("events: Ir\nsummary: 77\n\n"), Some(77.0));
    assert_eq!(parse_total(""), None);
}
