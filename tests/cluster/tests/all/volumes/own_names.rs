//! A hosts file of the program's own, when things come, go, and cannot be had.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use towline_cluster_tests::app::{HTTP, container, deployment, service};
use towline_cluster_tests::eventually;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::Connected;

use super::mount::as_user;

/// Waits to be stopped; answers nothing.
const WAIT: [&str; 3] = ["python3", "-c", "import signal; signal.pause()"];

/// Starts `towline connect ARGUMENTS -- PROGRAM` as a user without rights, until it is connected.
async fn connect(ns: &Namespace, arguments: &[&str], program: &[&str]) -> Result<Connected> {
    let arguments = ns.connect_arguments(arguments, program);
    let mut session = Connected::start(as_user(ns, &[], &arguments)?)?;
    session.event("connected").await?;
    Ok(session)
}

/// The session's own hosts file.
fn hosts_file(ns: &Namespace) -> Result<PathBuf> {
    let kept = ns.kept_here()?;
    let file = kept.iter().map(|path| path.join("hosts")).find(|path| path.is_file());
    file.with_context(|| format!("no hosts file: {kept:?}"))
}

/// Reads the name from the session's own file, as its program does.
fn has(file: &std::path::Path, name: &str) -> Result<bool> {
    let text = fs::read_to_string(file)?;
    Ok(text.lines().any(|line| line.split_whitespace().skip(1).any(|word| word == name)))
}

#[tokio::test]
async fn a_host_outside_the_cluster_is_reached_by_name_without_rights() -> Result<()> {
    const ASK: &str = r#"
import os, signal, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
assert os.environ["PARTNER"] == "db.partner.example:8080", os.environ["PARTNER"]
for host in [os.environ["PARTNER"], "db.partner.example:8080"]:
    print("answer:", opener.open(f"http://{host}/", timeout=20).read().decode(), flush=True)
signal.pause()
"#;
    let ns = Namespace::create("own-external").await?;
    ns.apply([
        deployment("partner", 1, &[container(HTTP, 8080)]),
        service("partner", 8080, "http"),
    ])
    .await?;
    ns.ready("partner", 1).await?;
    let mut app = deployment("app", 1, &[container(HTTP, 8081)]);
    app["spec"]["template"]["spec"]["hostAliases"] =
        json!([{"ip": ns.cluster_ip("partner").await?, "hostnames": ["db.partner.example"]}]);
    ns.apply([app]).await?;
    ns.ready("app", 1).await?;
    let before = ns.workload("Deployment", "app").await?;
    let file = ns.home.path().join("towline.yaml");
    fs::write(
        &file,
        "target: deployment/app\nexternalHosts: [\"db.partner.example:8080\"]\nenvironment:\n  PARTNER: ${externalHost:db.partner.example.address}\n",
    )?;
    let file = file.display().to_string();
    let program = ["python3", "-u", "-c", ASK];
    let mut session =
        connect(&ns, &["--project", &file, "--mount", "--no-admin"], &program).await?;
    eventually("two answers of the host", || async {
        Ok((session.stderr().matches("answer: cluster partner-").count() == 2).then_some(()))
    })
    .await
    .with_context(|| session.told())?;
    session.stop().await?;
    ns.comes_back("Deployment", "app", &before, 1).await
}

#[tokio::test]
async fn its_names_go_with_a_lapse_and_come_back() -> Result<()> {
    let ns = Namespace::create("own-lapse").await?;
    ns.http_app("app", 1).await?;
    ns.apply([deployment("other", 1, &[container(HTTP, 8080)]), service("other", 8082, "http")])
        .await?;
    ns.ready("other", 1).await?;
    let before = ns.workload("Deployment", "app").await?;
    let arguments = ["deployment/app", "--mount", "--no-admin", "--lease", "5s"];
    let mut session = connect(&ns, &arguments, &WAIT).await?;
    let file = hosts_file(&ns)?;
    ensure!(has(&file, "other")?, "{}", fs::read_to_string(&file)?);

    session.signal("STOP")?;
    ns.comes_back("Deployment", "app", &before, 1).await?;
    session.signal("CONT")?;
    session.event("lapsed").await?;
    ensure!(!has(&file, "other")?, "it leads nowhere: {}", fs::read_to_string(&file)?);
    ns.back("Deployment", "app", &before, 1).await?;

    session.signal("USR1")?;
    session.event("connected").await?;
    // The very file that the program has over the machine's.
    ensure!(has(&file, "other")?, "{}", fs::read_to_string(&file)?);
    session.stop().await?;
    ns.comes_back("Deployment", "app", &before, 1).await
}

#[tokio::test]
async fn a_service_that_comes_later_and_needs_rights_is_told_of() -> Result<()> {
    let ns = Namespace::create("own-late").await?;
    ns.http_app("app", 1).await?;
    let before = ns.workload("Deployment", "app").await?;
    let mut session = connect(&ns, &["deployment/app", "--mount", "--no-admin"], &WAIT).await?;
    let mut late = service("late", 443, 8080);
    late["spec"]["selector"]["app"] = "app".into();
    ns.apply([late]).await?;
    let place = format!("late.{}:443", ns.name);
    let about = |event: &Value| {
        event["message"].as_str().is_some_and(|message| message.starts_with(&place))
    };
    let told = session.find("warning", about).await?;
    let message = told["message"].as_str().unwrap_or_default();
    ensure!(
        message.contains("cannot be reached by name: port 443 needs administrator's rights"),
        "{message}"
    );
    let subject = format!("late.{}", ns.name);
    let row = eventually("a row for it", || async {
        let dns = ns.run(&["dns", "-o", "json"]).await?;
        let rows: Vec<Value> = serde_json::from_str(&dns.stdout)?;
        Ok(rows.into_iter().find(|row| row["of"] == subject.as_str()))
    })
    .await?;
    let local = row["local"].as_str().unwrap_or_default();
    ensure!(local.starts_with("127.77.") && message.contains(local), "{row}");
    ensure!(row["by_variables_only"] == "port 443 needs administrator's rights", "{row}");
    session.stop().await?;
    ns.comes_back("Deployment", "app", &before, 1).await
}

#[tokio::test]
async fn without_the_rights_that_are_wanted_it_does_without() -> Result<()> {
    let ns = Namespace::create("own-refused").await?;
    ns.http_app("app", 1).await?;
    let before = ns.workload("Deployment", "app").await?;
    let machines = fs::read("/etc/hosts")?;
    // As a user who has set nothing, and whose machine has nobody who could ask for the rights.
    fs::write(ns.home.path().join("towline/settings.yaml"), "names: hosts-file\n")?;
    let mut session = connect(&ns, &["deployment/app", "--mount"], &WAIT).await?;
    let told = session.stderr();
    ensure!(
        told.contains("The rights were not given") && told.contains("hosts file of its own"),
        "{told}"
    );
    ensure!(hosts_file(&ns)?.is_file());
    ensure!(fs::read("/etc/hosts")? == machines);
    session.stop().await?;

    // Whoever insists is told, and nothing is changed.
    let arguments = ns.connect_arguments(&["deployment/app", "--mount", "--hosts"], &["true"]);
    let finished = towline_cluster_tests::towline::run(as_user(&ns, &[], &arguments)?).await?;
    ensure!(!finished.status.success() && finished.stdout.contains("not_granted"), "{finished:?}");
    ns.comes_back("Deployment", "app", &before, 1).await
}
