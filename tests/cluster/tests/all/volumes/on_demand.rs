//! Volumes that are copied and written back when the user asks for it.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::setting;
use towline_cluster_tests::towline::Connected;

use super::scene::{connected, deploy, files, in_the_pod, refused};

#[tokio::test]
async fn nothing_escapes_and_what_is_too_large_stays_there() -> Result<()> {
    let ns = Namespace::create("volumes-get").await?;
    deploy(&ns).await?;
    let (mut session, root) = connected(&ns).await?;
    let data = root.join("data");
    ensure!(fs::read_dir(&data)?.count() == 0, "nothing comes unasked");

    let volumes = files(&ns, &["list"]).await?;
    let of_data = volumes.as_array().into_iter().flatten().find(|row| row["mount_path"] == "/data");
    let measured = &of_data.context("/data")?["measured"];
    ensure!(measured["files"] == 5 && measured["complete"] == true, "{measured}");
    ensure!(measured["links"] == 5 && measured["special"] == 2, "{measured}");
    let listed = files(&ns, &["list", "/data/reports"]).await?;
    ensure!(listed["entries"][0]["name"] == "2026" && listed["entries"][0]["kind"] == "directory");

    let small = refused(&ns, &["get", "/data", "--limit", "1MiB"]).await?;
    ensure!(small == (2, "volume_too_large".to_owned()), "{small:?}");
    ensure!(fs::read_dir(&data)?.count() == 0, "nothing of what is too large came");
    for (path, expected) in [
        ("/etc/passwd", "input"),
        ("/data/nothing", "input"),
        ("/data/../etc", "input"),
        ("/etc/shop/greeting", "input"),
    ] {
        let (status, code) = refused(&ns, &["get", path]).await?;
        ensure!((status, code.as_str()) == (2, expected), "{path}: {status} {code}");
    }

    files(&ns, &["get", "/data/reports"]).await?;
    ensure!(fs::read_to_string(data.join("reports/2026/jan.csv"))? == "a,b\n");
    ensure!(!data.join("large").exists(), "only what was asked for");
    let got = files(&ns, &["get", "/data"]).await?;
    let skipped: Vec<String> = names(&got[0]["skipped"]);
    ensure!(skipped == ["pipe", "round", "shadow", "socket", "up"], "{skipped:?}");
    ensure!(got[0]["files"] == 5 && got[0]["links"] == 2, "{got}");
    ensure!(fs::read_to_string(data.join("latest/jan.csv"))? == "a,b\n");
    ensure!(fs::read_to_string(data.join("absolute"))? == "a,b\n");
    ensure!(fs::metadata(data.join("large"))?.len() == 3_000_000);
    ensure!(fs::read(data.join("closed/file"))? == b"x");
    leads_nowhere_else(&data, &fs::canonicalize(&root)?)?;

    let directory = root.parent().context("the session's directory")?.to_owned();
    session.signal("KILL")?;
    session.end().await?;
    ensure!(directory.exists());
    ns.run(&["status", "-n", &ns.name]).await?;
    ensure!(!directory.exists(), "the next command wipes what a killed one left");
    Ok(())
}

/// Whatever link there is below `directory` ends within `root`.
fn leads_nowhere_else(directory: &Path, root: &Path) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            leads_nowhere_else(&entry.path(), root)?;
        } else {
            let end = fs::canonicalize(entry.path())?;
            ensure!(end.starts_with(root), "{} leads to {}", entry.path().display(), end.display());
        }
    }
    Ok(())
}

fn names(skipped: &Value) -> Vec<String> {
    let skipped = skipped.as_array().into_iter().flatten();
    let mut names: Vec<String> =
        skipped.filter_map(|one| one["path"].as_str().map(str::to_owned)).collect();
    names.sort();
    names
}

