//! The network goes away and comes back: the session with it, and the developer's program never notices.
//!
//! Each test has a developer's machine of its own, so that its outage is nobody else's. The waits are the outages themselves.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::sleep;
use towline_cluster_tests::eventually;
use towline_cluster_tests::kept::{self, Kept};
use towline_cluster_tests::local;
use towline_cluster_tests::machine::{Isolated, Machine};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::node;
use towline_cluster_tests::towline::Connected;

/// A working session on a machine of its own.
struct Trip {
    ns: Namespace,
    machine: Machine,
    session: Connected,
    /// `web` as it was before.
    before: Value,
    /// The local program's process.
    program: u32,
    /// The address in the cluster that the local program answers at.
    web: String,
    /// The port on the machine that leads to another service.
    backend: String,
}

impl Trip {
    async fn begin(name: &str, arguments: &[&str]) -> Result<Self> {
        let ns = Namespace::create(name).await?;
        futures::try_join!(ns.http_app("web", 1), ns.http_app("backend", 1))?;
        let before = ns.workload("Deployment", "web").await?;
        let machine = Machine::create()?;
        let mut all = vec!["deployment/web"];
        all.extend(arguments);
        let program = ["/usr/bin/python3", "-c", local::PROGRAM, "8080"];
        let mut session = Connected::start(machine.connect(&ns, &all, &program)?)?;
        session.event("connected").await?;
        let program = ns.answered_by_local("web").await.with_context(|| session.told())?;
        let web = ns.cluster_ip("web").await?;
        let service = format!("backend.{}", ns.name);
        let added = session.seen().iter().find(|event| event["service"] == *service);
        let local = added
            .and_then(|event| event["local"].as_str())
            .context("no listener for the backend")?;
        let backend = local
            .strip_prefix("127.0.0.1:")
            .with_context(|| format!("not on 127.0.0.1: {local}"))?
            .to_owned();
        Ok(Self { ns, machine, session, before, program, web, backend })
    }

    /// A new connection from a caller in the cluster, to be made.
    fn inbound(&self) -> Result<Command> {
        node::command(
            "curl",
            &["--silent", "--show-error", "--max-time", "60", &format!("http://{}/", self.web)],
        )
    }

    /// A new connection from the developer's machine, to be made.
    fn outbound(&self) -> Command {
        let url = format!("http://127.0.0.1:{}/", self.backend);
        self.machine.command("curl", &["--silent", "--show-error", "--max-time", "60", &url])
    }

    /// A connection each way that stays open.
    async fn kept(&self) -> Result<[Kept; 2]> {
        let inbound =
            node::command("/usr/bin/python3", &["-c", kept::PROGRAM, &self.web, "80", "30"])?;
        let outbound = self
            .machine
            .command("/usr/bin/python3", &["-c", kept::PROGRAM, "127.0.0.1", &self.backend, "30"]);
        Ok([Kept::open(inbound).await?, Kept::open(outbound).await?])
    }

    /// Traffic flows both ways, and the program is still the same process.
    async fn works(&mut self) -> Result<()> {
        let program =
            self.ns.answered_by_local("web").await.with_context(|| self.session.told())?;
        ensure!(program == self.program, "the program was started anew");
        let answer = eventually("an answer of the backend", || async {
            answered(self.outbound()).await.map(Some)
        });
        let answer = answer.await.with_context(|| self.session.told())?;
        ensure!(answer.starts_with("cluster backend-"), "the backend answered: {answer}");
        Ok(())
    }

    /// The program runs, whatever has become of the session.
    async fn program_runs(&self) -> Result<()> {
        let answer = answered(
            self.machine
                .command("curl", &["--silent", "--max-time", "5", "http://127.0.0.1:8080/"]),
        );
        ensure!(answer.await? == format!("local {}", self.program), "another program");
        Ok(())
    }

    /// How often the session told of an event.
    fn count(&mut self, name: &str) -> usize {
        self.session.seen().iter().filter(|event| event["event"] == name).count()
    }

    async fn finish(mut self) -> Result<()> {
        self.session.stop().await?;
        self.ns.back("Deployment", "web", &self.before, 1).await
    }
}

/// What curl got, or how it failed.
async fn answered(mut curl: Command) -> Result<String> {
    let output = curl.output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?)
}

