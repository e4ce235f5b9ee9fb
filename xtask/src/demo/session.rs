//! One session without anybody watching.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::Cluster;
use crate::{
    agent::{cargo, run as run_command},
    desktop::Driver,
    paths,
    progress::step,
};

/// A customer's request, made by a program in the gateway's container: who answers?
pub(super) const QUESTION: [&str; 3] = [
    "python3",
    "-c",
    "import http.client as h; c = h.HTTPConnection('gateway', 80); c.request('GET', '/'); print(c.getresponse().read().decode())",
];

const CONNECT: Duration = Duration::from_secs(120);
const ANSWER: Duration = Duration::from_secs(30);
const RESTORE: Duration = Duration::from_secs(120);

/// Connects `orders`, through the window, to a local `orders.py`, asks the gateway in the cluster, stops, and checks that all is as before.
pub(super) fn run(cluster: &Cluster, driver: &Driver) -> Result<()> {
    let machine = fs::read_to_string("/proc/sys/kernel/hostname")?.trim().to_owned();
    let before = workload(cluster)?;
    let answer = orders(cluster)?;
    ensure!(answer != machine, "orders is answered by this machine before any session");
    println!("before:   orders answers from {answer}");

    let mut session =
        step("connect, through the window", || WindowSession::connect(cluster, driver))?;
    let answer = until(ANSWER, || Ok(orders(cluster).ok().filter(|answer| *answer == machine)));
    let stopped = step("stop and restore", || session.stop());
    let Some(answer) = answer? else {
        bail!(
            "orders is not answered by this machine {} s after the session began",
            ANSWER.as_secs()
        );
    };
    println!("session:  orders answers from {answer}, which is this machine");
    println!("picture:  {}", stopped?);

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

/// A session that is made through the window by `tests/desktop/src/bin/window-session.rs`.
struct WindowSession {
    child: Child,
    lines: Receiver<String>,
}

impl WindowSession {
    fn connect(cluster: &Cluster, driver: &Driver) -> Result<Self> {
        let mut cargo = cargo();
        cargo.args(["build", "--quiet", "--package", "towline-desktop-tests"]);
        run_command(&mut cargo, "build what drives the window")?;
        let mut command = Command::new(paths::target().join("debug/window-session"));
        command
            .args([&cluster.kubeconfig, Path::new(&cluster.context)])
            .env("PATH", &cluster.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = driver.tell(&mut command).spawn().context("start window-session")?;
        let output = child.stdout.take().context("the output was asked for as a pipe")?;
        let mut session = Self { child, lines: lines(output) };
        session.until("connected", CONNECT)?;
        Ok(session)
    }

    /// Ends its standard input, and waits for the end that it leads to. Gives the picture's path.
    fn stop(&mut self) -> Result<String> {
        drop(self.child.stdin.take());
        let picture = self.until("picture ", RESTORE)?;
        self.until("stopped", RESTORE)?;
        let ended = self.child.wait()?;
        ensure!(ended.success(), "window-session ended with {ended}");
        Ok(picture)
    }

    /// Waits for the line that begins with `word`, and gives the rest of it.
    fn until(&mut self, word: &str, limit: Duration) -> Result<String> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                bail!("the window did not come to `{}`; the messages above say why", word.trim());
            };
            if let Some(rest) = line.strip_prefix(word) {
                return Ok(rest.to_owned());
            }
        }
    }
}

impl Drop for WindowSession {
    fn drop(&mut self) {
        // Its standard input has ended with it, if it had not before: it stops the session and goes.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The lines that a program prints, until its output ends.
fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (read, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if read.send(line).is_err() {
                return;
            }
        }
    });
    lines
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
