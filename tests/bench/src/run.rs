//! The conductor: sets the stage, measures every way in turn, prints the tables.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use kube::ResourceExt;
use serde_json::{Value, json};
use tokio::process::Command;
use towline_cluster_tests::app::{deployment, service};
use towline_cluster_tests::eventually;
use towline_cluster_tests::namespace::Namespace;

use crate::figures::{median, table, targets, verdict};
use crate::paths::{PortForward, from_here, from_node};
use crate::rollout;

const PORT: u16 = 7000;

/// Measures everything; the figures go to standard output.
pub(crate) async fn run(image: &str, rounds: usize) -> Result<()> {
    let namespace = Namespace::create("bench").await?;
    for name in ["far", "near"] {
        let manifests = [deployment(name, 1, &[server(image)]), service(name, PORT, PORT)];
        namespace.apply(manifests).await?;
    }
    for name in ["far", "near"] {
        namespace.ready(name, 1).await?;
    }
    ways(&namespace, rounds).await?;
    rollouts(&namespace, rounds).await
}

fn server(image: &str) -> Value {
    json!({
        "name": "main", "image": image, "imagePullPolicy": "IfNotPresent", "args": ["serve", PORT.to_string()],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    })
}

/// `far` stays in the cluster and is called; `near` is replaced by a server on this machine.
async fn ways(namespace: &Namespace, rounds: usize) -> Result<()> {
    let pod = namespace.pods("far").await?.pop().context("no pod")?;
    let pod_ip =
        pod.status.as_ref().and_then(|status| status.pod_ip.clone()).context("no pod address")?;
    let direct: SocketAddr = format!("{pod_ip}:{PORT}").parse()?;
    let forward = PortForward::open(namespace, &pod.name_any(), PORT).await?;

    let program = std::env::current_exe()?;
    let local = PORT + 1;
    let mut serving =
        Command::new(&program).args(["serve", &local.to_string()]).kill_on_drop(true).spawn()?;
    let mapping = format!("{PORT}:{local}");
    let mut towline = namespace.connect(&["deployment/near", "--port", &mapping], &[])?;
    let mut outbound = None;
    while outbound.is_none() {
        let added = towline.event("service_added").await?;
        if added["service"].as_str().is_some_and(|service| service.starts_with("far.")) {
            outbound = Some(added["local"].as_str().context("an address")?.parse::<SocketAddr>()?);
        }
    }
    let outbound = outbound.context("no listener for the service")?;
    if !towline.seen().iter().any(|event| event["event"] == "connected") {
        towline.event("connected").await?;
    }
    let inbound: SocketAddr = format!("{}:{PORT}", namespace.cluster_ip("near").await?).parse()?;
    let idle = agent_use().await?;

    let mut measured = [
        ("no tunnel", vec![]),
        ("kubectl", vec![]),
        ("towline outbound", vec![]),
        ("towline inbound", vec![]),
    ];
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        measured[0].1.push(from_node(direct).await?);
        measured[1].1.push(from_here(forward.local).await?);
        measured[2].1.push(from_here(outbound).await?);
        measured[3].1.push(from_node(inbound).await?);
    }
    let busy = agent_use().await?;
    towline.stop().await?;
    serving.kill().await?;

    println!("{}\n", table(&measured));
    print!("{}", targets(&measured[1].1, &measured[2].1, &measured[3].1));
    print!("{}", verdict("agent's memory, idle, MB", idle.0, idle.0 <= 10.0, "at most 10"));
    println!("agent after the load: {:.1} MB resident, {:.1} s of CPU in all\n", busy.0, busy.1);
    Ok(())
}

/// The agent's resident memory in megabytes and its CPU seconds so far. The sandbox's processes are this machine's, so /proc has them.
async fn agent_use() -> Result<(f64, f64)> {
    eventually("the agent's process", || async {
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let path = entry.path();
            let Ok(line) = std::fs::read_to_string(path.join("cmdline")) else { continue };
            if !line.starts_with("/towline-agent\0serve\0") {
                continue;
            }
            let status = std::fs::read_to_string(path.join("status"))?;
            let kilobytes =
                status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
            let kilobytes: f64 = kilobytes.trim().trim_end_matches(" kB").parse()?;
            let stat = std::fs::read_to_string(path.join("stat"))?;
            let after_name = stat.rsplit_once(") ").context("stat")?.1;
            let ticks: f64 =
                after_name.split(' ').skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
            // USER_HZ is 100 on every Linux that Rust runs on (proc(5)).
            return Ok(Some((kilobytes / 1e3, ticks / 100.0)));
        }
        Ok(None)
    })
    .await
}

async fn rollouts(namespace: &Namespace, rounds: usize) -> Result<()> {
    let (mut bare, mut connect, mut restore) = (vec![], vec![], vec![]);
    for round in 0..rounds {
        bare.push(rollout::bare(namespace, "near", round).await?.as_secs_f64());
        let (connected, restored) = rollout::session(namespace, "near").await?;
        connect.push(connected.as_secs_f64());
        restore.push(restored.as_secs_f64());
    }
    let (bare, connect, restore) = (median(bare), median(connect), median(restore));
    println!("rollout {bare:.2} s, connect {connect:.2} s, restore {restore:.2} s");
    for (what, time) in [("connect", connect), ("restore", restore)] {
        let ratio = time / bare;
        print!(
            "{}",
            verdict(&format!("{what} beside a bare rollout"), ratio, ratio <= 1.5, "at most 1.5")
        );
    }
    Ok(())
}