/// The connection was refused or reset; curl did not have to give up.
async fn refused(mut curl: Command) -> Result<()> {
    // CURLE_COULDNT_CONNECT, CURLE_GOT_NOTHING, CURLE_RECV_ERROR.
    let output = curl.output().await?;
    let code = output.status.code();
    ensure!(
        [7, 52, 56].map(Some).contains(&code),
        "neither refused nor reset: {code:?}, {output:?}"
    );
    Ok(())
}

/// Open connections have survived, or have ended as connections do; none hangs.
async fn not_silent(kept: [Kept; 2]) -> Result<()> {
    for (mut connection, way) in kept.into_iter().zip(["inbound", "outbound"]) {
        let told = connection.ask().await?;
        ensure!(told != "silent", "the {way} connection that was open hangs");
    }
    Ok(())
}

#[tokio::test]
async fn seven_seconds_are_not_noticed() -> Result<()> {
    let mut trip = Trip::begin("seven", &[]).await?;
    let kept = trip.kept().await?;
    let outage = trip.machine.cut_off()?;
    let during = async {
        let inbound = async { answered(trip.inbound()?).await.context("inbound") };
        let outbound = async { answered(trip.outbound()).await.context("outbound") };
        tokio::try_join!(inbound, outbound)
    };
    let whole_again = async {
        sleep(Duration::from_secs(7)).await;
        drop(outage);
        Ok(())
    };
    let ((inbound, outbound), ()) =
        tokio::try_join!(during, whole_again).context("connections made meanwhile")?;
    ensure!(inbound == format!("local {}", trip.program), "inbound: {inbound}");
    ensure!(outbound.starts_with("cluster backend-"), "outbound: {outbound}");
    for mut open in kept {
        let told = open.ask().await?;
        ensure!(told.starts_with("answer "), "a connection that was open: {told}");
    }
    trip.works().await?;
    ensure!(trip.count("reconnecting") == trip.count("reconnected"), "{}", trip.session.told());
    ensure!(trip.count("lapsed") == 0, "{}", trip.session.told());
    trip.finish().await
}

/// Longer than a silent connection is kept. Another one takes its place, and what was open goes on over that.
#[tokio::test]
async fn twenty_six_seconds_do_not_cost_what_is_open() -> Result<()> {
    let mut trip = Trip::begin("twenty-six", &[]).await?;
    let kept = trip.kept().await?;
    let start = Instant::now();
    let outage = trip.machine.cut_off()?;
    trip.session.event("reconnecting").await?;
    sleep(Duration::from_secs(26).saturating_sub(start.elapsed())).await;
    drop(outage);
    trip.session.event("reconnected").await?;
    for mut open in kept {
        let told = open.ask().await?;
        ensure!(told.starts_with("answer "), "a connection that was open: {told}");
    }
    trip.works().await?;
    trip.session.find("tunnel_resumed", |event| event["after_ms"].as_u64() > Some(1_000)).await?;
    ensure!(trip.count("tunnel_down") == 0, "{}", trip.session.told());
    trip.finish().await
}

#[tokio::test]
async fn sixty_seconds_are_told_and_overcome() -> Result<()> {
    const OUTAGE: Duration = Duration::from_secs(60);
    let mut trip = Trip::begin("sixty", &[]).await?;
    let kept = trip.kept().await?;
    let start = Instant::now();
    let outage = trip.machine.cut_off()?;
    trip.session.event("reconnecting").await?;
    ensure!(
        start.elapsed() < Duration::from_secs(25),
        "the loss was noticed after {:?}",
        start.elapsed()
    );
    tokio::try_join!(refused(trip.inbound()?), refused(trip.outbound()))
        .context("connections made meanwhile")?;
    trip.program_runs().await?;
    ensure!(start.elapsed() < OUTAGE, "they were refused after {:?} only", start.elapsed());
    sleep(OUTAGE.saturating_sub(start.elapsed())).await;
    drop(outage);
    let healed = Instant::now();
    trip.session.event("reconnected").await?;
    ensure!(
        healed.elapsed() < Duration::from_secs(20),
        "it took {:?} to come back",
        healed.elapsed()
    );
    trip.works().await?;
    not_silent(kept).await?;
    ensure!(trip.count("lapsed") == 0 && trip.count("ended") == 0, "{}", trip.session.told());
    trip.finish().await
}

