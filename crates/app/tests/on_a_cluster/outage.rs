//! A network that goes and comes back. The controller runs on a thread whose network is a machine of its own, so that the outage is nobody else's.

use std::fs::File;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, setns};
use towline_app::view::{ClusterPhase, TableKind, TableState};
use towline_cluster_tests::machine::Machine;
use towline_cluster_tests::namespace::Namespace;

use crate::stage::{Stage, web};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the sandbox"]
async fn a_cluster_that_falls_silent_is_told_within_15_s_and_comes_back_by_itself() -> Result<()> {
    let ns = Namespace::create("silent").await?;
    ns.apply(web("web", 1)).await?;
    let machine = Machine::create()?;
    tokio::task::spawn_blocking(move || on_machine(&machine, outage(&ns, &machine))).await?
}

/// Runs `test` on a thread of its own whose sockets are all on that machine.
fn on_machine(machine: &Machine, test: impl Future<Output = Result<()>> + Send) -> Result<()> {
    std::thread::scope(|scope| {
        let run = || {
            let netns = File::open(format!("/run/netns/{}", machine.netns()))?;
            setns(netns, CloneFlags::CLONE_NEWNET).context("entering the machine")?;
            // One thread: what it spawns runs on it, or on threads that it makes.
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(test)
        };
        scope.spawn(run).join().map_err(|_| anyhow::anyhow!("the test panicked"))?
    })
}

async fn outage(ns: &Namespace, machine: &Machine) -> Result<()> {
    let stage = Stage::new()?;
    stage.connect(&[&ns.name])?;
    stage.live().await?;
    let rows = stage.rows(TableKind::Pods, "web")?.len();
    ensure!(rows == 1, "{rows} rows");

    let cut = machine.cut_off()?;
    let begun = Instant::now();
    let lost = stage
        .cluster("the loss shows", |cluster| {
            matches!(cluster.phase, ClusterPhase::Unreachable { .. })
        })
        .await?;
    let noticed = begun.elapsed();
    ensure!(noticed < Duration::from_secs(25), "noticed after {noticed:?}");
    let ClusterPhase::Unreachable { report, .. } = &lost.phase else { unreachable!() };
    ensure!(report.code == "unreachable", "{report:?}");
    let stale = |state: &TableState| matches!(state, TableState::Stale { .. });
    ensure!(lost.tables.iter().all(|table| stale(&table.state)), "{lost:?}");
    ensure!(stage.rows(TableKind::Pods, "web")?.len() == 1, "stale rows stay");
    // What changes meanwhile is seen afterwards.
    // The administrator's client is on the other side of the cut.
    drop(cut);
    let begun = Instant::now();
    stage.live().await?;
    let back = begun.elapsed();
    ensure!(back < Duration::from_secs(30), "back after {back:?}");
    println!("noticed after {noticed:?}, back after {back:?}");
    Ok(())
}
