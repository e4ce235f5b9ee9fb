//! `--mount --no-admin`: names of the cluster for a user without any rights, in a hosts file of the program's own.

use std::fs;
use std::os::unix::fs::MetadataExt;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use towline_cluster_tests::app::{deployment, service};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::{Connected, run};

use super::mount::{USER, as_user};
use super::scene::deploy;

/// What a program with a hosts file of its own finds: its arguments are the namespace and the machine's hosts file. Ends when the service `late` has come.
const NAMES: &str = r#"
import os, socket, sys, time, urllib.request
namespace, machines = sys.argv[1:]
def find(name):
    return sorted({entry[4][0] for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)})
def ping(name, port):
    with socket.create_connection((name, port), 20) as connection:
        connection.sendall(b"PING\r\n")
        answer = connection.recv(64)
        assert answer == b"+PONG\r\n", answer
names = ["redis", f"redis.{namespace}", f"redis.{namespace}.svc", f"redis.{namespace}.svc.cluster.local"]
found = {tuple(find(name)) for name in names}
assert len(found) == 1, found
(address,), = found
assert address.startswith("127.77."), address
for name in names:
    ping(name, 6379)
try:
    raise SystemExit(f"other, port 80, leads to {find('other')}")
except socket.gaierror:
    pass
host, port = os.environ["OTHER_SERVICE_HOST"], os.environ["OTHER_SERVICE_PORT"]
assert host.startswith("127.77.") and port != "80", (host, port)
open_url = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
answer = open_url(f"http://{host}:{port}/", timeout=20).read()
assert answer.startswith(b"cluster other-"), answer
assert "127.0.0.1" in find("localhost") or "::1" in find("localhost")
assert open("/etc/hosts").read().startswith(machines.rstrip("\n")), "the machine's own lines"
assert open("/etc/shop/greeting").read() == "hello", "and the volumes"
try:
    open("/etc/hosts", "a")
    raise SystemExit("the hosts file can be written")
except OSError:
    pass
print("names are well", os.getuid())
# As in any pod: a service has its name at once, and the node refuses its connections until its rules know of the pods.
until = time.monotonic() + 60
while True:
    try:
        ping("late", 6380)
        break
    except (socket.gaierror, ConnectionError) as reason:
        assert time.monotonic() < until, f"late does not answer: {reason}"
        time.sleep(0.1)
ping("redis", 6379)
print("late is well")
"#;

#[tokio::test]
async fn a_program_without_rights_finds_names_in_a_hosts_file_of_its_own() -> Result<()> {
    let ns = Namespace::create("volumes-mount-names").await?;
    let state = || -> Result<_> {
        let metadata = fs::metadata("/etc/hosts")?;
        Ok((fs::read_to_string("/etc/hosts")?, metadata.ino(), metadata.mtime_nsec()))
    };
    let machines = state()?;
    deploy(&ns).await?;
    ns.http_app("other", 1).await?;
    let redis = json!({
        "name": "redis", "image": "sandbox.local/redis:1", "imagePullPolicy": "IfNotPresent",
        "args": ["--save", "", "--appendonly", "no", "--protected-mode", "no", "--dir", "/tmp"],
        "ports": [{"name": "redis", "containerPort": 6379}],
        "readinessProbe": {"tcpSocket": {"port": 6379}, "periodSeconds": 1},
    });
    ns.apply([deployment("redis", 1, &[redis]), service("redis", 6379, "redis")]).await?;
    ns.ready("redis", 1).await?;
    let before = ns.workload("Deployment", "web").await?;

    let target = ["deployment/web", "-c", "main", "--mount", "--no-admin"];
    the_plan_says_what_is_missing(&ns, &target).await?;
    let program = ["python3", "-u", "-c", NAMES, &ns.name, &machines.0];
    let arguments = ns.connect_arguments(&target, &program);
    let mut session = Connected::start(as_user(&ns, &[], &arguments)?)?;
    session.event("connected").await?;
    ensure!(state()? == machines, "the machine's hosts file was changed");
    tested_from_outside(&ns).await?;

    let mut late = service("late", 6380, "redis");
    late["spec"]["selector"] = json!({"app": "redis"});
    ns.apply([late]).await?;
    let (end, status) = session.outcome().await?;
    let told = session.stderr();
    ensure!((end.as_str(), status.code()) == ("stopped", Some(0)), "{end} {status}\n{told}");
    ensure!(told.contains(&format!("names are well {USER}\nlate is well\n")), "{told}");
    ensure!(told.contains("need administrator's rights: port 80 of other."), "{told}");
    ensure!(state()? == machines, "the machine's hosts file is not what it was");
    ns.comes_back("Deployment", "web", &before, 1).await
}

