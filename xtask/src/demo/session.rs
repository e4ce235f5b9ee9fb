//! One session without anybody watching.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::Cluster;
use crate::{paths, progress::step};

/// A customer's request, made by a program in the gateway's container: who answers?
pub(super) const QUESTION: [&str; 3] = [
    "python3",
    "-c",
    "import http.client as h; c = h.HTTPConnection('gateway', 80); c.request('GET', '/'); print(c.getresponse().read().decode())",
];

const CONNECT: Duration = Duration::from_secs(120);
const ANSWER: Duration = Duration::from_secs(30);
const RESTORE: Duration = Duration::from_secs(120);

/// Connects `orders` to a local `orders.py`, asks the gateway in the cluster, stops, and checks that all is as before.
pub(super) fn run(cluster: &Cluster) -> Result<()> {
    let machine = fs::read_to_string("/proc/sys/kernel/hostname")?.trim().to_owned();
    let before = workload(cluster)?;
    let answer = orders(cluster)?;
    ensure!(answer != machine, "orders is answered by this machine before any session");
    println!("before:   orders answers from {answer}");

    let mut towline = step("connect", || Towline::connect(cluster))?;
    let answer = until(ANSWER, || Ok(orders(cluster).ok().filter(|answer| *answer == machine)));
    let stopped = step("stop and restore", || towline.stop());
    let Some(answer) = answer? else {
        bail!(
            "orders is not answered by this machine {} s after the session began",
            ANSWER.as_secs()
        );
    };
    println!("session:  orders answers from {answer}, which is this machine");
    stopped?;

    ensure!(
        workload(cluster)? == before,
        "the Deployment orders is not what it was before the session"
    );
    // Pods that are on their way out stay listed until the kubelet has cleaned up after them.
    let mut remains = String::new();
    let gone = until(RESTORE, || {
        remains = cluster.read(&[
            "get",
            "lease,job,secret,serviceaccount,role,rolebinding,pod",
            "-l",
            "towline.dev/session",
            "-o",
            "name",
        ])?;
        Ok(remains.trim().is_empty().then_some(()))
    })?;
    ensure!(gone.is_some(), "left of the session in the cluster: {remains}");
    let answer = orders(cluster)?;
    ensure!(answer != machine, "orders is still answered by this machine after the session");
    println!(
        "after:    orders answers from {answer}; the Deployment is what it was, and nothing is left"
    );
    Ok(())
}

/// Who answers for `orders`, as a customer of the gateway sees it.
fn orders(cluster: &Cluster) -> Result<String> {
    let text = cluster.read(&[&["exec", "deploy/gateway", "--"][..], &QUESTION].concat())?;
    let answer: Value =
        serde_json::from_str(&text).with_context(|| format!("the gateway answered {text}"))?;
    let host = answer["orders"]["served_by"]["host"].as_str();
    Ok(host.with_context(|| format!("orders did not answer the gateway: {answer}"))?.to_owned())
}

/// What a user wrote of the Deployment: its labels, annotations and specification, without what every change moves on.
fn workload(cluster: &Cluster) -> Result<Value> {
    let mut object: Value =
        serde_json::from_str(&cluster.read(&["get", "deployment", "orders", "-o", "json"])?)?;
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        annotations.remove("deployment.kubernetes.io/revision");
    }
    let metadata = &object["metadata"];
    Ok(serde_json::json!([metadata["labels"], metadata["annotations"], object["spec"]]))
}

struct Towline {
    child: Child,
    events: Receiver<Value>,
}

impl Towline {
    fn connect(cluster: &Cluster) -> Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let orders = paths::root().join("sandbox/shop/orders.py");
        let mut child = Command::new(&cluster.towline)
            .env("KUBECONFIG", &cluster.kubeconfig)
            .args(["connect", "service/orders", "-n", "shop", "-o", "json"])
            .args([
                "--port",
                &format!("8080:{port}"),
                "--",
                "env",
                &format!("PORT={port}"),
                "python3",
            ])
            .arg(orders)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", cluster.towline.display()))?;
        let output = child.stdout.take().context("the output was asked for as a pipe")?;
        let mut towline = Self { child, events: lines(output) };
        let deadline = Instant::now() + CONNECT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(event) = towline.events.recv_timeout(left) else {
                let status = towline.stop();
                bail!("towline did not connect; it ended with {status:?}");
            };
            match event["event"].as_str() {
                Some("connected") => return Ok(towline),
                Some("ended") => bail!("the session ended before it was connected: {event}"),
                _ => {}
            }
        }
    }

    /// Ctrl-C, and then the end that it leads to.
    fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            let id = self.child.id().to_string();
            Command::new("kill").args(["-INT", &id]).status().context("run kill")?;
        }
        let ended = until(RESTORE, || Ok(self.child.try_wait()?))?;
        ensure!(
            ended.is_some(),
            "towline still runs {} s after it was asked to stop",
            RESTORE.as_secs()
        );
        let events: Vec<_> = self.events.try_iter().collect();
        let restored = events.iter().any(|event| event["event"] == "restored");
        ensure!(
            restored,
            "towline ended ({ended:?}) without saying that it restored the workload: {events:?}"
        );
        Ok(())
    }
}

/// The lines of JSON that a program prints, until its output ends.
fn lines(output: impl Read + Send + 'static) -> Receiver<Value> {
    let (parsed, events) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
            if parsed.send(event).is_err() {
                return;
            }
        }
    });
    events
}

/// Looks until there is something, at most `limit` long.
fn until<T>(limit: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(None)
}
