//! A whole session with a program, and how sessions and programs end.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use towline_app::view::{
    Ending, EnvironmentFormat, LaunchRequest, LogSource, ProgramSpec, ProgramState, SessionPhase,
    Tone,
};
use towline_cluster_tests::app::{HTTP, container, deployment, service};
use towline_cluster_tests::eventually;

use crate::scene::{PROGRAM, Program, Scene, directory_with_towline, failed};

const PYTHON: Program<'static> = Program::Words(&["python3", "-c", PROGRAM, "PORT"]);

/// `web` (with a secret and a volume), `backend`, and a service that has no pods.
async fn apply(scene: &Scene) -> Result<()> {
    let mut web = container(HTTP, 8080);
    let env = web["env"].as_array_mut().context("a list")?;
    let key = json!({"secretKeyRef": {"name": "keys", "key": "token"}});
    env.push(json!({"name": "TOKEN", "valueFrom": key}));
    web["volumeMounts"] = json!([{"name": "keys", "mountPath": "/keys", "readOnly": true}]);
    let mut workload = deployment("web", 2, &[web]);
    workload["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "keys", "secret": {"secretName": "keys"}}]);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"token": "s3cret\n'quoted'"}});
    let mut nobody = service("nobody", 80, 8080);
    nobody["spec"]["selector"] = json!({"app": "nobody"});
    scene.ns.apply([secret, workload, service("web", 80, "http"), nobody]).await?;
    scene.ns.http_app("backend", 1).await?;
    scene.ns.ready("web", 2).await
}

fn connected(session: &towline_app::view::Session) -> bool {
    session.phase == SessionPhase::Connected
}

fn running(session: &towline_app::view::Session) -> bool {
    matches!(session.program, ProgramState::Running { .. })
}

fn ended(session: &towline_app::view::Session) -> bool {
    matches!(session.phase, SessionPhase::Ended { .. })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the sandbox"]
async fn a_whole_session_with_a_program() -> Result<()> {
    let scene = Scene::new("app-whole").await?;
    apply(&scene).await?;
    let before = scene.ns.workload("Deployment", "web").await?;
    let containers =
        scene.launcher.containers("any", &scene.ns.name, "service/web").await.map_err(failed)?;
    ensure!(containers.len() == 1 && containers[0].preferred, "{containers:?}");
    ensure!(containers[0].ports == ["http 8080/TCP"], "{containers:?}");

    let form = scene.form("service/web", PYTHON).await?;
    let plan = scene.plan(form.clone()).await?;
    ensure!(plan.ready && plan.restorer && plan.workload == "deployment/web", "{plan:#?}");
    ensure!(plan.fields.iter().any(|field| field.path.ends_with("image")), "{:#?}", plan.fields);
    let volume = plan.volumes.iter().find(|volume| volume.name == "keys").context("the volume")?;
    ensure!((volume.kind.as_str(), volume.read_only) == ("secret", true), "{volume:?}");
    ensure!(scene.ns.workload("Deployment", "web").await? == before, "a plan changes nothing");

    let id = scene.launcher.connect(&plan.id).await.map_err(failed)?;
    ensure!(scene.launcher.connect(&plan.id).await.is_err(), "a plan is carried out once");
    ensure!(scene.sessions.owns(&id));
    let session =
        scene.until("connected, the program running", &id, |s| connected(s) && running(s)).await?;
    ensure!(
        session.tunnels.len() == 2 && session.tunnels.iter().all(|tunnel| tunnel.up),
        "{session:#?}"
    );
    let done: Vec<&str> = session.steps.iter().map(|step| step.step.as_str()).collect();
    ensure!(done.starts_with(&["lease", "restorer", "patch"]), "{done:?}");
    ensure!(session.steps.iter().all(|step| step.took.is_some()), "{:?}", session.steps);

    // The cluster's callers are answered by the program, whose output is in the log.
    let answering = scene.ns.answered_by_local("web").await?;
    let ProgramState::Running { pid, .. } = session.program else { anyhow::bail!("{session:#?}") };
    ensure!(answering == pid, "process {answering} answers and not {pid}");
    scene.line(&id, LogSource::ProgramOut, "asked for /").await?;
    scene.line(&id, LogSource::ProgramErr, "serving with hello").await?;
    scene.line(&id, LogSource::Agent, "").await.context("the agents' logs")?;

    environment(&scene, &id)?;
    traffic(&scene, &id).await?;

    // Nothing of the program is touched by a restart but the program.
    scene.sessions.restart_program(&id).map_err(failed)?;
    let another = |s: &towline_app::view::Session| matches!(s.program, ProgramState::Running { pid: now, .. } if now != pid);
    scene.until("another process", &id, another).await?;
    ensure!(scene.ns.answered_by_local("web").await? != pid);

    scene.sessions.stop(&id).map_err(failed)?;
    let session = scene.until("the end", &id, ended).await?;
    let SessionPhase::Ended { how, tone, message, .. } = &session.phase else { unreachable!() };
    ensure!((*how, *tone) == (Ending::Stopped, Tone::Good), "{session:#?}");
    ensure!(message == "deployment/web is what it was.", "{message}");
    ensure!(matches!(session.program, ProgramState::Exited { well: true, .. }), "{session:#?}");
    ensure!(session.attention.is_none(), "{session:#?}");
    scene.ns.comes_back("Deployment", "web", &before, 2).await?;
    scene.ns.nothing_left().await?;
    scene.ns.answered_by_cluster("web").await?;
    ensure!(scene.notices().is_empty(), "{:?}", scene.notices());

    let events = scene.sessions.events(&id, 1, 10_000).map_err(failed)?;
    let titles: Vec<&str> = events.iter().map(|event| event.title.as_str()).collect();
    for title in ["Connected", "Program started", "Program ended", "Restored", "Ended"] {
        ensure!(titles.contains(&title), "{titles:?}");
    }
    ensure!(events.len() as u64 == session.events, "{} of {}", events.len(), session.events);
    ensure!(scene.sessions.start_program(&id).is_err(), "a program without a session");

    let profiles = scene.profiles.all();
    ensure!(profiles.len() == 1 && profiles[0].request == form, "{profiles:#?}");
    scene.sessions.dismiss(&id).map_err(failed)?;
    ensure!(scene.sessions.list().is_empty() && !scene.sessions.owns(&id));
    Ok(())
}

fn environment(scene: &Scene, id: &str) -> Result<()> {
    let variables = scene.sessions.environment(id).map_err(failed)?;
    let find = |name: &str| {
        let found = variables.iter().find(|variable| variable.name == name);
        found.with_context(|| format!("no {name}: {variables:#?}"))
    };
    let greeting = find("GREETING")?;
    ensure!(greeting.value.as_deref() == Some("hello") && greeting.origin_kind == "literal");
    let token = find("TOKEN")?;
    ensure!(token.secret && token.value.is_none() && token.origin == "secret keys, key token");
    let rewritten = find("BACKEND_SERVICE_PORT")?;
    ensure!(rewritten.cluster_value.as_deref() == Some("80"), "{rewritten:?}");
    ensure!(find("PATH")?.stays_local);
    let secret = scene.sessions.reveal(id, "TOKEN").map_err(failed)?;
    ensure!(secret == "s3cret\n'quoted'", "{secret:?}");
    let text = scene.sessions.environment_text(id, EnvironmentFormat::Shell).map_err(failed)?;
    ensure!(
        text.contains("export GREETING='hello'") || text.contains("export GREETING=hello"),
        "{text}"
    );
    Ok(())
}

async fn traffic(scene: &Scene, id: &str) -> Result<()> {
    let name = &scene.ns.name;
    let taken = scene.sessions.test_listener(id, name, "backend", 80).await.map_err(failed)?;
    ensure!(taken.reached && taken.message.contains("took the connection"), "{taken:?}");
    let refused = scene.sessions.test_listener(id, name, "nobody", 80).await.map_err(failed)?;
    ensure!(!refused.reached && refused.message.contains("was not reached: "), "{refused:?}");
    let unknown = scene.sessions.test_listener(id, name, "none", 80).await;
    ensure!(unknown.is_err_and(|report| report.code == "input"));

    let connections = scene.sessions.connections(id).map_err(failed)?;
    ensure!(connections.is_sorted_by(|a, b| a.id > b.id), "the newest first: {connections:#?}");
    let inbound = connections.iter().find(|c| c.inbound && c.closed.is_some());
    let inbound = inbound.with_context(|| format!("no inbound: {connections:#?}"))?;
    ensure!(
        inbound.from.starts_with("web-") && inbound.to.starts_with("127.0.0.1:"),
        "{inbound:?}"
    );
    ensure!(inbound.bytes_in > 0 && inbound.bytes_out > 0, "{inbound:?}");
    let to = format!("nobody.{name}:80");
    let failed = connections.iter().find(|c| c.to == to).context("the refused one")?;
    ensure!(failed.error.is_some() && !failed.inbound, "{failed:?}");

    let used = |session: &towline_app::view::Session| {
        let backend = session.listeners.iter().find(|listener| listener.service == "backend");
        let used = backend
            .is_some_and(|listener| listener.last_used.is_some() && listener.connections == 1);
        used && session.figures.connections >= 3 && session.figures.per_second.len() == 60
    };
    scene.until("the figures", id, used).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the sandbox"]
async fn a_program_that_dies_leaves_the_session_and_can_be_started_again() -> Result<()> {
    let scene = Scene::new("app-dies").await?;
    scene.ns.http_app("web", 1).await?;
    let before = scene.ns.workload("Deployment", "web").await?;
    let dies = Program::Words(&["sh", "-c", "echo on port $0; exit 7", "PORT"]);
    let id = scene.begin(scene.form("service/web", dies).await?).await?;
    let died = |s: &towline_app::view::Session| matches!(&s.program, ProgramState::Exited { how, well: false, .. } if how == "exit status 7");
    let session = scene.until("the program's end", &id, died).await?;
    ensure!(connected(&session), "{session:#?}");
    ensure!(
        session.attention.as_deref() == Some("The program ended with exit status 7."),
        "{session:#?}"
    );
    let notices = scene.notices();
    ensure!(
        notices.len() == 1 && notices[0].session.as_deref() == Some(id.as_str()),
        "{notices:?}"
    );

    let events = session.events;
    scene.sessions.start_program(&id).map_err(failed)?;
    scene.until("its second end", &id, |s| died(s) && s.events >= events + 2).await?;
    eventually("two lines", || async {
        Ok((scene.lines(&id, LogSource::ProgramOut)?.len() == 2).then_some(()))
    })
    .await?;
    ensure!(scene.sessions.dismiss(&id).is_err(), "it is open");

    scene.sessions.stop_all().await;
    // The session is over; its last event shows a moment later.
    let session = scene.until("the end", &id, ended).await?;
    ensure!(session.attention.is_none(), "{session:#?}");
    scene.ns.comes_back("Deployment", "web", &before, 1).await?;
    scene.ns.nothing_left().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the sandbox"]
async fn stopping_while_connecting_changes_nothing() -> Result<()> {
    let scene = Scene::new("app-early").await?;
    scene.ns.http_app("web", 1).await?;
    let before = scene.ns.workload("Deployment", "web").await?;
    let id = scene.begin(scene.form("service/web", PYTHON).await?).await?;
    let restorer = |s: &towline_app::view::Session| matches!(&s.phase, SessionPhase::Connecting { step } if step != "lease");
    scene.until("it is on the way", &id, restorer).await?;
    scene.sessions.stop(&id).map_err(failed)?;
    let session = scene.until("the end", &id, ended).await?;
    ensure!(
        matches!(session.phase, SessionPhase::Ended { how: Ending::Stopped, .. }),
        "{session:#?}"
    );
    ensure!(session.program == ProgramState::Waiting, "{session:#?}");
    scene.ns.comes_back("Deployment", "web", &before, 1).await?;
    scene.ns.nothing_left().await
}

/// A thousand short connections: the window is told at most every 50 ms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the sandbox"]
async fn much_traffic_is_told_seldom_and_counted_whole() -> Result<()> {
    let scene = Scene::new("app-busy").await?;
    scene.ns.http_app("web", 1).await?;
    scene.ns.http_app("backend", 1).await?;
    let id = scene.begin(scene.form("service/web", Program::ByUser).await?).await?;
    let session = scene.until("connected", &id, connected).await?;
    let backend = session.listeners.iter().find(|listener| listener.service == "backend");
    let local = backend.context("a listener")?.local.clone();
    // The session has looked at the API server by then, through the tunnel like everybody else.
    let before = scene.sessions.connections(&id).map_err(failed)?.first().map_or(0, |c| c.id);
    let (told, start) = (scene.times_told(&id), std::time::Instant::now());
    for _ in 0..1_000 {
        let mut tcp = tokio::net::TcpStream::connect(&local).await?;
        let request = "GET / HTTP/1.1\r\nHost: backend\r\nConnection: close\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut tcp, request.as_bytes()).await?;
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut tcp, &mut answer).await?;
        ensure!(answer.contains("cluster backend-"), "{answer}");
    }
    let took = start.elapsed();
    let times = scene.times_told(&id) - told;
    ensure!(times <= 2 + took.as_secs() as usize * 2, "told {times} times in {took:?}");
    eventually("all are over", || async {
        let connections = scene.sessions.connections(&id).map_err(failed)?;
        Ok(connections.iter().all(|c| c.closed.is_some()).then_some(()))
    })
    .await?;
    ensure!(scene.sessions.connections(&id).map_err(failed)?.len() == 500);
    let counted = |s: &towline_app::view::Session| s.figures.connections >= before + 1_000;
    scene.until("every one counted", &id, counted).await?;
    scene.sessions.stop_all().await;
    scene.ns.nothing_left().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the sandbox"]
async fn the_command_line_of_a_plan_does_the_same() -> Result<()> {
    let scene = Scene::new("app-line").await?;
    scene.ns.http_app("web", 1).await?;
    let before = scene.ns.workload("Deployment", "web").await?;
    let script = "printf '%s|%s|%s' \"$PWD\" \"$GREETING\" \"$1\"; exit 5";
    let form = scene
        .form("deployment/web", Program::Words(&["sh", "-c", script, "sh", "it's \"quoted\""]))
        .await?;
    let ProgramSpec::Command { line, .. } = form.program.clone() else { unreachable!() };
    let place = scene.ns.home.path().join("a place");
    std::fs::create_dir(&place)?;
    let programs = scene.ns.home.path().join("bin");
    directory_with_towline(&programs)?;
    let directory = Some(place.to_string_lossy().into_owned());
    let form = LaunchRequest {
        program: ProgramSpec::Command { line, directory },
        namespaces: vec![scene.ns.name.clone(), "default".into()],
        container: Some("main".into()),
        lease_seconds: Some(60),
        reconnect: true,
        ..form
    };
    let context = scene.ns.kubectl(&["config", "current-context"]).await?.trim().to_owned();
    let plan = scene.plan(LaunchRequest { context, ..form }).await?;
    ensure!(plan.ready, "{plan:#?}");
    let mut command = tokio::process::Command::new("sh");
    command.args(["-c", &plan.command_line]);
    scene.ns.surroundings(&mut command)?;
    let path = std::env::var_os("PATH").context("a PATH")?;
    let places = std::iter::once(programs).chain(std::env::split_paths(&path));
    let output = command.env("PATH", std::env::join_paths(places)?).output().await?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(5), "{}\n{}\n{stderr}", plan.command_line, output.status);
    let expected = format!("{}|hello|it's \"quoted\"", place.display());
    ensure!(String::from_utf8_lossy(&output.stdout) == expected, "{output:?}");
    scene.ns.comes_back("Deployment", "web", &before, 1).await
}
