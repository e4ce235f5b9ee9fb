//! What the end-to-end tests share: a namespace on the cluster, callers inside it, `towline` with its events, and the comparison of before and after.
//!
//! The tests need a cluster: `cargo xtask test cluster` brings it up and sets these variables, which are the harness's only input.
//!
//! - `TOWLINE_TEST_KUBECONFIG`: an administrator's kubeconfig.
//! - `TOWLINE_TEST_CLI`: the `towline` binary under test.
//! - `TOWLINE_SANDBOX_NETNS`: the network namespace that the node lives in.

pub mod app;
pub mod carry;
pub mod front;
pub mod h2c;
pub mod here;
pub mod hosts;
pub mod image;
pub mod kept;
pub mod kubeconfig;
pub mod kubectl;
pub mod local;
pub mod machine;
pub mod memory;
pub mod namespace;
pub mod node;
pub mod peer;
pub mod refusal;
pub mod shop;
pub mod state;
pub mod towline;

use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long a single thing may take on a busy two-core machine before it counts as not happening.
pub const LIMIT: Duration = Duration::from_secs(90);

/// A variable that `cargo xtask test cluster` sets.
///
/// # Errors
/// When it is not set, with what to run instead.
pub fn setting(name: &str) -> Result<String> {
    std::env::var(name)
        .with_context(|| format!("{name} is not set; run `cargo xtask test cluster`"))
}

/// Asks `condition` again and again until it gives a value, at most [`LIMIT`].
///
/// For conditions that offer nothing to wait on, such as what another process sees on the network.
///
/// # Errors
/// When the limit has passed, with `what` and the last error.
pub async fn eventually<T, F, Fut>(what: &str, mut condition: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let start = tokio::time::Instant::now();
    let mut last;
    loop {
        match condition().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => last = "not yet".to_owned(),
            Err(error) => last = format!("{error:#}"),
        }
        if start.elapsed() > LIMIT {
            bail!("{what}: not within {} s; last: {last}", LIMIT.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
