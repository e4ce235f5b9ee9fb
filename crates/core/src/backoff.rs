//! How long to wait before the cluster is asked again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Soon enough that a short loss is short, seldom enough that a long one costs nobody anything.
pub(crate) fn builder() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(LONGEST)
        .with_factor(1.7)
        .with_jitter()
        .without_max_times()
}

const LONGEST: Duration = Duration::from_secs(3);

/// The waits of one run of failures.
pub(crate) struct Backoff(ExponentialBackoff);

impl Backoff {
    pub(crate) fn new() -> Self {
        Self(builder().build())
    }

    /// After a success.
    pub(crate) fn reset(&mut self) {
        *self = Self::new();
    }

    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.0.next().unwrap_or(LONGEST)).await;
    }
}
