//! Sessions from a project file: `towline.yaml`, and Bridge to Kubernetes' own.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::shop::{deploy, gateway, shop};
use towline_cluster_tests::towline::{Connected, Finished, run};
use towline_cluster_tests::{eventually, towline};

/// A program that writes some of its variables, and where it runs, into the file of its first argument, and waits to be stopped.
const DUMP: &str = r#"
import json, os, signal, sys
with open(sys.argv[1] + ".part", "w") as file:
    json.dump({"environment": dict(os.environ), "directory": os.getcwd(), "arguments": sys.argv[2:]}, file)
os.rename(sys.argv[1] + ".part", sys.argv[1])
signal.pause()
"#;

/// `towline` as it is run in `directory`.
fn at(
    namespace: &Namespace,
    directory: &Path,
    arguments: &[&str],
) -> Result<tokio::process::Command> {
    let mut command = namespace.towline(arguments)?;
    command.current_dir(directory);
    Ok(command)
}

/// What the program wrote.
async fn dumped(file: &Path) -> Result<Value> {
    eventually("the program writes its variables", || async {
        Ok(std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    })
    .await
}

fn refused(finished: &Finished, parts: &[&str]) -> Result<()> {
    let said = format!("{}{}", finished.stderr, finished.stdout);
    ensure!(finished.status.code() == Some(2), "{:?}: {said}", finished.status);
    for part in parts {
        ensure!(said.contains(part), "'{part}' is not said: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_session_is_what_the_project_file_says() -> Result<()> {
    let namespace = Namespace::create("project").await?;
    deploy(&namespace).await?;
    let before = namespace.workload("Deployment", "orders").await?;
    let project = tempfile::tempdir()?;
    std::fs::create_dir_all(project.path().join(".git"))?;
    std::fs::create_dir_all(project.path().join("src/deep"))?;
    std::fs::write(project.path().join("src/dump.py"), DUMP)?;
    let out = project.path().join("out.json");
    let port = free_port().await?;
    let text = format!(
        r#"
target: deployment/orders
namespace: {namespace}
names: variables
ports: [http:{port}]
exclude: [greeter]
program:
  command: python3 dump.py {out}
  arguments: [--edition, 7]
  workingDirectory: src
environment:
  EDITION: project
  CATALOGUE_URL: http://${{service:catalogue.address}}/all
  REDIS_PORT_HERE: ${{service:redis:redis.port}}
  SETTINGS: ${{volume:/etc/orders/settings.json}}
  KEYS: ${{volume:keys}}
  LOGIN: orders:${{env:REDIS_PASSWORD}}
  PLAIN: $${{HOME}}
  GREETING:
envFile: session.env
"#,
        namespace = namespace.name,
        out = out.display(),
    );
    std::fs::write(project.path().join("towline.yaml"), text)?;

    let command = at(&namespace, &project.path().join("src/deep"), &["connect", "-o", "json"])?;
    let mut session = Connected::start(command)?;
    let connected = session.event("connected").await?;
    ensure!(session.stderr().contains("towline.yaml"), "it says which file: {}", session.stderr());
    let dump = dumped(&out).await?;
    let variable = |name: &str| dump["environment"][name].as_str().unwrap_or("(none)").to_owned();
    ensure!(
        dump["directory"] == project.path().join("src").display().to_string(),
        "{}",
        dump["directory"]
    );
    ensure!(dump["arguments"] == serde_json::json!(["--edition", "7"]), "{}", dump["arguments"]);
    ensure!(variable("EDITION") == "project" && variable("PLAIN") == "${HOME}");
    ensure!(dump["environment"]["GREETING"].is_null(), "GREETING stays this machine's");
    let password = namespace_secret(&namespace).await?;
    ensure!(variable("LOGIN") == format!("orders:{password}"), "LOGIN has the secret's value");
    ensure!(
        variable("SETTINGS").ends_with("/etc/orders/settings.json"),
        "{}",
        variable("SETTINGS")
    );
    ensure!(Path::new(&variable("KEYS")).is_dir(), "{}", variable("KEYS"));
    // The values lead to what they say.
    let url = variable("CATALOGUE_URL");
    let local =
        url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/all")).unwrap().to_owned();
    let catalogue = std::net::TcpStream::connect(&local);
    ensure!(catalogue.is_ok(), "{local}: {catalogue:?}");
    let redis: u16 = variable("REDIS_PORT_HERE").parse()?;
    std::net::TcpStream::connect(("127.0.0.1", redis))?;
    // Everywhere the same: the env file, and what `towline env` prints.
    let env_file = std::fs::read_to_string(project.path().join("session.env"))?;
    ensure!(env_file.contains("EDITION=project"), "{env_file}");
    ensure!(
        connected["env_file"] == project.path().join("session.env").display().to_string(),
        "{connected}"
    );
    let printed = namespace.run(&["env", "-o", "json"]).await?;
    let printed: Value = serde_json::from_str(&printed.stdout)?;
    let of = |name: &str| {
        printed
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"] == name)
            .cloned()
            .unwrap_or_default()
    };
    ensure!(of("EDITION")["origin"]["from"] == "project", "{}", of("EDITION"));
    ensure!(of("LOGIN")["origin"]["secret"] == true, "made of a secret");
    let dns = namespace.run(&["dns"]).await?;
    ensure!(!dns.stdout.contains("greeter"), "left out: {}", dns.stdout);
    let diagnosis = diagnosed(&namespace, project.path()).await?;
    ensure!(!diagnosis.contains(&password), "a secret is in the report");

    session.stop().await?;
    ensure!(
        namespace.workload("Deployment", "orders").await? == before,
        "orders is not what it was"
    );
    namespace.nothing_left().await
}

/// What `towline diagnostics` says of the session; the value is its report.
async fn diagnosed(namespace: &Namespace, directory: &Path) -> Result<String> {
    let report = directory.join("report.txt");
    let file = report.display().to_string();
    let finished = namespace.run(&["diagnostics", "--bundle", &file, "-o", "json"]).await?;
    let findings: Value = serde_json::from_str(&finished.stdout)?;
    let session = &findings["sessions"][0];
    let rows = session["dns"].as_array().unwrap();
    let row =
        rows.iter().find(|row| row["of"].as_str().unwrap().starts_with("catalogue.")).unwrap();
    ensure!(row["test"]["outcome"] == "ok", "{row}");
    ensure!(row["target"].as_str().is_some_and(|target| target.ends_with(":8080")), "{row}");
    let names: Vec<&str> = session["environment"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    ensure!(names.contains(&"REDIS_PASSWORD") && names.contains(&"EDITION"), "{names:?}");
    let again = namespace.run(&["diagnostics", "--bundle", &file, "--offline"]).await?;
    refused(&again, &["cannot be written", "not there yet"])?;
    Ok(std::fs::read_to_string(report)?)
}

async fn namespace_secret(namespace: &Namespace) -> Result<String> {
    use k8s_openapi::api::core::v1::Secret;
    let secret = namespace.api::<Secret>().get("redis").await?;
    let value = secret.data.unwrap_or_default().remove("password").unwrap();
    Ok(String::from_utf8(value.0)?)
}

#[tokio::test]
async fn a_file_of_bridge_to_kubernetes_is_read_as_it_is() -> Result<()> {
    let namespace = Namespace::create("bridge").await?;
    deploy(&namespace).await?;
    let project = tempfile::tempdir()?;
    std::fs::write(project.path().join("dump.py"), DUMP)?;
    let out = project.path().join("out.json");
    let text = "\
version: 0.1
volumeMounts:
  - name: settings
    localPath: /etc/orders
env:
  - name: CATALOGUE_HOST
    value: $(services:catalogue)
  - name: SETTINGS
    value: $(volumeMounts:sett*)/settings.json
  - name: DEBUG_MODE
    value: \"true\"
enableFeatures: [Probes]
";
    let file = project.path().join("KubernetesLocalProcessConfig.yaml");
    std::fs::write(&file, text)?;

    // It says no target; found or named, that is told.
    refused(
        &towline::run(at(&namespace, project.path(), &["connect"])?).await?,
        &["says no target", "--project"],
    )?;
    let port = format!("http:{}", free_port().await?);
    let arguments = [
        "connect",
        "orders",
        "--project",
        "KubernetesLocalProcessConfig.yaml",
        "-n",
        &namespace.name,
        "--no-admin",
        "--port",
        &port,
        "-o",
        "json",
        "--",
        "python3",
        "dump.py",
        out.to_str().unwrap(),
    ];
    let mut session = Connected::start(at(&namespace, project.path(), &arguments)?)?;
    session.event("connected").await?;
    let dump = dumped(&out).await?;
    let variable = |name: &str| dump["environment"][name].as_str().unwrap_or("(none)").to_owned();
    ensure!(variable("CATALOGUE_HOST") == "127.0.0.1", "{}", variable("CATALOGUE_HOST"));
    ensure!(
        variable("SETTINGS").ends_with("/etc/orders/settings.json"),
        "{}",
        variable("SETTINGS")
    );
    ensure!(variable("DEBUG_MODE") == "true");
    let said = session.stderr();
    for part in [
        "warning: volumeMounts",
        "Probes has no equivalent",
        "using KubernetesLocalProcessConfig.yaml",
    ] {
        ensure!(said.contains(part), "'{part}' is not said: {said}");
    }
    session.stop().await?;

    let imported = run(at(&namespace, project.path(), &["project", "import"])?).await?;
    ensure!(
        imported.stdout.contains("CATALOGUE_HOST: ${service:catalogue.ip}"),
        "{}",
        imported.stdout
    );
    std::fs::write(
        project.path().join("towline.yaml"),
        format!("{}target: orders\n", imported.stdout),
    )?;
    let checked = run(at(&namespace, project.path(), &["project", "check"])?).await?;
    ensure!(
        checked.status.success() && checked.stdout.contains("towline.yaml makes sense"),
        "{checked:?}"
    );
    namespace.nothing_left().await
}

#[tokio::test]
async fn what_leads_to_nothing_is_refused_before_anything_is_changed() -> Result<()> {
    let namespace = Namespace::create("nothing").await?;
    deploy(&namespace).await?;
    let before = namespace.workload("Deployment", "orders").await?;
    let project = tempfile::tempdir()?;
    let port = free_port().await?;
    for (value, parts) in [
        (
            "${service:catalog}",
            &["line 6, column 6", "leads to nothing", "Did you mean catalogue?"][..],
        ),
        ("${service:catalogue.billing}", &["no services of namespace billing", "namespaces: ["]),
        ("${service:catalogue:grpc.port}", &["has the ports 8080 (http)"]),
        ("${volume:/etc/shop}", &["has the volumes /etc/orders (settings)"]),
        ("${externalHost:db.example.com}", &["is not among externalHosts"]),
    ] {
        let text = format!(
            "target: orders\nnamespace: {}\nnames: variables\nports: [http:{port}]\nenvironment:\n  A: {value}\nprogram:\n  command: 'true'\n",
            namespace.name
        );
        std::fs::write(project.path().join("towline.yaml"), text)?;
        refused(&run(at(&namespace, project.path(), &["connect"])?).await?, parts)?;
    }
    // What only the image could set is known when the container is looked into.
    let text = format!(
        "target: orders\nnamespace: {}\nnames: variables\nports: [http:{port}]\nenvironment:\n  A: ${{env:REDIS_PASSWORT}}\nprogram:\n  command: 'true'\n",
        namespace.name
    );
    std::fs::write(project.path().join("towline.yaml"), text)?;
    let planned = run(at(&namespace, project.path(), &["plan"])?).await?;
    ensure!(planned.status.success(), "{planned:?}");
    for part in ["nothing in the pod's spec sets it", "Did you mean REDIS_PASSWORD?"] {
        ensure!(planned.stderr.contains(part), "'{part}' is not said: {planned:?}");
    }
    // Its container can be looked into, so the workload is not even touched.
    let finished = run(at(&namespace, project.path(), &["connect", "-o", "json"])?).await?;
    ensure!(!finished.status.success(), "{finished:?}");
    ensure!(
        finished.stdout.contains("no such variable") && finished.stdout.contains("REDIS_PASSWORD"),
        "{finished:?}"
    );
    ensure!(!finished.stdout.contains(r#""step":"patch""#), "{finished:?}");
    ensure!(
        namespace.workload("Deployment", "orders").await? == before,
        "orders is not what it was"
    );
    let overview = gateway(&namespace, "/", None).await?;
    ensure!(overview["orders"].is_object(), "{overview}");
    ensure!(shop().is_dir());
    namespace.nothing_left().await
}
