//! Bytes in each of the last seconds.

use std::collections::VecDeque;

/// How many seconds are shown.
const SECONDS: usize = 60;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct History {
    total: u64,
    seconds: VecDeque<u64>,
}

impl History {
    /// Takes how many bytes there were in all so far, once a second; gives the last seconds, the oldest first.
    pub(super) fn sample(&mut self, total: u64) -> Vec<u64> {
        self.seconds.push_back(total.saturating_sub(self.total));
        self.total = total;
        while self.seconds.len() > SECONDS {
            self.seconds.pop_front();
        }
        let missing = SECONDS - self.seconds.len();
        std::iter::repeat_n(0, missing).chain(self.seconds.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_always_has_sixty_seconds() {
        let mut history = History::default();
        let first = history.sample(10);
        assert_eq!((first.len(), first[59], first[0]), (SECONDS, 10, 0));
        for second in 0..100 {
            history.sample(10 + second);
        }
        let last = history.sample(1_000);
        assert_eq!((last.len(), last[59], last[58]), (SECONDS, 891, 1));
        assert_eq!(history.sample(0)[59], 0, "a counter never runs backwards");
    }
}
