//! What a long command is doing, on standard error; standard output is for results.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Does `work`, and says how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = work().with_context(|| name.to_owned());
    let mark = if result.is_ok() { '✓' } else { '✗' };
    eprintln!("  {mark} {name:<28} {}", seconds(start.elapsed()));
    result
}

/// `3.4 s`, or `2 min 5 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        whole @ 60.. => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}
