//! A thousand services by name.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Service;
use kube::api::PostParams;
use towline_cluster_tests::app::service;
use towline_cluster_tests::hosts::OwnHosts;
use towline_cluster_tests::memory::Memory;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::Connected;

use super::place;
use crate::figures::verdict;

/// Besides the two of the applications.
const SERVICES: u32 = 1_000;

/// How many of them are made at once.
const WIDTH: usize = 16;

/// Each way to the service is measured on so many connections.
const CONNECTIONS: &str = "300";

/// A request on a connection of its own, again and again: the name is looked up by libc each time. Prints the milliseconds until the first byte of the
/// answer, of the middle one and of the slowest hundredth.
const CALL: &str = r#"
import socket, sys, time
times = []
for _ in range(int(sys.argv[2])):
    begin = time.perf_counter()
    with socket.create_connection((sys.argv[1], 80), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: far\r\nConnection: close\r\n\r\n")
        assert connection.recv(1) == b"H"
        times.append(time.perf_counter() - begin)
times.sort()
print(times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3)
"#;

/// A session as it stands.
struct Standing {
    time: Duration,
    memory: Memory,
}

/// Whether `far` is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Calls {
    Made,
    None,
}

/// Measures sessions with a few services, then with many, in both modes, and the first byte by name.
pub(super) async fn measure() -> Result<()> {
    let (namespace, machine) = place("bench-names").await?;
    namespace.http_app("near", 1).await?;
    namespace.http_app("far", 1).await?;
    let (few, _) = stand(&namespace, &machine, "--hosts", 2, Calls::None).await?;
    many(&namespace).await?;
    let (variables, _) =
        stand(&namespace, &machine, "--no-admin", SERVICES + 2, Calls::None).await?;
    let (hosts, times) = stand(&namespace, &machine, "--hosts", SERVICES + 2, Calls::Made).await?;

    let all = SERVICES + 2;
    for (what, standing) in [
        ("hosts mode, 2 services", &few),
        (&format!("no-administrator mode, {all} services"), &variables),
        (&format!("hosts mode, {all} services"), &hosts),
    ] {
        println!(
            "{what}: connected after {:.2} s; towline has {:.1} MB PSS, {:.1} MB RSS",
            standing.time.as_secs_f64(),
            standing.memory.proportional,
            standing.memory.resident
        );
    }
    println!(
        "hosts mode, {all} services beside 2: {:.2} times as long, {:+.1} MB; beside no-administrator mode: {:.2} times as long, {:+.1} MB",
        hosts.time.as_secs_f64() / few.time.as_secs_f64(),
        hosts.memory.proportional - few.memory.proportional,
        hosts.time.as_secs_f64() / variables.time.as_secs_f64(),
        hosts.memory.proportional - variables.memory.proportional,
    );
    let [address, short, long] = &times[..] else { anyhow::bail!("three ways were measured") };
    println!("first byte on a new connection, {all} services, p50 / p99 ms:");
    for (what, times) in [("by address", address), ("by `far`", short), ("by its whole name", long)]
    {
        println!("    {what}: {:.2} / {:.2}", times.0, times.1);
    }
    print!(
        "{}",
        verdict(
            "first byte by name beside by address",
            short.0 / address.0,
            short.0 <= address.0 * 1.5,
            "at most 1.5"
        )
    );
    Ok(())
}

/// Makes the services; all lead to the same pod.
async fn many(namespace: &Namespace) -> Result<()> {
    let services = namespace.api::<Service>();
    let make = |number: u32| {
        let mut manifest = service(&format!("service-{number:04}"), 80, "http");
        manifest["spec"]["selector"]["app"] = "far".into();
        let services = services.clone();
        async move {
            let made: Service = serde_json::from_value(manifest)?;
            services.create(&PostParams::default(), &made).await?;
            anyhow::Ok(())
        }
    };
    stream::iter((0..SERVICES).map(make)).buffer_unordered(WIDTH).try_collect::<()>().await
}

/// A session with so many services: how long it takes until it stands, what it has in memory then, and the times to `far` by its address and by
/// its names.
async fn stand(
    namespace: &Namespace,
    machine: &OwnHosts,
    mode: &str,
    services: u32,
    calls: Calls,
) -> Result<(Standing, Vec<(f64, f64)>)> {
    let before = machine.content()?;
    let arguments = namespace.connect_arguments(&["deployment/near", mode], &[]);
    let start = Instant::now();
    let mut session = Connected::start(machine.towline(namespace, &arguments)?)?;
    session.event("connected").await?;
    let time = start.elapsed();
    let added = session.seen().iter().filter(|event| event["event"] == "service_added").count();
    ensure!(added as u32 >= services, "{added} of {services} services have listeners");
    let memory = Memory::of(session.id()?)?;
    let mut times = Vec::new();
    if calls == Calls::Made {
        let address = machine.look_up("far").await?.pop().context("the address of far")?;
        let suffix = format!("far.{}.svc.cluster.local", namespace.name);
        let ways = [address.as_str(), "far", &suffix];
        for way in ways {
            times.push(call(machine, way).await.with_context(|| way.to_owned())?);
        }
    }
    session.stop().await?;
    ensure!(machine.content()? == before, "the hosts file is not what it was");
    Ok((Standing { time, memory }, times))
}

async fn call(machine: &OwnHosts, host: &str) -> Result<(f64, f64)> {
    let text = machine.python(CALL, &[host, CONNECTIONS]).await?;
    let (middle, slow) = text.split_once(' ').context("two numbers")?;
    Ok((middle.parse()?, slow.parse()?))
}
