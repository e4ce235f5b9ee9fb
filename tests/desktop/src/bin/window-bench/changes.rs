//! A cluster that changes two hundred times a second.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::{MissedTickBehavior, interval};
use towline_desktop_tests::window::{Window, mark};

use crate::crowd::{Crowd, name};
use crate::page;
use crate::processes::{Family, cpu_of, report_cpu};
use crate::report::{Report, greatest, median, number};

/// Changes a second.
const RATE: u64 = 200;

/// Before the processes are looked at, and how long they are.
const BEGIN: Duration = Duration::from_secs(2);
const WATCHED: Duration = Duration::from_secs(15);

/// How often a change of the first pod is timed.
const PROBES: u64 = 10;

/// How many changes may be on their way at once.
const WIDTH: usize = 64;

/// Measures the window, which shows the table of pods, beside `kubectl get pods --watch`.
pub(crate) async fn measure(
    window: &Window,
    family: &Family,
    crowd: &Crowd<'_>,
    mut kubectl: tokio::process::Child,
    report: &mut Report,
) -> Result<()> {
    let watch = kubectl.id().context("kubectl runs")?;
    let (made, start) = (AtomicU64::new(0), Instant::now());
    let looks = async {
        tokio::time::sleep(BEGIN).await;
        let (before, since) = ((made.load(Relaxed), cpu_of(watch)?), Instant::now());
        let shares = family.cpu_during(WATCHED).await?;
        let passed = since.elapsed().as_secs_f64();
        let rate = (made.load(Relaxed) - before.0) as f64 / passed;
        let beside = (cpu_of(watch)? - before.1) / passed * 100.0;
        let probes = probes(window, crowd).await?;
        anyhow::Ok((shares, rate, beside, probes))
    };
    let (shares, rate, beside, probes) = tokio::select! {
        looked = looks => looked?,
        ended = write(crowd, &made) => {
            ended?;
            anyhow::bail!("the writer has ended");
        }
    };
    kubectl.kill().await?;
    eprintln!("{} changes in {:.0} s", made.load(Relaxed), start.elapsed().as_secs_f64());

    let sum = report_cpu(&shares, &format!("{rate:.0} changes/s, pods shown"), report);
    report.beside(sum, "kubectl get pods --watch", beside, "%");
    report.target(rate > RATE as f64 * 0.95, "the API server takes 200 changes/s");
    report.add(
        "a pod's change to the screen, 200 changes/s",
        format!(
            "median {}, slowest {}",
            number(median(probes.iter().copied()), "ms"),
            number(greatest(probes), "ms")
        ),
    );
    newest(window, crowd).await
}

/// Changes one pod after the other, all but the first, until it is dropped. Half of the changes are such that the table shows them.
async fn write(crowd: &Crowd<'_>, made: &AtomicU64) -> Result<()> {
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(RATE)?);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sent = FuturesUnordered::new();
    let mut count = 0;
    loop {
        tokio::select! {
            _ = ticks.tick(), if sent.len() < WIDTH => {
                count += 1;
                sent.push(change(crowd, count));
            }
            Some(done) = sent.next() => {
                done?;
                made.fetch_add(1, Relaxed);
            }
        }
    }
}

async fn change(crowd: &Crowd<'_>, count: u64) -> Result<()> {
    let others = u64::from(crowd.size.pods.saturating_sub(1)).max(1);
    // Seven is no divisor of a round number of pods, so all have their turn, and those on the screen theirs.
    let pod = u32::try_from(1 + count * 7 % others)?;
    match count % 2 {
        0 => crowd.restarts(pod, count).await,
        _ => crowd.label(pod, &count.to_string()).await,
    }
}

/// From the moment when the API server is asked to change the first pod until the frame that shows it, in milliseconds.
async fn probes(window: &Window, crowd: &Crowd<'_>) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for probe in 0..PROBES {
        let restarts = 1_000_000 + probe;
        page::expect(window, &shows(&name(0), restarts)).await?;
        let before = page::now();
        crowd.restarts(0, restarts).await?;
        times.push(page::seen(window).await?.1 - before);
    }
    Ok(times)
}

/// After all that, the window shows the newest state of every pod that is looked for.
async fn newest(window: &Window, crowd: &Crowd<'_>) -> Result<()> {
    let pods = [1, crowd.size.pods / 2, crowd.size.pods - 1];
    for (pod, restarts) in pods.into_iter().zip(2_000_000..) {
        crowd.restarts(pod, restarts).await?;
        window.fill(&mark("filter"), &name(pod)).await?;
        page::expect(window, &shows(&name(pod), restarts)).await?;
        page::seen(window).await?;
    }
    window.fill(&mark("filter"), "crowd").await
}

/// The table has this pod with so many restarts.
fn shows(pod: &str, restarts: u64) -> String {
    format!(
        "document.querySelector('[data-testid=row][data-name={pod:?}] .restarts')?.textContent.trim() === '{restarts}'"
    )
}
