//! What can be wrong with what is asked for.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::{Value, json};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::{app, eventually, here, image};

async fn populate(ns: &Namespace) -> Result<()> {
    let http = || app::container(app::HTTP, 8080);
    let mut paused = app::deployment("paused", 1, &[http()]);
    paused["spec"]["paused"] = true.into();
    let mut selectorless = app::service("selectorless", 80, 8080);
    selectorless["spec"].as_object_mut().context("a spec")?.remove("selector");
    let mut external = selectorless.clone();
    external["metadata"]["name"] = "external".into();
    external["spec"] = json!({"type": "ExternalName", "externalName": "elsewhere.example"});
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "report"},
        "spec": {"template": {"spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": image::BUSYBOX, "command": ["/bin/busybox", "sleep", "3600"]}],
        }}},
    });
    let mut sidecar = http();
    sidecar["name"] = "sidecar".into();
    sidecar["command"][4] = "9090".into();
    sidecar["ports"] = json!([]);
    sidecar["readinessProbe"] = Value::Null;
    ns.apply([
        paused,
        app::service("paused", 80, "http"),
        app::deployment("asleep", 0, &[http()]),
        app::service("asleep", 80, "http"),
        app::service("nobody", 80, "http"),
        selectorless,
        external,
        job,
        app::deployment("two", 1, &[http(), sidecar]),
    ])
    .await?;
    ns.http_app("web", 1).await?;
    ns.ready("two", 1).await
}

#[tokio::test]
async fn targets_that_cannot_be_redirected() -> Result<()> {
    let ns = Namespace::create("targets").await?;
    populate(&ns).await?;
    let of_the_job = ListParams::default().labels("job-name=report");
    let pod = eventually("the job's pod runs", || async {
        let pods = ns.api::<Pod>().list(&of_the_job).await?.items;
        let running = |pod: &Pod| {
            pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running")
        };
        Ok(pods.into_iter().find(running))
    });
    let pod = format!("pod/{}", pod.await?.name_any());
    let before = ns.fingerprint().await?;

    let cases: [(&[&str], &str, &[&str]); 14] = [
        (&["nothing"], "target_unknown", &["nothing", &ns.name]),
        (&["service/nothing"], "target_unknown", &["nothing", &ns.name]),
        (&["deployment/nothing"], "target_unknown", &["nothing", &ns.name]),
        (&["pod/nothing"], "target_unknown", &["nothing", &ns.name]),
        (&["statefulset/web"], "target_unknown", &["web", &ns.name]),
        (&["web", "--container", "nothing"], "container_unknown", &["nothing", "main"]),
        (&["deployment/two"], "container_unknown", &["main", "sidecar"]),
        (&["web", "--port", "nothing:8080"], "port_unknown", &["nothing", "http"]),
        (&["selectorless"], "target_unsuitable", &["selectorless", "selector"]),
        (&["external"], "target_unsuitable", &["external"]),
        (&["nobody"], "target_unsuitable", &["nobody", "pods"]),
        (&["deployment/paused"], "target_unsuitable", &["paused"]),
        (&["asleep"], "target_unsuitable", &["asleep"]),
        (&[&pod], "target_unsuitable", &["Job", "report"]),
    ];
    for (arguments, code, named) in cases {
        let finished = ns.connect_and_finish(arguments, &[]).await?;
        finished
            .refused(code, 2, named)
            .with_context(|| format!("connect {}", arguments.join(" ")))?;
    }
    for (target, verb) in [("deployment/paused", "resume"), ("deployment/asleep", "scale")] {
        let report = ns.connect_and_finish(&[target], &[]).await?.report()?;
        ensure!(report["hint"].to_string().contains(verb), "{target}: {report:#}");
    }
    let plan = ns.run(&["plan", "web", "-n", "nowhere-at-all", "-o", "json"]).await?;
    plan.refused("namespace_unknown", 2, &["nowhere-at-all"])?;
    ns.connect_and_finish(&["web", "--namespaces", "nowhere-at-all"], &[]).await?.refused(
        "namespace_unknown",
        2,
        &["nowhere-at-all"],
    )?;
    ns.unchanged(&before).await
}

#[tokio::test]
async fn arguments_that_make_no_sense() -> Result<()> {
    let ns = Namespace::create("arguments").await?;
    ns.http_app("web", 1).await?;
    let before = ns.fingerprint().await?;
    let cases: [&[&str]; 6] = [
        &["job/web"],
        &["Web!"],
        &["web", "--port", "0"],
        &["web", "--port", "80:81:82"],
        &["web", "--lease", "0s"],
        &["web", "--timeout", "soon"],
    ];
    for arguments in cases {
        let finished = ns.connect_and_finish(arguments, &[]).await?;
        let wrong = arguments[arguments.len() - 1];
        ensure!(finished.status.code() == Some(2), "{arguments:?}: {finished:?}");
        ensure!(
            finished.stderr.contains(wrong) || finished.stdout.contains(wrong),
            "{arguments:?}: {finished:?}"
        );
    }

    let port = here::free_port().await?;
    let taken = std::net::TcpListener::bind(("127.0.0.1", port))?;
    let (mapping, port) = (format!("8080:{port}"), port.to_string());
    ns.connect_and_finish(&["web", "--port", &mapping], &["true"]).await?.refused(
        "local_port_taken",
        2,
        &[&port],
    )?;
    drop(taken);

    let twice = ns
        .connect_and_finish(
            &["web", "--port", &mapping, "--port", &format!("9090:{port}")],
            &["true"],
        )
        .await?;
    twice.refused("port_unknown", 2, &[&port])?;

    let precious = ns.home.path().join("precious");
    std::fs::write(&precious, "KEY=mine\n")?;
    let path = precious.to_string_lossy();
    let finished = ns.connect_and_finish(&["web", "--env-file", &path], &["true"]).await?;
    finished.refused("input", 2, &[&path])?;
    ensure!(
        std::fs::read_to_string(&precious)? == "KEY=mine\n",
        "a file of the user was overwritten"
    );
    ns.unchanged(&before).await
}
