//! Config maps, secrets and projected volumes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use towline_cluster_tests::namespace::Namespace;

use super::scene::{connected, deploy, files};

#[tokio::test]
async fn they_are_here_stay_fresh_and_go_with_the_session() -> Result<()> {
    let ns = Namespace::create("volumes").await?;
    deploy(&ns).await?;
    let before = ns.workload("Deployment", "web").await?;
    let (mut session, root) = connected(&ns).await?;
    let directory = root.parent().context("the session's directory")?.to_owned();
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| path.to_owned());

    ensure!(fs::metadata(&directory)?.permissions().mode() & 0o777 == 0o700);
    let variable = format!("TOWLINE_ROOT={}", root.display());
    let environment =
        fs::read_to_string(directory.join("environment.env"))?.replace(['\'', '"'], "");
    ensure!(environment.lines().any(|line| line == variable), "{variable} is not in the env file");
    ensure!(read("etc/shop/greeting")? == "hello" && read("etc/shop/goes")? == "soon");
    ensure!(read("etc/towline-test/app.yaml")? == "a: 1\n");
    ensure!(read("etc/shop-keys/password")? == "p'w\n");
    ensure!(read("var/run/mixed/deep/er/greeting")? == "hello");
    ensure!(read("var/run/mixed/labels")?.contains("app=\"web\""));
    ensure!(read("var/run/mixed/token")?.split('.').count() == 3, "a JSON web token");
    let account = "var/run/secrets/kubernetes.io/serviceaccount";
    ensure!(read(&format!("{account}/namespace"))? == ns.name, "what admission adds is there too");
    let mode = fs::metadata(root.join("etc/shop-keys/password"))?.permissions().mode();
    ensure!(mode & 0o777 == 0o400, "{mode:o}");
    // As the kubelet does it.
    ensure!(fs::read_link(root.join("etc/shop/greeting"))? == Path::new("..data/greeting"));
    let first = fs::read_link(root.join("etc/shop/..data"))?;

    let patch = r#"{"data": {"greeting": "good evening", "goes": null, "comes": "now"}}"#;
    ns.kubectl(&["patch", "configmap", "settings", "--type=merge", "-p", patch]).await?;
    session.find("volume_refreshed", |event| event["mount"] == "/etc/shop").await?;
    ensure!(read("etc/shop/greeting")? == "good evening" && read("etc/shop/comes")? == "now");
    ensure!(fs::symlink_metadata(root.join("etc/shop/goes")).is_err(), "a key that is gone");
    ensure!(
        fs::read_link(root.join("etc/shop/..data"))? != first
            && !root.join("etc/shop").join(&first).exists()
    );
    session.find("volume_refreshed", |event| event["mount"] == "/var/run/mixed").await?;
    ensure!(read("var/run/mixed/deep/er/greeting")? == "good evening");

    let volumes = files(&ns, &["list"]).await?;
    let rows = volumes.as_array().context("rows")?;
    let shop = rows.iter().find(|row| row["mount_path"] == "/etc/shop").context("/etc/shop")?;
    ensure!(
        shop["kind"] == "config_map" && shop["handling"] == "copied" && shop["files"] == 3,
        "{shop}"
    );
    ensure!(
        shop["read_only"] == true && shop["error"].is_null() && shop["fresh_at"].is_string(),
        "{shop}"
    );
    ensure!(rows.len() == 7, "{volumes}");

    session.stop().await?;
    ensure!(!directory.exists(), "{} stays", directory.display());
    ns.comes_back("Deployment", "web", &before, 1).await
}

#[tokio::test]
async fn they_are_planned_and_can_be_left_out() -> Result<()> {
    let ns = Namespace::create("volumes-none").await?;
    deploy(&ns).await?;
    let finished =
        ns.run(&["plan", "deployment/web", "-c", "main", "-n", &ns.name, "-o", "json"]).await?;
    let plan: serde_json::Value = serde_json::from_str(&finished.stdout)?;
    let planned: Vec<(String, String)> = plan["volumes"]
        .as_array()
        .context("volumes")?
        .iter()
        .map(|volume| (volume["mount_path"].to_string(), volume["handling"].to_string()))
        .collect();
    let handling = |path: &str| {
        let path = format!("\"{path}\"");
        planned.iter().find(|(mount, _)| *mount == path).map(|(_, handling)| handling.as_str())
    };
    ensure!(
        handling("/data") == Some("\"on_demand\"") && handling("/etc/shop") == Some("\"copied\""),
        "{planned:?}"
    );
    ensure!(handling("/var/run/secrets/kubernetes.io/serviceaccount") == Some("\"copied\""));
    let text = ns.run(&["plan", "deployment/web", "-c", "main", "-n", &ns.name]).await?.stdout;
    ensure!(text.contains("/etc/shop-keys") && text.contains("secret keys"), "{text}");

    let mut session = ns.connect(&["deployment/web", "-c", "main", "--volumes", "none"], &[])?;
    let event = session.event("connected").await?;
    let env_file = event["env_file"].as_str().context("an env file")?;
    ensure!(!fs::read_to_string(env_file)?.contains("TOWLINE_ROOT"));
    ensure!(!Path::new(env_file).with_file_name("root").exists());
    session.stop().await?;
    Ok(())
}
