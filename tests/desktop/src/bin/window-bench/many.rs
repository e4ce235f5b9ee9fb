//! A cluster of five thousand pods and five hundred services.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::process::{Child, Command};
use towline_cluster_tests::namespace::Namespace;
use towline_desktop_tests::application::Application;
use towline_desktop_tests::desktop::Desktop;
use towline_desktop_tests::kubeconfig::for_window;
use towline_desktop_tests::window::{Mark, Window, mark};

use crate::crowd::{Crowd, Size};
use crate::processes::{Family, report_cpu};
use crate::report::{Report, greatest, median, milliseconds, number};
use crate::{changes, page, sweep};

/// How often the cluster is picked for each figure.
const ROUNDS: usize = 5;

/// After this time the window has settled.
const SETTLED: Duration = Duration::from_secs(5);

/// How long the idle window is watched.
const IDLE: Duration = Duration::from_secs(20);

/// The first row of services.
const ROW: &str = "document.querySelector('[data-testid=row][data-name]') !== null";

/// The first row of pods.
const POD: &str =
    "document.querySelector('[data-testid=table].pods [data-testid=row][data-name]') !== null";

/// Makes the cluster, measures, and removes it.
pub(crate) async fn measure(size: Size, report: &mut Report) -> Result<()> {
    let namespace = sweep::namespace().await?;
    let start = Instant::now();
    let crowd = Crowd::create(&namespace, size).await?;
    eprintln!("made in {:.0} s", start.elapsed().as_secs_f64());
    let desktop = Desktop::start().await?;
    let kubeconfig = for_window(&namespace, "bench").await?;
    let application = Application::start(&desktop, &kubeconfig).await?;
    let window = &application.window;
    let family = Family::of(application.id)?;
    family.report_memory("driven, before any cluster", report)?;

    picks(window, &namespace, size, report).await?;
    page::expect(window, POD).await?;
    window.click(&mark("tab-pods")).await?;
    let time = page::since_click(window).await?;
    report.add("from Services to Pods, first rows", format!("{time:.0} ms"));

    let what = format!("{} pods, {} services", size.pods, size.services);
    tokio::time::sleep(SETTLED).await;
    family.report_memory(&what, report)?;
    let sum = report_cpu(&family.cpu_during(IDLE).await?, &format!("idle, {what}"), report);
    report.target(sum < 1.0, "below 1 %");

    let kubectl = watch(&namespace)?;
    changes::measure(window, &family, &crowd, kubectl, report).await?;
    family.report_memory("after the changes", report)?;
    application.terminate().await?;
    sweep::remove(namespace).await
}

/// From picking the cluster to the first rows, and to all pods.
async fn picks(
    window: &Window,
    namespace: &Namespace,
    size: Size,
    report: &mut Report,
) -> Result<()> {
    let all = format!(
        "document.querySelector('[data-testid=tab-pods]')?.textContent.replace(/\\D/g, '') === '{}'",
        size.pods
    );
    let mut pick = mark("context-connect").with("data-context", "bench");
    let mut times = [Vec::new(), Vec::new()];
    for (condition, times) in [ROW, &all].into_iter().zip(&mut times) {
        for _ in 0..ROUNDS {
            times.push(time_of(window, &pick, condition).await?);
            disconnect(window).await?;
            pick = mark("cluster-connect");
        }
    }
    let mut kubectl = [Vec::new(), Vec::new()];
    for (kind, times) in ["services", "pods"].iter().zip(&mut kubectl) {
        for _ in 0..ROUNDS {
            times.push(milliseconds(kubectl_get(namespace, kind).await?));
        }
    }
    eprintln!("first rows {:.0?} ms, all pods {:.0?} ms", times[0], times[1]);
    let [rows, pods] = times;
    let [services_by, pods_by] = kubectl.map(median);
    let slowest = greatest(rows.iter().copied());
    let middle = median(rows);
    report.add("picked to first rows, median", number(middle, "ms"));
    report.beside(middle, "kubectl get services", services_by, "ms");
    report.add("picked to first rows, slowest", number(slowest, "ms"));
    report.target(slowest <= 1_000.0, "at most 1 s");
    let middle = median(pods);
    report.add(format!("picked to all {} pods, median", size.pods), number(middle, "ms"));
    report.beside(middle, "kubectl get pods", pods_by, "ms");
    window.click(&pick).await?;
    window.find(&mark("row")).await.map(drop)
}

async fn time_of(window: &Window, pick: &Mark, condition: &str) -> Result<f64> {
    page::expect(window, condition).await?;
    window.click(pick).await?;
    page::since_click(window).await
}

async fn disconnect(window: &Window) -> Result<()> {
    let menu = mark("cluster").child("button[aria-label='More about this cluster']");
    let item = mark("cluster-disconnect");
    window.click_until(&menu, &item).await?;
    window.click(&item).await?;
    window.find(&mark("cluster").with("data-state", "none")).await.map(drop)
}

fn kubectl(namespace: &Namespace) -> Result<Command> {
    let mut command = Command::new("kubectl");
    command
        .args(["--kubeconfig", &namespace.kubeconfig()?, "-n", &namespace.name])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

async fn kubectl_get(namespace: &Namespace, kind: &str) -> Result<Duration> {
    let start = Instant::now();
    let status = kubectl(namespace)?.args(["get", kind]).status().await.context("run kubectl")?;
    ensure!(status.success(), "kubectl get {kind}: {status}");
    Ok(start.elapsed())
}

/// `kubectl get pods --watch`; ended when dropped.
fn watch(namespace: &Namespace) -> Result<Child> {
    kubectl(namespace)?.args(["get", "pods", "--watch"]).spawn().context("run kubectl")
}