#[tokio::test]
async fn after_the_lease_the_cluster_restores_and_the_program_stays() -> Result<()> {
    let mut trip = Trip::begin("lapse", &["--lease", "5s"]).await?;
    let outage = trip.machine.cut_off()?;
    trip.ns.comes_back("Deployment", "web", &trip.before, 1).await?;
    trip.program_runs().await?;
    drop(outage);
    trip.session.event("lapsed").await?;
    // Longer than it would take to connect again unasked.
    sleep(Duration::from_secs(5)).await;
    trip.program_runs().await?;
    trip.ns.back("Deployment", "web", &trip.before, 1).await?;
    ensure!(
        trip.session.stderr().contains("--reconnect"),
        "what to do is not said: {}",
        trip.session.stderr()
    );
    trip.session.signal("INT")?;
    trip.session.end().await?;
    ensure!(trip.program_runs().await.is_err(), "the program is left behind");
    trip.ns.back("Deployment", "web", &trip.before, 1).await
}

#[tokio::test]
async fn a_long_sleep_with_reconnect_connects_again() -> Result<()> {
    let mut trip = Trip::begin("again", &["--lease", "5s", "--reconnect"]).await?;
    trip.session.signal("STOP")?;
    trip.ns.comes_back("Deployment", "web", &trip.before, 1).await?;
    trip.program_runs().await?;
    trip.session.signal("CONT")?;
    trip.session.event("lapsed").await?;
    trip.session.event("connected").await?;
    trip.works().await?;
    trip.finish().await
}

#[tokio::test]
async fn a_short_sleep_is_overcome() -> Result<()> {
    let mut trip = Trip::begin("sleep", &[]).await?;
    let kept = trip.kept().await?;
    trip.session.signal("STOP")?;
    sleep(Duration::from_secs(20)).await;
    trip.session.signal("CONT")?;
    trip.works().await?;
    not_silent(kept).await?;
    ensure!(trip.count("lapsed") == 0 && trip.count("ended") == 0, "{}", trip.session.told());
    trip.finish().await
}

#[tokio::test]
async fn an_outage_of_the_api_server_is_not_a_dead_client() -> Result<()> {
    let mut trip = Trip::begin("blind", &["--lease", "5s"]).await?;
    let jobs = ListParams::default().labels("job-name");
    let restorers = trip.ns.api::<Pod>().list(&jobs).await?;
    let address = restorers
        .items
        .first()
        .and_then(|pod| pod.status.as_ref()?.pod_ip.clone())
        .context("no restorer")?;
    let blind = Isolated::pod(&address)?;
    let outage = trip.machine.cut_off()?;
    sleep(Duration::from_secs(15)).await;
    drop(outage);
    // Whoever comes back first must not matter; this is the worse order for none, as the lease is fresh when the restorer sees it again.
    let seen = renewed(&trip.ns).await?;
    eventually("the client renews its lease again", || async {
        Ok((renewed(&trip.ns).await? > seen).then_some(()))
    })
    .await?;
    drop(blind);
    let again = Instant::now();
    while again.elapsed() < Duration::from_secs(8) {
        sleep(Duration::from_secs(1)).await;
        ensure!(
            trip.ns.workload("Deployment", "web").await? != trip.before,
            "the restorer took the outage for a dead client"
        );
    }
    trip.works().await?;
    ensure!(trip.count("lapsed") == 0 && trip.count("ended") == 0, "{}", trip.session.told());
    trip.finish().await
}

/// When the session's lease was last renewed.
async fn renewed(ns: &Namespace) -> Result<Timestamp> {
    let leases = ns.api::<Lease>().list(&ListParams::default()).await?;
    let renewed =
        leases.items.iter().filter_map(|lease| lease.spec.as_ref()?.renew_time.as_ref()).next();
    Ok(renewed.context("no lease that was renewed")?.0)
}

#[tokio::test]
async fn stopping_while_cut_off_leaves_it_to_the_cluster() -> Result<()> {
    let mut trip = Trip::begin("leave", &["--lease", "5s"]).await?;
    let outage = trip.machine.cut_off()?;
    trip.session.signal("INT")?;
    let ended = trip.session.event("ended").await?;
    let status = trip.session.end().await?;
    ensure!(
        ended["end"]["error"]["code"] == "restore_failed" && status.code() == Some(7),
        "{status}: {ended}"
    );
    ensure!(
        ended["end"]["error"]["hint"].to_string().contains("towline restore"),
        "what to do: {ended}"
    );
    trip.ns.comes_back("Deployment", "web", &trip.before, 1).await?;
    drop(outage);
    Ok(())
}
