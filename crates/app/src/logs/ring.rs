//! The last lines of a log.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::view::LogSource;

/// How many lines are kept.
pub(super) const LINES: usize = 50_000;

/// How much text is kept, in bytes: fewer lines, if they are long.
const BYTES: usize = 64 * 1024 * 1024;

/// A line, ready to be shown.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) time: i64,
    pub(super) source: LogSource,
    pub(super) origin: Arc<str>,
    pub(super) text: Box<str>,
    /// How long it was, where it was cut.
    pub(super) cut_from: Option<u64>,
}

/// Lines by their numbers, which count from 0 and have no gaps.
#[derive(Debug, Default)]
pub(super) struct Ring {
    lines: VecDeque<Line>,
    /// The number of the first line that is kept, which is also how many are not.
    first: u64,
    bytes: usize,
}

impl Ring {
    pub(super) fn push(&mut self, line: Line) {
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.lines.len() > LINES || self.bytes > BYTES {
            let Some(old) = self.lines.pop_front() else { break };
            self.bytes -= old.text.len();
            self.first += 1;
        }
    }

    /// The number of the first line that is kept.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next line will have.
    pub(super) fn next(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    pub(super) fn get(&self, number: u64) -> Option<&Line> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.lines.get(index)
    }

    /// The lines from number `from` on that are still kept, with their numbers.
    pub(super) fn since(&self, from: u64) -> impl Iterator<Item = (u64, &Line)> {
        let skip = usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let from = from.max(self.first);
        (from..).zip(self.lines.range(skip.min(self.lines.len())..))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(text: String) -> Line {
        let (origin, text) = (Arc::from(""), text.into_boxed_str());
        Line { time: 0, source: LogSource::Pod, origin, text, cut_from: None }
    }

    #[test]
    fn it_is_bounded_in_lines() {
        let mut ring = Ring::default();
        for number in 0..LINES + 10 {
            ring.push(line(number.to_string()));
        }
        assert_eq!((ring.first(), ring.next()), (10, LINES as u64 + 10));
        assert_eq!(&*ring.get(10).unwrap().text, "10");
        assert!(ring.get(9).is_none() && ring.get(ring.next()).is_none());
        let last: Vec<u64> = ring.since(LINES as u64 + 8).map(|(number, _)| number).collect();
        assert_eq!(last, [LINES as u64 + 8, LINES as u64 + 9]);
        assert_eq!(ring.since(0).next().unwrap().0, 10);
        assert_eq!(ring.since(u64::MAX).count(), 0);
    }

    #[test]
    fn it_is_bounded_in_bytes() {
        let mut ring = Ring::default();
        for _ in 0..10_000 {
            ring.push(line("x".repeat(10_000)));
        }
        assert!(ring.bytes <= BYTES && ring.bytes > BYTES - 20_000);
        assert_eq!(ring.next(), 10_000);
    }
}
