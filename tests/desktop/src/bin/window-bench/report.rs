//! Figures, and how they are shown.

use std::fmt::Write as _;
use std::time::Duration;

/// What was measured, in the order in which it was.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    what: String,
    value: String,
    beside: String,
    verdict: Option<(bool, &'static str)>,
}

impl Report {
    /// A figure.
    pub(crate) fn add(&mut self, what: impl Into<String>, value: impl Into<String>) {
        let (what, value) = (what.into(), value.into());
        self.rows.push(Row { what, value, beside: String::new(), verdict: None });
    }

    /// The last figure's `value` beside the same of another program in this run, and how many times that it is.
    pub(crate) fn beside(&mut self, value: f64, whose: &str, other: f64, unit: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.beside = format!("{whose}: {}; ratio {:.2}", number(other, unit), value / other);
        }
    }

    /// Says of the last figure whether it is what was to be reached.
    pub(crate) fn target(&mut self, reached: bool, target: &'static str) {
        if let Some(row) = self.rows.last_mut() {
            row.verdict = Some((reached, target));
        }
    }

    /// The table.
    pub(crate) fn text(&self) -> String {
        let width =
            |of: fn(&Row) -> &str| self.rows.iter().map(|row| of(row).chars().count()).max();
        let what = width(|row| &row.what).unwrap_or(0);
        let value = width(|row| &row.value).unwrap_or(0);
        let mut text = String::new();
        for row in &self.rows {
            let verdict = match row.verdict {
                Some((true, _)) => "reached",
                Some((false, _)) => "MISSED",
                None => "",
            };
            let mut notes = Vec::new();
            if let Some((_, target)) = row.verdict {
                notes.push(format!("to reach: {target}"));
            }
            if !row.beside.is_empty() {
                notes.push(row.beside.clone());
            }
            let notes = notes.join("; ");
            // Writing to a string does not fail.
            let _ =
                writeln!(text, "{verdict:<8} {:<what$}  {:>value$}  {notes}", row.what, row.value);
        }
        text
    }
}

/// A number with its unit; small ones with more digits.
pub(crate) fn number(value: f64, unit: &str) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0} {unit}"),
        10.0.. => format!("{value:.1} {unit}"),
        _ => format!("{value:.2} {unit}"),
    }
}

/// The middle one; 0 when there are none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The greatest; 0 when there are none.
pub(crate) fn greatest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, f64::max)
}

/// Milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_is_reached_and_what_the_ratio_is() {
        let mut report = Report::default();
        report.add("first rows", number(250.0, "ms"));
        report.beside(250.0, "kubectl", 125.0, "ms");
        report.target(true, "at most 1,000 ms");
        report.add("lines", "7");
        let text = report.text();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(
            lines,
            [
                "reached  first rows  250 ms  to reach: at most 1,000 ms; kubectl: 125 ms; ratio 2.00",
                "         lines            7",
            ]
        );
    }

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([]), 0.0);
        assert_eq!(greatest([3.0, 1.0]), 3.0);
    }
}
