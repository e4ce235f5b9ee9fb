//! Figures, their medians, and how they are shown.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What was measured on one way.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// From the server, one stream: 10⁶ bytes a second.
    pub(crate) download_1: f64,
    /// From the server, eight streams together.
    pub(crate) download_8: f64,
    /// To the server, one stream.
    pub(crate) upload_1: f64,
    /// To the server, eight streams together.
    pub(crate) upload_8: f64,
    /// New connections a second, one after another.
    pub(crate) one_by_one: f64,
    /// New connections a second, 64 at once.
    pub(crate) together: f64,
    /// Milliseconds of a 1 KB request on a new connection.
    pub(crate) new_p50: f64,
    /// The same, of the slowest hundredth.
    pub(crate) new_p99: f64,
    /// Milliseconds of a 1 KB request on a kept connection.
    pub(crate) kept_p50: f64,
    /// The same, of the slowest hundredth.
    pub(crate) kept_p99: f64,
}

type Field = (&'static str, fn(&Figures) -> f64);

/// The rows of the table.
const ROWS: [Field; 10] = [
    ("bulk from the server, 1 stream, MB/s", |f| f.download_1),
    ("bulk from the server, 8 streams, MB/s", |f| f.download_8),
    ("bulk to the server, 1 stream, MB/s", |f| f.upload_1),
    ("bulk to the server, 8 streams, MB/s", |f| f.upload_8),
    ("new connections/s, one after another", |f| f.one_by_one),
    ("new connections/s, 64 at once", |f| f.together),
    ("1 KB on a new connection, p50 ms", |f| f.new_p50),
    ("1 KB on a new connection, p99 ms", |f| f.new_p99),
    ("1 KB on a kept connection, p50 ms", |f| f.kept_p50),
    ("1 KB on a kept connection, p99 ms", |f| f.kept_p99),
];

/// The value below which `percent` of the times lie, in milliseconds; 0 when there are none.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times.get((times.len() * percent / 100).min(last)).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

/// The middle one; 0 when there are none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The table: a row a figure, a column a way, medians over the rounds.
pub(crate) fn table(ways: &[(&str, Vec<Figures>)]) -> String {
    let mut text = format!("| {:<38} |", "");
    for (name, _) in ways {
        text += &format!(" {name:>18} |");
    }
    text += &format!("\n|{}|", "-".repeat(40));
    text += &format!("{}|", "-".repeat(20)).repeat(ways.len());
    for (title, field) in ROWS {
        text += &format!("\n| {title:<38} |");
        for (_, rounds) in ways {
            text += &format!(" {:>18.2} |", median(rounds.iter().map(field)));
        }
    }
    text
}

/// Towline's bulk rates as multiples of kubectl's, and whether each target is reached.
pub(crate) fn targets(kubectl: &[Figures], outbound: &[Figures], inbound: &[Figures]) -> String {
    let mut text = String::new();
    let of = |rounds: &[Figures], field: fn(&Figures) -> f64| median(rounds.iter().map(field));
    for (title, field) in &ROWS[..4] {
        for (way, figures) in [("outbound", outbound), ("inbound", inbound)] {
            let ratio = of(figures, *field) / of(kubectl, *field);
            text += &verdict(
                &format!("{title}, {way}, beside kubectl"),
                ratio,
                ratio >= 1.0,
                "at least 1.0",
            );
        }
    }
    for (way, figures) in [("outbound", outbound), ("inbound", inbound)] {
        let p50 = of(figures, |f| f.new_p50);
        text += &verdict(&format!("new connection, {way}, p50 ms"), p50, p50 <= 2.0, "at most 2");
    }
    text
}

/// One line that says whether a target is reached.
pub(crate) fn verdict(title: &str, value: f64, reached: bool, target: &str) -> String {
    let word = if reached { "reached" } else { "MISSED" };
    format!("{word:<8} {title}: {value:.2} ({target})\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_medians() {
        let mut times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut times, 50), 51.0);
        assert_eq!(percentile(&mut times, 99), 100.0);
        assert_eq!(percentile(&mut [], 50), 0.0);
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([]), 0.0);
    }
}
