//! This machine's side through the window: names with administrator rights and without, ports that somebody has, volumes.
//!
//! The hosts file of the machine that the tests run on is nobody's to change: the application has another one in its place, in a mount namespace of its own.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::Mutex;
use towline_cluster_tests::app::{HTTP, container, deployment, service};
use towline_cluster_tests::eventually;
use towline_cluster_tests::namespace::Namespace;
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::{Desktop, application as under_test};
use towline_desktop_tests::kubeconfig::for_window;
use towline_desktop_tests::process;
use towline_desktop_tests::steps::{Program, review, session};
use towline_desktop_tests::window::mark;

/// Sessions by names, one after another: each has a hosts file of its own here, and so would not see which addresses the other one has.
static BY_NAMES: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn with_administrator_rights_the_names_are_this_machines_own() -> Result<()> {
    let _alone = BY_NAMES.lock().await;
    let namespace = Namespace::create("window-names").await?;
    namespace.http_app("web", 1).await?;
    namespace.http_app("other", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let desktop = Desktop::start().await?.with_hosts_file()?;
    let hosts = || fs::read_to_string(desktop.hosts_file());
    let as_it_was = hosts()?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    window.fill_in(&Program::sleeping().await?).await?;
    window.by_names().await?;
    let full = format!("other.{}.svc.cluster.local", namespace.name);
    let line = mark("launch-review");
    window.text(&line, |text| text.contains(&full) && text.contains("/etc/hosts")).await?;
    window.picture("hosts-lines").await?;
    // The tests run as root, so nobody is asked.
    window.connect().await?;
    window.content(&mark("foot-helper"), |text| text.contains("Running")).await?;
    let written = hosts()?;
    ensure!(written.starts_with(&as_it_was) && written.contains(&full), "{written}");

    window.click(&mark("tab-dns")).await?;
    let row = mark("listener").with("data-service", "other");
    let told = window.content(&row, |text| text.contains("127.77.")).await?;
    ensure!(told.contains(&full) && told.contains(":80"), "name, address and port: {told}");
    window.reaches("other").await?;
    window.picture("dns").await?;
    // A program outside Towline on this machine finds it, by its name and on its own port.
    let answer = eventually("an answer by name", || async {
        let answer = desktop.run_beside(application.id, "curl", &["-sf", "http://other/"]).await?;
        Ok(Some(answer))
    })
    .await?;
    ensure!(answer.starts_with("cluster other-"), "{answer}");

    window.stop().await?;
    ensure!(hosts()? == as_it_was, "the hosts file is what it was: {}", hosts()?);
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await?;
    window.content(&mark("foot-helper"), |text| text.contains("Not needed")).await?;
    application.terminate().await
}

#[tokio::test]
async fn without_the_helper_nothing_is_changed_and_the_other_mode_is_a_click_away() -> Result<()> {
    let _alone = BY_NAMES.lock().await;
    let namespace = Namespace::create("window-no-names").await?;
    namespace.http_app("web", 1).await?;
    let before = namespace.workload("Deployment", "web").await?;
    let kubeconfig = for_window(&namespace, "sandbox").await?;
    let desktop = Desktop::start().await?.with_hosts_file()?;
    let as_it_was = fs::read_to_string(desktop.hosts_file())?;
    // Alone in its directory: the helper's program is looked for beside it.
    let alone = desktop.home.path().join("towline-app");
    fs::copy(under_test()?, &alone)?;
    let application = Application::start_program(&desktop, &alone, &kubeconfig).await?;
    let window = &application.window;
    window.pick_cluster("sandbox").await?;
    window.redirect("web").await?;
    window.fill_in(&Program::sleeping().await?).await?;
    window.by_names().await?;
    window.click(&mark("launch-connect")).await?;
    let told = window.text(&mark("launch-failed"), |text| text.contains("not installed")).await?;
    ensure!(told.contains("towline-helper"), "{told}");
    window.picture("no-helper").await?;
    ensure!(namespace.workload("Deployment", "web").await? == before, "nothing was changed");
    ensure!(fs::read_to_string(desktop.hosts_file())? == as_it_was, "the hosts file neither");

    window.click(&mark("launch-without-rights")).await?;
    window.find(&review("ready")).await?;
    window.connect().await?;
    window.stop().await?;
    namespace.comes_back("Deployment", "web", &before, 1).await?;
    namespace.nothing_left().await?;
    application.terminate().await
}

#[tokio::test]
async fn a_port_is_freed_on_the_users_word() -> Result<()> {
    let namespace = Namespace::create("window-port").await?;
    namespace.http_app("web", 1).await?;
    // Deaf to SIGTERM, so that the second question comes.
    let deaf = "import signal,socket;signal.signal(signal.SIGTERM,signal.SIG_IGN);s=socket.create_server(('127.0.0.1',0));print(s.getsockname()[1],flush=True);signal.pause()";
    let mut holder = process::command("python3")
        .args(["-c", deaf])
        .stdout(Stdio::piped())
        .spawn()
        .context("start a program that listens")?;
    let output = holder.stdout.take().context("its output")?;
    let line = BufReader::new(output).lines().next_line().await?.context("its port")?;
    let local: u16 = line.trim().parse()?;

    let desktop = Desktop::start().await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    window.fill_in(&Program { local, ..Program::sleeping().await? }).await?;
    window.find(&review("blocked")).await?;
    let taken = mark("launch-taken").with("data-port", &local.to_string());
    let pid = holder.id().context("it runs")?.to_string();
    let told = window.content(&taken, |text| text.contains(&pid)).await?;
    ensure!(told.contains("python3") && told.contains("of you"), "who holds it: {told}");
    window.picture("port-taken").await?;
    window.click(&mark("launch-stop-holder").inside(&taken)).await?;
    window.text(&mark("stop-dialog"), |text| text.contains(&pid)).await?;
    window.click(&mark("stop-confirm")).await?;
    // It has its time, and then the user is asked once more.
    window.text(&mark("stop-dialog"), |text| text.contains("still runs")).await?;
    ensure!(holder.try_wait()?.is_none(), "it goes on until the user says so again");
    window.click(&mark("stop-kill")).await?;
    window.find(&review("ready")).await?;
    holder.wait().await?;
    application.terminate().await
}

/// Keeps the pod's volume in sight: `cat PATH` over its port.
const KEEPER: &str = "import time\nwhile True: time.sleep(3600)";

#[tokio::test]
async fn volumes_are_files_of_this_machine() -> Result<()> {
    let namespace = Namespace::create("window-volumes").await?;
    let mut main = container(HTTP, 8080);
    main["volumeMounts"] = json!([
        {"name": "settings", "mountPath": "/etc/web", "readOnly": true},
        {"name": "data", "mountPath": "/data"},
    ]);
    let mut keeper = container(KEEPER, 9);
    keeper["name"] = "keeper".into();
    for field in ["ports", "readinessProbe"] {
        keeper.as_object_mut().context("a container")?.remove(field);
    }
    keeper["volumeMounts"] = json!([{"name": "data", "mountPath": "/data"}]);
    let mut filler = keeper.clone();
    filler["name"] = "filler".into();
    let fill = "import os\nos.makedirs('/data/reports')\nopen('/data/reports/a.txt','w').write('from the pod')\nopen('/data/b.txt','w').write('b')\nos.chmod('/data/reports/a.txt',0o666)\nos.chmod('/data/reports',0o777)";
    filler["command"] = json!(["python3", "-c", fill]);
    let mut web = deployment("web", 1, &[main, keeper]);
    web["spec"]["template"]["spec"]["initContainers"] = json!([filler]);
    web["spec"]["template"]["spec"]["volumes"] = json!([
        {"name": "settings", "configMap": {"name": "web"}},
        {"name": "data", "emptyDir": {}},
    ]);
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"greeting": "hello there"}});
    namespace.apply([settings, web, service("web", 80, "http")]).await?;
    namespace.ready("web", 1).await?;

    let desktop = Desktop::start().await?;
    let application = Application::launching(&desktop, &namespace, "web").await?;
    let window = &application.window;
    window.prepare(&Program::sleeping().await?).await?;
    window.connect().await?;
    window.click(&mark("tab-volumes")).await?;

    let volume = |path: &str| mark("volume").with("data-path", path);
    window.find(&volume("/etc/web").with("data-state", "fresh")).await?;
    let greeting = below(&desktop, "etc/web/greeting").await?;
    ensure!(fs::read_to_string(&greeting)? == "hello there", "the config map's file");

    let data = volume("/data");
    window.click(&mark("volume-measure").inside(&data)).await?;
    window.content(&mark("volume-size").inside(&data), |text| text.contains("2 files")).await?;
    window.click(&mark("volume-fetch").inside(&data)).await?;
    let reports = mark("volume-entry").with("data-name", "reports");
    window.click(&reports.clone().child("input")).await?;
    window.picture("volume-picker").await?;
    window.click(&mark("volume-fetch-chosen")).await?;
    window.find(&volume("/data").with("data-state", "fetched")).await?;
    let report = below(&desktop, "data/reports/a.txt").await?;
    ensure!(fs::read_to_string(&report)? == "from the pod");
    ensure!(!report.with_file_name("../b.txt").exists(), "only what was chosen");

    fs::write(&report, "from here")?;
    window.click(&mark("volume-write").inside(&data)).await?;
    let file = mark("write-file").with("data-path", "reports/a.txt");
    window.click(&file.child("input")).await?;
    window.click(&mark("write-confirm")).await?;
    window.gone(&mark("write-dialog")).await?;
    window.picture("volumes").await?;
    let pods = namespace.pods("web").await?;
    let pod = pods.iter().find(|pod| pod.metadata.deletion_timestamp.is_none());
    let pod = pod.and_then(|pod| pod.metadata.name.clone()).context("a pod")?;
    let read = "print(open('/data/reports/a.txt').read(), end='')";
    let read = ["exec", &pod, "-c", "keeper", "--", "python3", "-c", read];
    ensure!(namespace.kubectl(&read).await? == "from here", "it is in the pod");

    window.click(&mark("session-stop")).await?;
    window.find(&session("ended")).await?;
    ensure!(!report.exists() && !greeting.exists(), "the files are wiped");
    application.terminate().await
}

/// The file of the session's root that ends so.
async fn below(desktop: &Desktop, end: &str) -> Result<std::path::PathBuf> {
    let tail = format!("root/{end}");
    eventually(&format!("a file {tail}"), || async {
        let mut directories = vec![desktop.home.path().join("run")];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory)?.flatten() {
                let path = entry.path();
                // A config map's files are links, as the kubelet makes them.
                if path.ends_with(&tail) && path.exists() {
                    return Ok(Some(path));
                }
                if entry.file_type()?.is_dir() {
                    directories.push(path);
                }
            }
        }
        Ok(None)
    })
    .await
}
