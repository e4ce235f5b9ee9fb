//! Hosts outside the cluster, by their own names, through the pod.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use towline_cluster_tests::app::{HTTP, container, deployment, service};
use towline_cluster_tests::eventually;
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::hosts::{BEFORE, OwnHosts};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::{Connected, run};

/// What the program of the session sees of the host that its variable names.
const ASK: &str = r#"
import os, signal, sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
answers = [opener.open(f"http://{host}/", timeout=20).read().decode() for host in [os.environ["PARTNER"], "db.partner.example"]]
with open(sys.argv[1] + ".part", "w") as file:
    file.write("\n".join([os.environ["PARTNER"], *answers]))
os.rename(sys.argv[1] + ".part", sys.argv[1])
signal.pause()
"#;

#[tokio::test]
async fn a_host_outside_the_cluster_is_reached_through_the_pod() -> Result<()> {
    let namespace = Namespace::create("names").await?;
    namespace.http_app("partner", 1).await?;
    // Only the pod knows where this name leads: its own hosts file says so.
    let mut app = deployment("app", 1, &[container(HTTP, 8080)]);
    let address = namespace.cluster_ip("partner").await?;
    app["spec"]["template"]["spec"]["hostAliases"] =
        json!([{"ip": address, "hostnames": ["db.partner.example"]}]);
    namespace.apply([app, service("app", 80, "http")]).await?;
    namespace.ready("app", 1).await?;
    let before = namespace.workload("Deployment", "app").await?;
    let machine = OwnHosts::new().await?;
    ensure!(machine.look_up("db.partner.example").await?.is_empty(), "unknown on this machine");

    let project = tempfile::tempdir()?;
    let file = project.path().join("towline.yaml");
    let text = format!(
        "target: deployment/app\nnamespace: {}\nports: [http:{}]\nexternalHosts: [\"db.partner.example:80\"]\nenvironment:\n  PARTNER: ${{externalHost:db.partner.example.address}}\n",
        namespace.name,
        free_port().await?
    );
    std::fs::write(&file, text)?;
    let (file, out) = (file.display().to_string(), project.path().join("out"));
    let told = out.display().to_string();
    let arguments = ["connect", "--hosts", "--project", &file, "-o", "json", "--"];
    let command = ["python3", "-c", ASK, &told];
    let arguments: Vec<&str> = arguments.into_iter().chain(command).collect();
    let mut session = Connected::start(machine.towline(&namespace, &arguments)?)?;
    session.event("connected").await?;
    let told = eventually("the program asks the host", || async {
        Ok(std::fs::read_to_string(&out).ok())
    });
    let told = told.await.with_context(|| session.told())?;
    let lines: Vec<&str> = told.lines().collect();
    ensure!(lines.len() == 3 && lines[0] == "db.partner.example:80", "{told}\n{}", session.told());
    ensure!(lines[1..].iter().all(|line| line.starts_with("cluster partner-")), "{told}");
    // Any other program of this machine, too.
    let found = machine.look_up("db.partner.example").await?;
    ensure!(found.len() == 1 && found[0].starts_with("127.77."), "{found:?}");
    let answer = machine.get("http://db.partner.example/").await?;
    ensure!(answer.starts_with("cluster partner-"), "{answer}");
    let dns = run(machine.towline(&namespace, &["dns", "--test", "-o", "json"])?).await?;
    let rows: Vec<Value> = serde_json::from_str(&dns.stdout)?;
    let row = rows.iter().find(|row| row["of"] == "db.partner.example").context("a row")?;
    ensure!(row["test"]["outcome"] == "ok" && row["target"] == "db.partner.example:80", "{row}");
    session.stop().await?;
    ensure!(machine.content()? == BEFORE, "{}", machine.content()?);
    ensure!(namespace.workload("Deployment", "app").await? == before);
    namespace.nothing_left().await
}
