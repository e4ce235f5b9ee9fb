//! The harness itself: a machine's link is cut alone, and open connections are told from hanging ones.

use anyhow::{Result, ensure};
use towline_cluster_tests::kept::{self, Kept};
use towline_cluster_tests::machine::{Isolated, Machine};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::node;

async fn reaches_the_api(machine: &Machine, ns: &Namespace) -> Result<bool> {
    let arguments =
        ["--kubeconfig", &ns.kubeconfig()?, "--request-timeout=1s", "get", "--raw=/readyz"];
    Ok(machine.command("kubectl", &arguments).output().await?.status.success())
}

#[tokio::test]
async fn a_machine_is_cut_off_alone() -> Result<()> {
    let ns = Namespace::create("machine").await?;
    let (one, other) = (Machine::create()?, Machine::create()?);
    ensure!(reaches_the_api(&one, &ns).await?, "no way to the API server");
    let outage = one.cut_off()?;
    ensure!(!reaches_the_api(&one, &ns).await?, "it is not cut off");
    ensure!(reaches_the_api(&other, &ns).await?, "another machine is cut off as well");
    drop(outage);
    ensure!(reaches_the_api(&one, &ns).await?, "it stays cut off");
    Ok(())
}

#[tokio::test]
async fn a_kept_connection_tells_its_end() -> Result<()> {
    let ns = Namespace::create("kept").await?;
    ns.http_app("web", 1).await?;
    let address = ns.cluster_ip("web").await?;
    // A pod is Ready a moment before the node's rules lead to it.
    let mut kept = towline_cluster_tests::eventually("the service takes connections", || async {
        let arguments = ["-c", kept::PROGRAM, &address, "80", "2"];
        Kept::open(node::command("/usr/bin/python3", &arguments)?).await.map(Some)
    })
    .await?;
    ensure!(kept.ask().await?.starts_with("answer cluster web-"), "a second request");
    // An isolated pod reaches no API server, and serves all the same.
    let pods = ns.pods("web").await?;
    let pod = pods[0].status.as_ref().and_then(|status| status.pod_ip.clone()).unwrap_or_default();
    let isolated = Isolated::pod(&pod)?;
    ensure!(kept.ask().await?.starts_with("answer "), "a request while isolated");
    drop(isolated);
    ns.kubectl(&["delete", "deployment/web"]).await?;
    towline_cluster_tests::eventually("its server ends", || async {
        Ok(ns.pods("web").await?.is_empty().then_some(()))
    })
    .await?;
    let told = kept.ask().await?;
    ensure!(told == "closed" || told == "reset", "{told}");
    Ok(())
}
