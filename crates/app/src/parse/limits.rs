//! Reads `limits` and `reuse`, and checks that the numbers can work.

use std::fmt::Display;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use crate::app::{Limits, Reuse};
use crate::codes;
use crate::quantity::{format_duration, format_size};
use crate::read::{Problems, Section, as_text};
use wharf_problem::Problem;

/// What a value may be, and why not less and not more.
pub(super) struct Bounds<T> {
    key: &'static str,
    min: T,
    why_min: &'static str,
    max: T,
    why_max: &'static str,
}

pub(super) const fn bounds<T>(key: &'static str, min: (T, &'static str), max: (T, &'static str)) -> Bounds<T>
where
    T: Copy,
{
    Bounds { key, min: min.0, why_min: min.1, max: max.0, why_max: max.1 }
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

const MEMORY: Bounds<u64> = bounds(
    "memory",
    (64 * KIB, "one page of WebAssembly memory"),
    (16 * GIB, "four full 32-bit memories, more than components use"),
);
const REQUEST_BODY: Bounds<u64> =
    bounds("request-body", (0, "no request body at all"), (TIB, "no client sends so much in one request"));
const RESPONSE_BODY: Bounds<u64> = bounds(
    "response-body",
    (1, "without a byte the component could not answer"),
    (TIB, "no client takes so much in one response"),
);
const HOSTCALL_BYTES: Bounds<u64> = bounds(
    "hostcall-bytes",
    (4 * KIB, "less does not carry the headers of a request"),
    (GIB, "the host holds this much for each call"),
);
const STACK: Bounds<u64> = bounds(
    "stack",
    (64 * KIB, "less does not carry the start of common languages"),
    (16 * MIB, "each instance reserves it in the node's address space"),
);
const CPU: Bounds<Duration> = bounds(
    "cpu",
    (Duration::from_millis(1), "processor time is counted in milliseconds"),
    (Duration::from_secs(3600), "an invocation is not a batch job"),
);
const WALL: Bounds<Duration> = bounds(
    "wall",
    (Duration::from_millis(1), "less ends before a component can start"),
    (Duration::from_secs(24 * 3600), "an invocation does not outlive a day's releases"),
);
const CLOCK_RESOLUTION: Bounds<Duration> = bounds(
    "clock-resolution",
    (Duration::from_millis(1), "below that, what a component measures is the machine and not its work"),
    (Duration::from_secs(60), "languages and libraries trust that time passes"),
);
const CONCURRENCY: Bounds<u32> = bounds(
    "concurrency",
    (1, "with zero the component could never run"),
    (100_000, "more instances than a node has address space for"),
);
const QUEUE: Bounds<u32> =
    bounds("queue", (0, "nobody waits"), (1_000_000, "those at its end would time out before their turn"));
const HANDLES: Bounds<u32> = bounds(
    "handles",
    (16, "one request with its body and headers needs about ten"),
    (1_000_000, "each handle takes memory of the host"),
);
const REUSE_REQUESTS: Bounds<u32> = bounds(
    "requests",
    (1, "an instance that answers nothing is of no use"),
    (1_000_000, "an instance is replaced now and then so that what it leaks goes away"),
);
const REUSE_CONCURRENT: Bounds<u32> = bounds(
    "concurrent",
    (1, "an instance that works on nothing is of no use"),
    (10_000, "one instance has one thread and one memory"),
);
const REUSE_IDLE: Bounds<Duration> = bounds(
    "idle",
    (Duration::from_millis(1), "less is `reuse = \"never\"`"),
    (Duration::from_secs(24 * 3600), "an idle instance holds memory"),
);
pub(super) const LABEL_TIMEOUT: Bounds<Duration> = bounds(
    "timeout",
    (Duration::from_millis(1), "no backend answers sooner"),
    (Duration::from_secs(3600), "an invocation does not wait for longer"),
);
pub(super) const LABEL_CONCURRENCY: Bounds<u32> = bounds(
    "concurrency",
    (1, "with zero no call could be made"),
    (100_000, "more calls than a component has instances"),
);
pub(super) const LABEL_SIZE: Bounds<u64> =
    bounds("size", (1, "nothing could be stored"), (TIB, "no backend takes so much at once"));

pub(super) fn read(component: &Section<'_>, problems: &mut Problems) -> Limits {
    let usual = Limits::default();
    let Some(section) = component.section("limits", "component.*.limits", problems) else { return usual };
    let limits = Limits {
        memory_bytes: size(&section, &MEMORY, problems).unwrap_or(usual.memory_bytes),
        cpu: duration(&section, &CPU, problems).unwrap_or(usual.cpu),
        wall: duration(&section, &WALL, problems).unwrap_or(usual.wall),
        concurrency: count(&section, &CONCURRENCY, problems).unwrap_or(usual.concurrency),
        queue: count(&section, &QUEUE, problems).unwrap_or(usual.queue),
        request_body_bytes: size(&section, &REQUEST_BODY, problems).unwrap_or(usual.request_body_bytes),
        response_body_bytes: size(&section, &RESPONSE_BODY, problems).unwrap_or(usual.response_body_bytes),
        handles: count(&section, &HANDLES, problems).unwrap_or(usual.handles),
        hostcall_bytes: size(&section, &HOSTCALL_BYTES, problems).unwrap_or(usual.hostcall_bytes),
        stack_bytes: size(&section, &STACK, problems).unwrap_or(usual.stack_bytes),
        clock_resolution: duration(&section, &CLOCK_RESOLUTION, problems),
    };
    warn_of_idle_cpu_limit(&section, &limits, problems);
    limits
}

/// An invocation cannot use more processor time than time passes, because it has one thread.
fn warn_of_idle_cpu_limit(section: &Section<'_>, limits: &Limits, problems: &mut Problems) {
    let Some(cpu) = section.value("cpu").filter(|_| limits.cpu > limits.wall) else { return };
    let wall = format_duration(limits.wall);
    let problem = Problem::warning(codes::UNREACHABLE_LIMIT, cpu.span(), "the limit `cpu` is never reached");
    let problem = problem.with_label(format!("an invocation ends after {wall} of `wall`"));
    problems.add(match section.value("wall") {
        Some(value) => problem.with_related(value.span(), "because of this"),
        None => problem.with_help("raise `wall`, or lower `cpu`"),
    });
}

pub(super) fn read_reuse(component: &Section<'_>, problems: &mut Problems) -> Reuse {
    let Some(value) = component.value("reuse") else { return Reuse::Never };
    match value.get_ref() {
        DeValue::String(_) => {
            if let Some(text) = as_text(value).filter(|text| *text.get_ref() != "never") {
                let problem = Problem::error(codes::TYPE, text.span(), "`reuse` is neither `\"never\"` nor a table");
                problems.add(problem.with_help("write `reuse = { requests = 128, concurrent = 16, idle = \"1s\" }`"));
            }
            Reuse::Never
        }
        DeValue::Table(_) => {
            let Some(section) = component.section("reuse", "component.*.reuse", problems) else { return Reuse::Never };
            Reuse::Bounded {
                requests: count(&section, &REUSE_REQUESTS, problems).unwrap_or(128),
                concurrent: count(&section, &REUSE_CONCURRENT, problems).unwrap_or(16),
                idle: duration(&section, &REUSE_IDLE, problems).unwrap_or(Duration::from_secs(1)),
            }
        }
        _ => component.mistyped("reuse", value, problems).unwrap_or_default(),
    }
}

pub(super) fn size(section: &Section<'_>, bounds: &Bounds<u64>, problems: &mut Problems) -> Option<u64> {
    let value = section.size(bounds.key, problems)?;
    check(bounds, &value, |bytes| format_size(*bytes), problems)
}

pub(super) fn duration(section: &Section<'_>, bounds: &Bounds<Duration>, problems: &mut Problems) -> Option<Duration> {
    let value = section.duration(bounds.key, problems)?;
    check(bounds, &value, |duration| format_duration(*duration), problems)
}

pub(super) fn count(section: &Section<'_>, bounds: &Bounds<u32>, problems: &mut Problems) -> Option<u32> {
    let value = section.integer(bounds.key, problems)?;
    // A number past 32 bits is above every bound, and so is the largest of 32 bits.
    let number = u32::try_from(*value.get_ref()).unwrap_or(u32::MAX);
    check(bounds, &Spanned::new(value.span(), number), u32::to_string, problems)
}

fn check<T: Copy + PartialOrd>(
    bounds: &Bounds<T>,
    value: &Spanned<T>,
    show: impl Fn(&T) -> String,
    problems: &mut Problems,
) -> Option<T> {
    let report = |relation: &str, bound: String, why: &dyn Display| {
        Problem::error(codes::BOUNDS, value.span(), format!("`{}` is {relation}", bounds.key))
            .with_label(format!("{bound}: {why}"))
    };
    if *value.get_ref() < bounds.min {
        problems.add(report("too small", format!("at least {}", show(&bounds.min)), &bounds.why_min));
        None
    } else if *value.get_ref() > bounds.max {
        problems.add(report("too large", format!("at most {}", show(&bounds.max)), &bounds.why_max));
        None
    } else {
        Some(*value.get_ref())
    }
}
