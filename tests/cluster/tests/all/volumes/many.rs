//! A volume with very many files. `TOWLINE_TEST_MANY_FILES` says how many.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use towline_cluster_tests::app::{HTTP, IMAGE, container, deployment, service};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::Connected;
use towline_cluster_tests::{LIMIT, eventually};

use super::scene::{files, root_of};

/// Enough to be above every limit. A million takes twice as long to make and to remove as all else in this test together.
const FILES: u64 = 300_000;

/// The most memory that `towline` may have had, in KiB: its own, and what it remembers of the files that it has copied until it is cut off.
const MOST_MEMORY: u64 = 400 * 1024;

/// Makes the files: names of the same few files (hard links), as a million files of their own would take long and much of the disk. A third of them stand in one
/// directory.
const FILL: &str = r#"
import os, sys
count = int(sys.argv[1])
os.makedirs("/many/few")
for number in range(3):
    open(f"/many/few/{number}", "w").write("few")
def link(directory, numbers):
    os.makedirs(directory, exist_ok=True)
    at = os.open(directory, os.O_RDONLY)
    original = None
    for number in numbers:
        # A file has at most 65,000 names on ext4.
        if original is None or number % 30_000 == 0:
            original = f"{number:07}"
            os.close(os.open(original, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=at))
        else:
            os.link(original, f"{number:07}", src_dir_fd=at, dst_dir_fd=at)
    os.close(at)
wide = count // 3
link("/many/wide", range(wide))
os.makedirs("/many/wide/zz-few")
open("/many/wide/zz-few/here", "w").write("found")
for begin in range(wide, count, 1000):
    link(f"/many/deep/{begin // 100_000}/{begin // 1000}", range(begin, min(begin + 1000, count)))
"#;

async fn deploy(ns: &Namespace) -> Result<()> {
    let count = env::var("TOWLINE_TEST_MANY_FILES").unwrap_or_else(|_| FILES.to_string());
    let mount = json!([{"name": "many", "mountPath": "/many"}]);
    let mut main = container(HTTP, 8080);
    main["volumeMounts"] = mount.clone();
    let mut app = deployment("web", 1, &[main]);
    let spec = &mut app["spec"]["template"]["spec"];
    spec["initContainers"] = json!([{
        "name": "fill", "image": IMAGE, "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", FILL, count], "volumeMounts": mount,
    }]);
    spec["volumes"] = json!([{"name": "many", "emptyDir": {}}]);
    ns.apply([app, service("web", 80, "http")]).await?;
    ns.http_app("other", 1).await?;
    filled(ns).await
}

