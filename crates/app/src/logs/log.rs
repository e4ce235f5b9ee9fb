//! One log.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::filter::{Filter, Wanted};
use super::lines::RawLine;
use super::ring::{Line, Ring};
use super::text::clean;
use crate::view::{LogLine, LogPage, LogQuery, LogSource};

/// How many filters are remembered: a window shows one or two at a time.
const FILTERS: usize = 6;

/// The longest page.
const PAGE: u32 = 1_000;

/// A log.
#[derive(Debug)]
pub(super) struct Log {
    content: Mutex<Content>,
    /// Whether there are lines that nobody was told of.
    changed: AtomicBool,
    news: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Content {
    ring: Ring,
    /// The last used last.
    filters: Vec<Filter>,
}

/// Adds lines to a log. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct LogWriter {
    log: Arc<Log>,
}

impl Log {
    pub(super) fn new(news: Arc<Notify>) -> Self {
        Self { content: Mutex::default(), changed: AtomicBool::new(false), news }
    }

    /// The number of the next line, if there is news since the last call.
    pub(super) fn news(&self) -> Option<u64> {
        self.changed.swap(false, Relaxed).then(|| self.lock().ring.next())
    }

    pub(super) fn page(&self, query: &LogQuery) -> LogPage {
        let mut content = self.lock();
        let limit = u64::from(query.limit.min(PAGE));
        let (next, dropped) = (content.ring.next(), content.ring.first());
        let searched = Wanted::new(&query.sources, &query.search);
        let shown = content.shown(query);
        let (matches, marks) = if query.search.is_empty() {
            (0, None)
        } else {
            let filter = content.filter(searched);
            (filter.numbers().len() as u64, Some(filter.wanted.clone()))
        };
        let count = content.count(&shown);
        let offset = query.offset.unwrap_or(count.saturating_sub(limit)).min(count);
        let numbers: Vec<u64> = (offset..count.min(offset + limit))
            .filter_map(|index| content.number(&shown, index))
            .collect();
        let marks = marks.map(|wanted| content.find(&wanted));
        let line = |number: u64| {
            let Line { time, source, origin, text, cut_from } = content.ring.get(number)?;
            let matches = marks.flatten().is_some_and(|filter| filter.matches(text));
            Some(LogLine {
                number,
                time: *time,
                source: *source,
                origin: origin.to_string(),
                text: text.to_string(),
                cut_from: *cut_from,
                matches,
            })
        };
        let lines = numbers.into_iter().filter_map(line).collect();
        LogPage { shown: count, offset, matches, next, dropped, lines }
    }

    /// Calls `each` with every line that the query shows.
    pub(super) fn each_shown(&self, query: &LogQuery, mut each: impl FnMut(&Line)) {
        let mut content = self.lock();
        let shown = content.shown(query);
        for index in 0..content.count(&shown) {
            let number = content.number(&shown, index);
            if let Some(line) = number.and_then(|number| content.ring.get(number)) {
                each(line);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    /// What the query shows, looked up; afterwards [`Self::find`] has it.
    fn shown(&mut self, query: &LogQuery) -> Wanted {
        let search = if query.only_matches { query.search.as_str() } else { "" };
        let wanted = Wanted::new(&query.sources, search);
        if !wanted.all() {
            self.filter(wanted.clone());
        }
        wanted
    }

    /// The filter, up to date.
    fn filter(&mut self, wanted: Wanted) -> &Filter {
        let known = self.filters.iter().position(|filter| filter.wanted == wanted);
        let filter = match known {
            Some(index) => self.filters.remove(index),
            None => Filter::new(wanted),
        };
        if self.filters.len() == FILTERS {
            self.filters.remove(0);
        }
        self.filters.push(filter);
        let last = self.filters.len() - 1;
        let filter = &mut self.filters[last];
        filter.update(&self.ring);
        filter
    }

    fn find(&self, wanted: &Wanted) -> Option<&Filter> {
        self.filters.iter().find(|filter| filter.wanted == *wanted)
    }

    fn count(&self, shown: &Wanted) -> u64 {
        match self.find(shown) {
            Some(filter) => filter.numbers().len() as u64,
            None => self.ring.next() - self.ring.first(),
        }
    }

    fn number(&self, shown: &Wanted, index: u64) -> Option<u64> {
        match self.find(shown) {
            Some(filter) => filter.numbers().get(usize::try_from(index).ok()?).copied(),
            None => Some(self.ring.first() + index),
        }
    }
}

impl LogWriter {
    pub(super) fn new(log: Arc<Log>) -> Self {
        Self { log }
    }

    /// Adds the lines that `fill` gives, which all have the same source, and came just now.
    pub(crate) fn add(
        &self,
        source: LogSource,
        origin: &Arc<str>,
        fill: impl FnOnce(&mut dyn FnMut(RawLine<'_>)),
    ) {
        let time = Timestamp::now().as_millisecond();
        let mut lines = Vec::new();
        fill(&mut |raw| lines.push(line(time, source, origin, raw)));
        self.push(lines);
    }

    /// Adds one line that came at `time`.
    pub(super) fn add_one(
        &self,
        time: i64,
        source: LogSource,
        origin: &Arc<str>,
        raw: RawLine<'_>,
    ) {
        self.push(vec![line(time, source, origin, raw)]);
    }

    /// Says something about the log itself.
    pub(crate) fn say(&self, text: &str) {
        let raw = RawLine { bytes: text.as_bytes(), length: text.len() as u64 };
        let now = Timestamp::now().as_millisecond();
        self.add_one(now, LogSource::Towline, &Arc::from(""), raw);
    }

    // The lines are cleaned before, so that the lock is held for moving them only.
    fn push(&self, lines: Vec<Line>) {
        if lines.is_empty() {
            return;
        }
        let mut content = self.log.lock();
        for line in lines {
            content.ring.push(line);
        }
        drop(content);
        if !self.log.changed.swap(true, Relaxed) {
            self.log.news.notify_one();
        }
    }
}

fn line(time: i64, source: LogSource, origin: &Arc<str>, raw: RawLine<'_>) -> Line {
    let (text, cut_from) = clean(raw);
    Line { time, source, origin: origin.clone(), text, cut_from }
}
