//! Two sessions want the same workload, and sessions that nobody owns any more.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use towline_cluster_tests::eventually;
use towline_cluster_tests::namespace::Namespace;

#[tokio::test]
async fn a_second_session_is_refused_or_takes_over() -> Result<()> {
    let ns = Namespace::create("second").await?;
    ns.http_app("web", 1).await?;
    let before = ns.workload("Deployment", "web").await?;
    let mut first = ns.stand_in("deployment/web", "web", &[]).await?;
    let process = ns.answered_by_local("web").await?;
    let installed = ns.workload("Deployment", "web").await?;
    let record: Value = serde_json::from_str(
        installed["metadata"]["annotations"]["towline.dev/session"]
            .as_str()
            .context("no session's record")?,
    )?;
    let word = |key: &str| record[key].as_str().with_context(|| format!("{key} in {record}"));
    let (user, host, started) = (word("user")?, word("host")?, word("started")?);
    let whoami = Command::new("id").arg("-un").output()?.stdout;
    ensure!(String::from_utf8(whoami)?.trim() == user, "another user: {record}");

    // The minute is enough of a time for people.
    let minute = started.split_once('T').and_then(|(_, time)| time.get(..5)).context("a time")?;
    for target in ["deployment/web", "web"] {
        let refused = ns.connect_and_finish(&[target], &["true"]).await?;
        let report = refused.refused("busy", 5, &[user, host, minute])?;
        ensure!(report["hint"].to_string().contains("--take-over"), "what to do: {report:#}");
    }
    ensure!(ns.workload("Deployment", "web").await? == installed, "a refused session changed it");
    ensure!(ns.answered_by_local("web").await? == process, "the first session suffered");

    let mut second = ns.stand_in("deployment/web", "web", &["--take-over"]).await?;
    let taken = first.event("taken_over").await?;
    let (end, status) = first.outcome().await?;
    ensure!(end == "taken_over" && status.code() == Some(5), "{end}, {status}\n{}", first.told());
    ensure!(taken["by"]["host"] == host, "by whom: {taken}");
    ensure!(
        !first.seen().iter().any(|event| event["event"] == "restored"),
        "the first restored: {}",
        first.told()
    );
    ensure!(ns.answered_by_local("web").await? != process, "the first program still answers");
    ensure!(second.stop().await?.code().is_some(), "the second was killed");
    ns.back("Deployment", "web", &before, 1).await
}

#[tokio::test]
async fn leftovers_are_shown_and_restored_on_request() -> Result<()> {
    let ns = Namespace::create("leftovers").await?;
    let names = ["one", "two", "three"];
    let mut before = Vec::new();
    let mut sessions = Vec::new();
    for name in names {
        ns.http_app(name, 1).await?;
        before.push(ns.workload("Deployment", name).await?);
        // The last one's lease does not lapse during this test.
        let lease = if name == "three" { "10m" } else { "5s" };
        sessions.push(ns.connect(&[&format!("deployment/{name}"), "--lease", lease], &[])?);
    }
    for session in &mut sessions {
        session.event("connected").await?;
    }
    // Nothing in the cluster restores by itself any more.
    ns.kubectl(&["delete", "jobs", "--all"]).await?;
    for mut session in sessions {
        session.signal("KILL")?;
        session.end().await?;
    }
    eventually("two sessions shown as lapsed, and the third as it is", || async {
        let finished = ns.run(&["status", "-n", &ns.name, "-o", "json"]).await?;
        ensure!(finished.status.success(), "{finished:?}");
        let shown: Value = serde_json::from_str(&finished.stdout)?;
        let rows = shown.as_array().with_context(|| format!("not a list: {shown}"))?;
        let lapsed: Vec<(&str, bool)> = rows
            .iter()
            .filter_map(|row| Some((row["workload"]["name"].as_str()?, row["lapsed"].as_bool()?)))
            .collect();
        Ok(names.iter().all(|name| lapsed.contains(&(name, *name != "three"))).then_some(()))
    })
    .await?;

    let finished = ns.run(&["restore", "deployment/one", "-n", &ns.name]).await?;
    ensure!(finished.status.success(), "{finished:?}");
    ensure!(ns.workload("Deployment", "one").await? == before[0], "one is not what it was");
    ns.ready("one", 1).await?;

    // Without a name, only what has lapsed: the third could be somebody's who is at work.
    let finished = ns.run(&["restore", "--all", "-n", &ns.name]).await?;
    ensure!(
        ns.workload("Deployment", "two").await? == before[1],
        "two is not what it was: {finished:?}"
    );
    ensure!(
        ns.workload("Deployment", "three").await? != before[2],
        "a session that has not lapsed was ended"
    );
    ns.ready("two", 1).await?;

    let finished = ns.run(&["restore", "deployment/three", "-n", &ns.name]).await?;
    ensure!(finished.status.success(), "{finished:?}");
    ns.back("Deployment", "three", &before[2], 1).await?;

    let finished = ns.run(&["status", "-n", &ns.name, "-o", "json"]).await?;
    ensure!(
        serde_json::from_str::<Value>(&finished.stdout)? == Value::Array(vec![]),
        "{finished:?}"
    );
    Ok(())
}
