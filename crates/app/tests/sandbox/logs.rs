//! The logs of pods that are in no session.

use anyhow::{Context, Result, ensure};
use towline_app::view::{LogSource, PodLogQuery};
use towline_cluster_tests::app::{container, deployment, service};
use towline_cluster_tests::eventually;

use crate::scene::{Scene, failed};

/// Counts aloud, in colour, and listens on its port so that it is Ready.
const COUNTS: &str = r#"
import socket, sys, time
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
number = 0
while True:
    print(f"\x1b[32mcount\x1b[0m {number}")
    number += 1
    time.sleep(0.1)
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the sandbox"]
async fn all_pods_of_a_workload_are_followed_also_those_that_come_later() -> Result<()> {
    let scene = Scene::new("app-logs").await?;
    let objects = [deployment("web", 2, &[container(COUNTS, 8080)]), service("web", 80, "http")];
    scene.ns.apply(objects).await?;
    scene.ns.ready("web", 2).await?;
    let query = |target: &str| PodLogQuery {
        context: "any".into(),
        namespace: scene.ns.name.clone(),
        target: target.into(),
        container: None,
    };
    let log = scene.logs.open_pod_log(query("deployment/web")).await.map_err(failed)?;
    let origins = || async {
        let lines = scene.lines(&log, LogSource::Pod)?;
        let mut origins: Vec<String> = lines.into_iter().map(|line| line.origin).collect();
        origins.sort_unstable();
        origins.dedup();
        Ok::<_, anyhow::Error>(origins)
    };
    let two = eventually("two pods in the log", || async {
        let origins = origins().await?;
        Ok((origins.len() == 2).then_some(origins))
    })
    .await?;
    // Each line once and in its order, from the first on, without its colour.
    let lines = scene.lines(&log, LogSource::Pod)?;
    for pod in &two {
        let own = lines.iter().filter(|line| line.origin == *pod);
        let texts: Vec<String> = own.map(|line| line.text.clone()).collect();
        let expected: Vec<String> =
            (0..texts.len()).map(|number| format!("count {number}")).collect();
        ensure!(texts == expected, "{pod}: {texts:?}");
    }

    scene.ns.kubectl(&["delete", "pod", &two[0], "--wait=false"]).await?;
    eventually("the pod that comes after", || async {
        Ok(origins().await?.iter().any(|pod| !two.contains(pod)).then_some(()))
    })
    .await?;
    scene.logs.close_pod_log(&log);
    ensure!(scene.lines(&log, LogSource::Pod).is_err());

    let one = scene.logs.open_pod_log(query(&format!("pod/{}", two[1]))).await.map_err(failed)?;
    let line = scene.line(&one, LogSource::Pod, "count 3").await?;
    ensure!(line.origin == two[1] && line.number == 3, "{line:?}");
    let behind = scene.logs.open_pod_log(query("service/web")).await.map_err(failed)?;
    scene.line(&behind, LogSource::Pod, "count").await?;
    let unknown = scene.logs.open_pod_log(query("statefulset/web")).await;
    ensure!(unknown.is_err_and(|report| report.code == "target_unknown"));
    Ok(())
}

/// A container that crashes again and again: every run is in the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the sandbox"]
async fn a_container_that_is_restarted_is_followed_on() -> Result<()> {
    let scene = Scene::new("app-crash").await?;
    let crashes = "import time; print('begun', time.time()); time.sleep(1); print('over'); raise SystemExit(1)";
    let mut crashing = container(crashes, 8080);
    crashing.as_object_mut().context("an object")?.remove("readinessProbe");
    scene.ns.apply([deployment("web", 1, &[crashing])]).await?;
    eventually("a pod", || async { Ok((scene.ns.pods("web").await?.len() == 1).then_some(())) })
        .await?;
    let query = PodLogQuery {
        context: "any".into(),
        namespace: scene.ns.name.clone(),
        target: "deployment/web".into(),
        container: None,
    };
    let log = scene.logs.open_pod_log(query).await.map_err(failed)?;
    let runs = eventually("two runs", || async {
        let lines = scene.lines(&log, LogSource::Pod)?;
        let runs: Vec<String> = lines
            .into_iter()
            .map(|line| line.text)
            .filter(|text| text.starts_with("begun"))
            .collect();
        Ok((runs.len() >= 2).then_some(runs))
    })
    .await?;
    ensure!(runs[0] != runs[1], "the same run twice: {runs:?}");
    Ok(())
}
