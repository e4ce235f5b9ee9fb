//! `kill -9` at each step of a session: the hosts file and the workload are what they were, and nothing is kept.

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::hosts::{BEFORE, OwnHosts};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::{Connected, run};

/// How many sessions are killed at the same time.
const AT_ONCE: usize = 4;

/// Where `towline` is killed, and by whom the workload is put back.
const STEPS: [(Step, By); 11] = [
    (Step::Connecting("names"), By::Command),
    (Step::Connecting("lease"), By::Command),
    (Step::Connecting("restorer"), By::Command),
    (Step::Connecting("patch"), By::Command),
    (Step::Connecting("pods"), By::Command),
    (Step::Connecting("environment"), By::Command),
    (Step::Connecting("listeners"), By::Cluster),
    (Step::Connected, By::Command),
    (Step::Leaving("restore"), By::Command),
    (Step::Leaving("rollback"), By::Cluster),
    (Step::Leaving("sweep"), By::Command),
];

#[derive(Clone, Copy, Debug)]
enum Step {
    Connecting(&'static str),
    Connected,
    Leaving(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// `towline restore`.
    Command,
    /// The restorer, when the lease has lapsed; the next command looks only.
    Cluster,
}

#[tokio::test]
async fn killed_at_any_step_it_leaves_everything_as_it_was() -> Result<()> {
    stream::iter(STEPS)
        .map(|(step, by)| async move {
            killed_at(step, by).await.with_context(|| format!("killed at {step:?}"))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn killed_at(step: Step, by: By) -> Result<()> {
    let namespace = Namespace::create("names-killed").await?;
    namespace.http_app("app", 1).await?;
    let before = namespace.workload("Deployment", "app").await?;
    let machine = OwnHosts::new().await?;
    let mapping = format!("http:{}", free_port().await?);
    let arguments = ["deployment/app", "--port", &mapping, "--lease", "5s"];

    let mut session = machine.connect(&namespace, &arguments, &[])?;
    reach(&mut session, step).await?;
    let written = machine.content()?;
    session.signal("KILL")?;
    session.end().await?;
    ensure!(written != BEFORE, "nothing was in the hosts file");
    ensure!(!namespace.kept_here()?.is_empty(), "the test looks in the wrong place");
    eventually("the hosts file is what it was", || async {
        Ok((machine.content()? == BEFORE).then_some(()))
    })
    .await?;

    if by == By::Cluster {
        namespace.comes_back("Deployment", "app", &before, 1).await?;
    }
    let next: &[&str] = match by {
        By::Command => &["restore", "deployment/app", "-n", &namespace.name],
        By::Cluster => &["status", "-n", &namespace.name],
    };
    let finished = run(machine.towline(&namespace, next)?).await?;
    ensure!(finished.status.success(), "{next:?}: {finished:?}");
    let kept = namespace.kept_here()?;
    ensure!(kept.is_empty(), "kept on this machine: {kept:?}");
    namespace.comes_back("Deployment", "app", &before, 1).await?;
    ensure!(machine.content()? == BEFORE, "the hosts file was changed again");
    Ok(())
}

/// Goes on until the session is at that step, with its names in the hosts file.
async fn reach(session: &mut Connected, step: Step) -> Result<()> {
    match step {
        Step::Connecting("names") => {
            session.step("names").await?;
            session.event("names_changed").await.map(drop)
        }
        Step::Connecting(step) => session.step(step).await,
        Step::Connected => session.event("connected").await.map(drop),
        Step::Leaving(step) => {
            session.event("connected").await?;
            session.signal("INT")?;
            session.step(step).await
        }
    }
}
