//! Sessions that do not come about: the reason is told, and nothing is changed.

use anyhow::{Result, ensure};
use towline_app::view::{Ending, LaunchRequest, SessionPhase, Tone};
use towline_cluster_tests::namespace::Namespace;

use crate::scene::{Program, Scene, onlooker};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the sandbox"]
async fn without_the_rights_the_plan_says_so_and_nothing_is_begun() -> Result<()> {
    let ns = Namespace::create("app-rights").await?;
    ns.http_app("web", 1).await?;
    let kubeconfig = onlooker(&ns).await?;
    let before = ns.fingerprint().await?;
    let scene = Scene::with(ns, kubeconfig)?;
    let plan = scene.plan(scene.form("service/web", Program::ByUser).await?).await?;
    ensure!(!plan.ready, "{plan:#?}");
    let first = &plan.checks[0];
    ensure!((first.tone, first.code.as_deref()) == (Tone::Bad, Some("forbidden")), "{first:#?}");
    let named = ["You may not ", &scene.ns.name].iter().all(|words| first.message.contains(words));
    ensure!(named && first.fix.is_some(), "names the right and the namespace: {first:#?}");
    let rights: Vec<_> = plan.checks.iter().filter(|check| check.tone == Tone::Bad).collect();
    ensure!(rights.iter().any(|check| check.message.contains("patch deployments")), "{rights:#?}");
    let refused = scene.launcher.connect(&plan.id).await.unwrap_err();
    ensure!(refused.code == "forbidden" && refused.message == first.message, "{refused:#?}");
    // What stood in the way can be mended and tried again without another review.
    ensure!(scene.launcher.connect(&plan.id).await.unwrap_err().code == "forbidden");
    ensure!(scene.sessions.list().is_empty() && scene.profiles.all().is_empty());
    ensure!(scene.ns.fingerprint().await? == before, "nothing is changed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the sandbox"]
async fn an_agent_image_that_is_not_there_is_told_and_nothing_stays() -> Result<()> {
    let scene = Scene::new("app-image").await?;
    scene.ns.http_app("web", 1).await?;
    let before = scene.ns.workload("Deployment", "web").await?;
    let form = scene.form("service/web", Program::Words(&["sleep", "60"])).await?;
    let form = LaunchRequest { agent_image: Some("sandbox.local/no-such-agent:1".into()), ..form };
    let id = scene.begin(form).await?;
    let over = |s: &towline_app::view::Session| matches!(s.phase, SessionPhase::Ended { .. });
    let session = scene.until("the end", &id, over).await?;
    let SessionPhase::Ended { how, tone, message, report } = &session.phase else { unreachable!() };
    ensure!((*how, *tone) == (Ending::Failed, Tone::Bad), "{session:#?}");
    let report = report.as_ref().unwrap();
    ensure!(report.code == "agent_not_started" && report.hint.is_some(), "{report:#?}");
    ensure!(report.message.contains("no-such-agent"), "{report:#?}");
    ensure!(message.ends_with("was not touched."), "{message}");
    ensure!(session.attention.as_ref() == Some(message), "{session:#?}");
    let notices = scene.notices();
    ensure!(notices.len() == 1 && notices[0].title == "Not connected", "{notices:#?}");
    scene.ns.comes_back("Deployment", "web", &before, 1).await?;
    scene.ns.nothing_left().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the sandbox"]
async fn a_program_that_is_not_there_is_found_in_the_review() -> Result<()> {
    let scene = Scene::new("app-nocmd").await?;
    scene.ns.http_app("web", 1).await?;
    let form = scene.form("service/web", Program::Words(&["towline-has-no-such-command"])).await?;
    let plan = scene.plan(form).await?;
    ensure!(!plan.ready && plan.checks[0].code.as_deref() == Some("program"), "{plan:#?}");
    ensure!(scene.launcher.connect(&plan.id).await.unwrap_err().code == "program");
    let unknown = scene.launcher.containers("any", &scene.ns.name, "service/wep").await;
    ensure!(unknown.is_err_and(|report| report.code == "target_unknown"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the sandbox"]
async fn somebody_elses_deployment_ends_the_session_and_stays() -> Result<()> {
    let scene = Scene::new("app-theirs").await?;
    scene.ns.http_app("web", 1).await?;
    let id =
        scene.begin(scene.form("service/web", Program::Words(&["sleep", "600"])).await?).await?;
    let up = |s: &towline_app::view::Session| s.phase == SessionPhase::Connected;
    scene.until("connected", &id, up).await?;
    let image = "main=sandbox.local/busybox:1";
    scene.ns.kubectl(&["set", "image", "deployment/web", image]).await?;
    let over = |s: &towline_app::view::Session| matches!(s.phase, SessionPhase::Ended { .. });
    let session = scene.until("the end", &id, over).await?;
    let SessionPhase::Ended { how, tone, .. } = session.phase else { unreachable!() };
    ensure!((how, tone) == (Ending::Overwritten, Tone::Warning), "{how:?} {tone:?}");
    let attention = session.attention.unwrap_or_default();
    ensure!(attention.contains("The program still runs, without the cluster."), "{attention}");
    let notices = scene.notices();
    ensure!(notices.iter().any(|notice| notice.title == "Workload changed"), "{notices:#?}");
    let now = scene.ns.workload("Deployment", "web").await?;
    ensure!(now["spec"]["template"]["spec"]["containers"][0]["image"] == "sandbox.local/busybox:1");
    scene.sessions.stop_all().await;
    scene.ns.nothing_left().await
}