/// Waits for the files as long as a slow disk may need.
async fn filled(ns: &Namespace) -> Result<()> {
    let mut last = ns.ready("web", 1).await;
    for _ in 0..3 {
        if last.is_ok() {
            break;
        }
        last = ns.ready("web", 1).await;
    }
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_with_very_many_files_is_refused_and_a_part_of_it_is_copied() -> Result<()> {
    let ns = Namespace::create("volumes-many").await?;
    deploy(&ns).await?;
    // The agent's pod is filled, too, before it is ready.
    let target = ["deployment/web", "-c", "main", "--no-admin", "--timeout", "10m"];
    let mut session = ns.connect(&target, &[])?;
    let root = root_of(&connected(&mut session).await?)?;
    let other = listener(&mut session, &ns).await?;

    let volumes = files(&ns, &["list"]).await?;
    let many = volumes.as_array().into_iter().flatten().find(|row| row["mount_path"] == "/many");
    let measured = &many.context("/many")?["measured"];
    ensure!(measured["complete"] == false, "counting has no end: {measured}");
    ensure!(measured["files"].as_u64().is_some_and(|files| files <= 100_000), "{measured}");

    let refused = ns.run(&["files", "get", "/many", "-o", "json"]).await?;
    let told: Value = serde_json::from_str(&refused.stdout)?;
    let error = &told["error"];
    ensure!(refused.status.code() == Some(2) && error["code"] == "volume_too_large", "{told}");
    let message = "/many has more than 100000 files, directories and links, which is the limit; nothing was copied";
    ensure!(error["message"] == message, "{error}");
    let hint = error["hint"].as_str().unwrap_or_default();
    ensure!(hint.contains("towline files list PATH") && hint.contains("--most-files"), "{hint}");

    // Of a hundred thousand entries beside it, the directory is among those that are shown.
    let wide = files(&ns, &["list", "/many/wide"]).await?;
    let entries = wide["entries"].as_array().context("entries")?;
    ensure!(wide["complete"] == false && entries.len() == 2_000, "{} entries", entries.len());
    ensure!(entries.iter().any(|entry| entry["name"] == "zz-few"), "the directory is not shown");
    let got = files(&ns, &["get", "/many/few", "/many/wide/zz-few"]).await?;
    ensure!(got[0]["files"] == 4, "{got}");
    ensure!(fs::read_to_string(root.join("many/wide/zz-few/here"))? == "found");

    cut_off(&ns, &mut session, &root, other).await?;
    session.stop().await?;
    Ok(())
}

/// Waits for that as long as a slow disk may need.
async fn connected(session: &mut Connected) -> Result<Value> {
    for _ in 0..3 {
        if let Ok(event) = session.event("connected").await {
            return Ok(event);
        }
    }
    session.event("connected").await
}

/// Where the service `other` is on this machine.
async fn listener(session: &mut Connected, ns: &Namespace) -> Result<SocketAddr> {
    let name = format!("other.{}", ns.name);
    let added = session.find("service_added", |event| event["service"] == name.as_str()).await?;
    Ok(added["local"].as_str().context("an address")?.parse()?)
}

async fn answers(other: SocketAddr) -> Result<()> {
    let ask = async {
        let mut stream = TcpStream::connect(other).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        ensure!(answer.contains("cluster other-"), "{answer}");
        Ok(())
    };
    tokio::time::timeout(LIMIT, ask).await.context("no answer")?
}

/// How many files of the volume are here, in the directories that have come.
fn count(root: &Path) -> Result<usize> {
    let mut found = 0;
    let mut directories = vec![root.join("many")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => directories.push(entry.path()),
                false => found += 1,
            }
        }
    }
    Ok(found)
}

/// A copy of all of it, which the user allows, goes on beside the session's connections, and is ended by the user.
async fn cut_off(
    ns: &Namespace,
    session: &mut Connected,
    root: &Path,
    other: SocketAddr,
) -> Result<()> {
    let all = ["files", "get", "/many", "--most-files", "5000000", "-o", "json"];
    let mut copy = ns.towline(&all)?.stdout(std::process::Stdio::null()).spawn()?;
    let here = || async {
        // Beside it, others are answered.
        let few = files(ns, &["list", "/many/few"]).await?;
        ensure!(few["complete"] == true, "{few}");
        Ok((count(root)? > 2_000).then_some(()))
    };
    eventually("files come", here).await?;
    for _ in 0..20 {
        answers(other).await?;
    }
    ensure!(copy.try_wait()?.is_none(), "the copy is over already");
    let id = copy.id().context("it has ended")?.to_string();
    let status = std::process::Command::new("kill").args(["-s", "INT", &id]).status()?;
    ensure!(status.success(), "kill: {status}");
    tokio::time::timeout(LIMIT, copy.wait()).await.context("the copy does not end")??;
    // What was on its way comes to rest, and the agent has hands free again.
    let still = || async {
        let before = count(root)?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok((count(root)? == before).then_some(()))
    };
    eventually("the copy has ended here", still).await?;
    files(ns, &["get", "/many/few"]).await?;
    answers(other).await?;
    let memory = session.most_memory()?;
    println!("towline had at most {memory} KiB");
    ensure!(memory < MOST_MEMORY, "towline had {memory} KiB");
    let lost = session.seen().iter().any(|event| event["event"] == "reconnecting");
    ensure!(!lost, "the session was not well: {}", session.told());
    let pods = ns.pods("web").await?;
    let states = pods.iter().filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref());
    ensure!(states.flatten().all(|state| state.restart_count == 0), "the agent was started again");
    Ok(())
}
