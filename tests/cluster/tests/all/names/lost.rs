//! The cluster is away: names stay while it may come back, and go when it has put the workload back by itself.

use anyhow::{Context, Result, ensure};
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::hosts::{BEFORE, OwnHosts};
use towline_cluster_tests::machine::Machine;
use towline_cluster_tests::namespace::Namespace;

async fn answers(machine: &OwnHosts) -> Result<()> {
    let answer = eventually("an answer by name", || async {
        machine.get("http://backend/").await.map(Some)
    });
    let answer = answer.await?;
    ensure!(answer.starts_with("cluster backend-"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn names_stay_through_an_outage_and_lead_on_after_it() -> Result<()> {
    let namespace = Namespace::create("names-lost").await?;
    futures::try_join!(namespace.http_app("web", 1), namespace.http_app("backend", 1))?;
    let before = namespace.workload("Deployment", "web").await?;
    let network = Machine::create()?;
    let machine = OwnHosts::on(&network).await?;
    let mut session = machine.connect(&namespace, &["deployment/web"], &[])?;
    session.event("connected").await?;
    answers(&machine).await?;
    let (lines, found) = (machine.content()?, machine.look_up("backend").await?);
    ensure!(lines != BEFORE && found.len() == 1, "{lines}");

    let outage = network.cut_off()?;
    session.event("reconnecting").await?;
    ensure!(machine.content()? == lines, "{}", machine.content()?);
    ensure!(machine.look_up("backend").await? == found);
    drop(outage);
    session.event("reconnected").await?;
    answers(&machine).await.with_context(|| session.told())?;
    ensure!(machine.content()? == lines, "the names have changed:\n{}", machine.content()?);
    ensure!(session.seen().iter().all(|event| event["event"] != "lapsed"), "{}", session.told());
    session.stop().await?;
    ensure!(machine.content()? == BEFORE, "{}", machine.content()?);
    namespace.back("Deployment", "web", &before, 1).await
}

#[tokio::test]
async fn names_go_with_a_lapse_and_come_back_with_the_session() -> Result<()> {
    let namespace = Namespace::create("names-lapse").await?;
    futures::try_join!(namespace.http_app("web", 1), namespace.http_app("backend", 1))?;
    let before = namespace.workload("Deployment", "web").await?;
    let machine = OwnHosts::new().await?;
    let mapping = format!("http:{}", free_port().await?);
    let arguments = ["deployment/web", "--lease", "5s", "--port", &mapping];
    let mut session = machine.connect(&namespace, &arguments, &[])?;
    session.event("connected").await?;
    answers(&machine).await?;
    let (lines, found) = (machine.content()?, machine.look_up("backend").await?);

    // As a laptop that sleeps.
    session.signal("STOP")?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    session.signal("CONT")?;
    session.event("lapsed").await?;
    ensure!(machine.content()? == BEFORE, "names that lead nowhere:\n{}", machine.content()?);
    ensure!(machine.look_up("backend").await?.is_empty());
    namespace.back("Deployment", "web", &before, 1).await?;

    session.signal("USR1")?;
    session.event("connected").await?;
    answers(&machine).await.with_context(|| session.told())?;
    ensure!(machine.look_up("backend").await? == found, "another address");
    ensure!(machine.content()?.lines().count() == lines.lines().count(), "{}", machine.content()?);
    session.stop().await?;
    ensure!(machine.content()? == BEFORE, "{}", machine.content()?);
    namespace.back("Deployment", "web", &before, 1).await
}