#[tokio::test]
async fn only_what_is_named_is_written_back_and_only_over_what_was_copied() -> Result<()> {
    let ns = Namespace::create("volumes-put").await?;
    deploy(&ns).await?;
    let (mut session, root) = connected(&ns).await?;
    let file = root.join("data/reports/2026/jan.csv");
    const READ: &str = "print(open('/data/reports/2026/jan.csv').read(), end='')";
    files(&ns, &["get", "/data/reports"]).await?;

    fs::write(&file, "ours\n")?;
    fs::write(root.join("data/reports/new"), "new\n")?;
    fs::write(root.join("data/not-named"), "x")?;
    let put = files(&ns, &["put", "/data/reports"]).await?;
    let mut written: Vec<&str> =
        put[0]["files"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    written.sort_unstable();
    ensure!(written == ["reports/2026/jan.csv", "reports/new"], "{put}");
    ensure!(in_the_pod(&ns, READ).await? == "ours\n");
    ensure!(
        in_the_pod(&ns, "import os; print(os.path.exists('/data/not-named'))").await?.trim()
            == "False"
    );
    let nothing = files(&ns, &["put", "/data/reports"]).await?;
    ensure!(
        nothing[0]["files"].as_array().is_some_and(Vec::is_empty),
        "unchanged files stay: {nothing}"
    );

    in_the_pod(&ns, "open('/data/reports/2026/jan.csv', 'w').write('theirs\\n')").await?;
    fs::write(&file, "ours again\n")?;
    let local = file.to_str().context("text")?;
    let conflict = refused(&ns, &["put", local]).await?;
    ensure!(conflict == (5, "volume_changed".to_owned()), "{conflict:?}");
    ensure!(in_the_pod(&ns, READ).await? == "theirs\n");
    files(&ns, &["put", local, "--overwrite"]).await?;
    ensure!(in_the_pod(&ns, READ).await? == "ours again\n");

    fs::write(root.join("data-read-only/x"), "x")?;
    for path in ["/data-read-only/x", "/etc/shop/greeting"] {
        let (_, code) = refused(&ns, &["put", path]).await?;
        ensure!(code == "volume_read_only", "{path}: {code}");
    }
    let (_, code) = refused(&ns, &["put", "/data/not-here"]).await?;
    ensure!(code == "input", "{code}");
    session.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_full_disk_here_is_told_and_loses_nothing() -> Result<()> {
    let ns = Namespace::create("volumes-full").await?;
    deploy(&ns).await?;
    // A disk of its own in a mount namespace of its own.
    const SMALL: &str = "mkdir -p \"$0\" && mount -t tmpfs -o size=2m small \"$0\" && XDG_RUNTIME_DIR=\"$0\" exec \"$@\"";
    let disk = ns.home.path().join("small");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", SMALL]).arg(&disk).arg(setting("TOWLINE_TEST_CLI")?);
    command.args(ns.connect_arguments(&["deployment/web", "-c", "main"], &[]));
    ns.surroundings(&mut command)?;
    command.stdin(Stdio::null()).kill_on_drop(true);
    let mut session = Connected::start(command)?;
    let event = session.event("connected").await?;
    let env_file = event["env_file"].as_str().context("an env file")?.to_owned();
    let id = session.id()?.to_string();
    let inside = async |arguments: &[&str]| -> Result<(Option<i32>, String)> {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &id]).args(arguments);
        ns.surroundings(&mut command)?;
        let output = command.env("XDG_RUNTIME_DIR", &disk).output().await?;
        Ok((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    let cli = setting("TOWLINE_TEST_CLI")?;
    let (status, told) = inside(&[&cli, "files", "get", "/data/reports", "-o", "json"]).await?;
    ensure!(status == Some(0), "{told}");
    let (status, told) = inside(&[&cli, "files", "get", "/data", "-o", "json"]).await?;
    let told: Value = serde_json::from_str(&told)?;
    ensure!(status == Some(1) && told["error"]["code"] == "disk_full", "{status:?} {told}");
    let copy = Path::new(&env_file).with_file_name("root/data/reports/2026/jan.csv");
    let (_, kept) = inside(&["cat", copy.to_str().context("text")?]).await?;
    ensure!(kept == "a,b\n", "{kept}");
    session.stop().await?;
    Ok(())
}
