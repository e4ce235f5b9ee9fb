//! The ways in which a session ends that its user has in hand.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use towline_cluster_tests::{eventually, namespace::Namespace};

const WEB: &str = "deployment/web";

#[tokio::test]
async fn a_signal_ends_the_session_and_restores() -> Result<()> {
    let ns = Namespace::create("signals").await?;
    ns.http_app("web", 2).await?;
    let before = ns.workload("Deployment", "web").await?;
    for signal in ["INT", "TERM"] {
        let mut session = ns.connect(&[WEB], &[])?;
        let connected = session.event("connected").await?;
        ensure!(
            connected["pods"].as_array().map(Vec::len) == Some(2),
            "every replica: {connected}"
        );
        session.signal(signal)?;
        session.event("restored").await?;
        ns.back("Deployment", "web", &before, 2).await?;
        let (end, status) = session.outcome().await?;
        ensure!(end == "stopped" && status.success(), "SIG{signal}: {end}, {status}");
        ns.answered_by_cluster("web").await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_command_decides_the_exit_status() -> Result<()> {
    let ns = Namespace::create("commands").await?;
    ns.http_app("web", 1).await?;
    let before = ns.workload("Deployment", "web").await?;
    let cases: [(&[&str], i32); 3] = [
        (&["true"], 0),
        (&["sh", "-c", "exit 7"], 7),
        // As shells count: 128 and the signal's number.
        (&["sh", "-c", "kill -TERM $$"], 128 + 15),
    ];
    for (command, status) in cases {
        let finished = ns.connect_and_finish(&[WEB], command).await?;
        ensure!(finished.status.code() == Some(status), "{command:?}: {finished:?}");
        ns.back("Deployment", "web", &before, 1).await?;
    }
    let finished = ns.connect_and_finish(&[WEB], &["/does/not/exist"]).await?;
    finished.refused("program", 127, &["/does/not/exist"])?;
    ns.back("Deployment", "web", &before, 1).await
}

#[tokio::test]
async fn ctrl_c_ends_the_command_first() -> Result<()> {
    let ns = Namespace::create("ctrl-c").await?;
    ns.http_app("web", 1).await?;
    let before = ns.workload("Deployment", "web").await?;
    let mark = ns.home.path().join("cleaned-up");
    let mark = mark.to_string_lossy();
    // A program that cleans up when told to end, which takes a moment.
    let program = r#"trap 'sleep 0.3; echo done >"$0"; exit 3' INT TERM; echo begun >"$0"; while :; do sleep 0.1; done"#;
    let mut session = ns.connect(&[WEB], &["sh", "-c", program, &mark])?;
    eventually("the command has begun", || async {
        Ok((std::fs::read_to_string(&*mark)? == "begun\n").then_some(()))
    })
    .await?;
    session.signal("INT")?;
    let (end, status) = session.outcome().await?;
    ensure!(end == "stopped" && status.code() == Some(3), "{end}, {status}\n{}", session.told());
    ensure!(std::fs::read_to_string(&*mark)? == "done\n", "the command could not clean up");
    ns.back("Deployment", "web", &before, 1).await
}

#[tokio::test]
async fn an_agent_image_that_cannot_be_pulled_changes_nothing() -> Result<()> {
    const IMAGE: &str = "127.0.0.1:1/towline/agent:none";
    let ns = Namespace::create("pull").await?;
    ns.http_app("web", 1).await?;
    let before = ns.fingerprint().await?;
    let start = Instant::now();
    let finished = ns.connect_and_finish(&[WEB, "--agent-image", IMAGE], &[]).await?;
    let report = finished.refused("agent_not_started", 6, &[IMAGE])?;
    ensure!(report.to_string().contains("connection refused"), "the cause is not told: {report:#}");
    ensure!(start.elapsed() < Duration::from_secs(30), "it took {:?}", start.elapsed());
    ns.nothing_left().await?;
    // The workload's generation is part of it: it was never touched.
    ns.unchanged(&before).await
}
