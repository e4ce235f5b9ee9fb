//! When a lease has lapsed.

use std::time::{Duration, Instant};

/// Counts the time without a renewal of a lease, as far as it was seen: time in which the API server could not be reached is not held
/// against the client, who could not reach it either.
#[derive(Debug)]
pub struct LapseClock {
    /// The most that one read may add: the time between two polls.
    interval: Duration,
    renewal: Option<String>,
    counted: Duration,
    last_read: Option<Instant>,
}

impl LapseClock {
    /// A clock for a lease that is read every `interval`.
    pub fn new(interval: Duration) -> Self {
        Self { interval, renewal: None, counted: Duration::ZERO, last_read: None }
    }

    /// Notes that the lease has been read at `now`, and what its last renewal was. Returns the time without a renewal.
    pub fn read(&mut self, now: Instant, renewal: &str) -> Duration {
        let since = self.last_read.replace(now).map(|last| now.duration_since(last));
        if self.renewal.as_deref() == Some(renewal) {
            self.counted += since.unwrap_or_default().min(self.interval);
        } else {
            self.renewal = Some(renewal.to_owned());
            self.counted = Duration::ZERO;
        }
        self.counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_secs(2);
    const LEASE: Duration = Duration::from_secs(120);

    struct Poller {
        clock: LapseClock,
        now: Instant,
    }

    impl Poller {
        fn new() -> Self {
            Self { clock: LapseClock::new(POLL), now: Instant::now() }
        }

        /// Polls for so long; says after how long the lease had lapsed, if it had.
        fn poll(&mut self, seconds: u64, renewal: impl Fn(u64) -> String) -> Option<u64> {
            (1..=seconds / 2).map(|poll| poll * 2).find(|second| {
                self.now += POLL;
                self.clock.read(self.now, &renewal(*second)) >= LEASE
            })
        }

        fn outage(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
        }
    }

    fn never(_: u64) -> String {
        "start".into()
    }

    #[test]
    fn a_lease_that_is_not_renewed_lapses_after_its_duration() {
        let lapsed = Poller::new().poll(300, never);
        assert_eq!(lapsed, Some(122), "the first read has nothing to count from");
    }

    #[test]
    fn renewals_keep_it() {
        assert_eq!(Poller::new().poll(3600, |second| format!("{}", second / 15)), None);
    }

    #[test]
    fn a_renewal_counts_from_itself() {
        let mut poller = Poller::new();
        assert_eq!(poller.poll(100, never), None);
        assert_eq!(poller.poll(300, |_| "later".into()), Some(122));
    }

    #[test]
    fn an_outage_of_ten_minutes_followed_by_renewals_is_nothing() {
        let mut poller = Poller::new();
        assert_eq!(poller.poll(60, never), None);
        poller.outage(600);
        // The client comes back a little later than the restorer.
        assert_eq!(poller.poll(30, never), None);
        assert_eq!(poller.poll(600, |second| format!("{}", second / 15)), None);
    }

    #[test]
    fn an_outage_does_not_save_a_dead_client() {
        let mut poller = Poller::new();
        assert_eq!(poller.poll(60, never), None);
        poller.outage(600);
        assert_eq!(poller.poll(300, never), Some(62));
    }
}