async fn the_plan_says_what_is_missing(ns: &Namespace, target: &[&str]) -> Result<()> {
    let mut all = vec!["plan", "-n", &ns.name, "-o", "json"];
    all.extend(target);
    let finished = run(as_user(ns, &[], &all)?).await?;
    ensure!(finished.status.success(), "{finished:?}");
    let plan: Value = serde_json::from_str(&finished.stdout)?;
    ensure!(plan["request"]["names"] == "own_hosts_file", "{}", plan["request"]);
    let checks = plan["checks"].as_array().context("checks")?;
    let names: Vec<&Value> = checks.iter().filter(|check| check["title"] == "names").collect();
    let [warning] = names.as_slice() else { anyhow::bail!("one check of names: {names:?}") };
    let message = warning["message"].as_str().unwrap_or_default();
    for missing in [
        format!("port 80 of other.{0}, web.{0}; ", ns.name),
        "port 443 of kubernetes.default".to_owned(),
    ] {
        ensure!(message.contains(&missing), "{missing}: {message}");
    }
    ensure!(warning["outcome"] == "warning" && !message.contains("redis"), "{warning}");
    let hosts = plan["hosts"]["hosts"].as_array().context("lines")?;
    let named: Vec<&str> = hosts.iter().filter_map(|host| host["names"][0].as_str()).collect();
    ensure!(named == ["redis"], "{named:?}");
    Ok(())
}

/// Names that only the program finds are tried where they stand.
async fn tested_from_outside(ns: &Namespace) -> Result<()> {
    let finished = ns.run(&["dns", "--test", "-o", "json"]).await?;
    let rows: Value = serde_json::from_str(&finished.stdout)?;
    let rows = rows.as_array().context("rows")?;
    let of = |name: &str| {
        let subject = format!("{name}.{}", ns.name);
        rows.iter().find(|row| row["of"] == subject.as_str()).cloned().context(subject)
    };
    let (redis, other) = (of("redis")?, of("other")?);
    ensure!(redis["names"][0] == "redis" && redis["test"]["outcome"] == "ok", "{redis}");
    ensure!(other["names"] == json!([]) && other["test"]["outcome"] == "ok", "{other}");
    Ok(())
}

#[tokio::test]
async fn killed_beside_a_program_with_its_own_hosts_file_it_leaves_nothing() -> Result<()> {
    let ns = Namespace::create("volumes-mount-killed").await?;
    ns.http_app("app", 1).await?;
    let before = ns.workload("Deployment", "app").await?;
    let machines = fs::read("/etc/hosts")?;
    // Ends when `towline` is gone.
    const FOLLOW: &str = "parent=$PPID; while kill -0 $parent 2>/dev/null; do sleep 0.2; done";
    let arguments = ns.connect_arguments(
        &["deployment/app", "--mount", "--no-admin", "--lease", "5s"],
        &["sh", "-c", FOLLOW],
    );
    let mut session = Connected::start(as_user(&ns, &[], &arguments)?)?;
    session.event("connected").await?;
    let kept = ns.kept_here()?;
    ensure!(kept.iter().any(|path| path.join("hosts").is_file()), "{kept:?}");
    session.signal("KILL")?;
    session.end().await?;
    let restore = ["restore", "deployment/app", "-n", &ns.name];
    let finished = run(as_user(&ns, &[], &restore)?).await?;
    ensure!(finished.status.success(), "{finished:?}");
    let kept = ns.kept_here()?;
    ensure!(kept == [ns.home.path().join("kubeconfig")], "kept on this machine: {kept:?}");
    ensure!(fs::read("/etc/hosts")? == machines);
    ns.comes_back("Deployment", "app", &before, 1).await
}
