//! Which lines a query shows, found once and then only among the new ones.

use std::collections::VecDeque;

use regex::{Regex, RegexBuilder};

use super::ring::{Line, Ring};
use crate::view::LogSource;

/// The most of a search that counts, in characters.
const LONGEST: usize = 1_000;

/// Which lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Only of these; empty: of all.
    pub(super) sources: Vec<LogSource>,
    /// Only those in which this occurs, in capitals or not; empty: all.
    pub(super) search: String,
}

/// The numbers of the lines that fit, as far as it has looked.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) wanted: Wanted,
    pattern: Option<Regex>,
    seen: u64,
    numbers: VecDeque<u64>,
}

impl Wanted {
    pub(super) fn new(sources: &[LogSource], search: &str) -> Self {
        let mut sources = sources.to_vec();
        sources.sort_unstable();
        sources.dedup();
        Self { sources, search: search.chars().take(LONGEST).collect() }
    }

    /// Whether every line fits.
    pub(super) fn all(&self) -> bool {
        self.sources.is_empty() && self.search.is_empty()
    }
}

impl Filter {
    pub(super) fn new(wanted: Wanted) -> Self {
        let pattern = pattern(&wanted.search);
        Self { wanted, pattern, seen: 0, numbers: VecDeque::new() }
    }

    /// Looks at what is new, and forgets what is not kept any more.
    pub(super) fn update(&mut self, ring: &Ring) {
        while self.numbers.front().is_some_and(|number| *number < ring.first()) {
            self.numbers.pop_front();
        }
        let seen = self.seen.max(ring.first());
        for (number, line) in ring.since(seen) {
            if self.fits(line) {
                self.numbers.push_back(number);
            }
        }
        self.seen = ring.next();
    }

    pub(super) fn numbers(&self) -> &VecDeque<u64> {
        &self.numbers
    }

    fn fits(&self, line: &Line) -> bool {
        let sources = &self.wanted.sources;
        (sources.is_empty() || sources.contains(&line.source)) && self.matches(&line.text)
    }

    /// Whether the text has what is looked for; so has every text if nothing is.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
    }
}

fn pattern(search: &str) -> Option<Regex> {
    if search.is_empty() {
        return None;
    }
    let built = RegexBuilder::new(&regex::escape(search)).case_insensitive(true).build();
    Some(built.expect("escaped text of bounded length is always a pattern"))
}
