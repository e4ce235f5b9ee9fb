#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use towline_core::cluster::Cluster;
use towline_core::environment::{Environment, EnvironmentVariable, Origin};

use super::*;
use crate::clusters::Clusters;
use crate::logs::Logs;
use crate::publish::testing::Published;
use crate::view::{LogPage, LogQuery, LogSource, ProgramSpec, ProgramState, Report};

struct NoClusters;

impl Clusters for NoClusters {
    fn cluster(&self, _: &str) -> BoxFuture<'static, Result<Cluster, Report>> {
        Box::pin(std::future::pending())
    }
}

struct Scene {
    program: Program,
    logs: Logs,
    /// Where it runs.
    directory: tempfile::TempDir,
}

impl Scene {
    /// A program that is `script`, run by `sh`.
    fn of(script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let line = shell_words::join(["sh", "-c", script]);
        Self::of_line(&line, directory)
    }

    fn of_line(line: &str, directory: tempfile::TempDir) -> Self {
        let logs = Logs::new(Arc::new(Published::default()), Arc::new(NoClusters));
        let place = directory.path().to_string_lossy().into_owned();
        let spec = ProgramSpec::Command { line: line.to_owned(), directory: Some(place) };
        let command = Command::parse(&spec).unwrap().unwrap();
        let program = Program::new(command, Arc::new(|| None), logs.create("a"));
        Self { program, logs, directory }
    }

    fn start(&self) {
        self.program.start(environment("VALUE", b"a\n$\xff'"));
    }

    async fn until(&self, what: impl Fn(&ProgramState) -> bool) -> ProgramState {
        let mut state = self.program.state();
        let waited =
            tokio::time::timeout(Duration::from_secs(30), state.wait_for(|state| what(state)));
        waited.await.unwrap().unwrap().clone()
    }

    async fn exited(&self) -> (String, bool) {
        match self.until(|state| matches!(state, ProgramState::Exited { .. })).await {
            ProgramState::Exited { how, well, .. } => (how, well),
            other => panic!("{other:?}"),
        }
    }

    /// The last lines of a source; all sources if none is given.
    fn page(&self, source: Option<LogSource>) -> LogPage {
        let (sources, search) = (source.into_iter().collect(), String::new());
        let query = LogQuery {
            log: "a".into(),
            sources,
            search,
            only_matches: false,
            offset: None,
            limit: 1_000,
        };
        self.logs.page(&query).unwrap()
    }

    fn texts(&self, source: LogSource) -> Vec<String> {
        self.page(Some(source)).lines.into_iter().map(|line| line.text).collect()
    }

    /// Waits until the program has written a line that begins so; gives the rest of it.
    async fn line(&self, beginning: &str) -> String {
        for _ in 0..600 {
            let page = self.page(None);
            let found = page.lines.iter().find_map(|line| line.text.strip_prefix(beginning));
            if let Some(rest) = found {
                return rest.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no line that begins with {beginning:?}: {:?}", self.page(None).lines);
    }
}

fn environment(name: &str, value: &[u8]) -> Environment {
    let variable = |name: &str, stays_local| EnvironmentVariable {
        name: name.into(),
        value: value.to_vec().into(),
        origin: Origin::Literal,
        cluster_value: None,
        stays_local,
    };
    Environment { variables: vec![variable("PATH", true), variable(name, false)] }
}

fn lives(pid: &str) -> bool {
    kill(Pid::from_raw(pid.trim().parse().unwrap()), None) != Err(Errno::ESRCH)
}

/// Waits until no such process is there.
async fn gone(pid: &str) {
    for _ in 0..100 {
        if !lives(pid) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("process {pid} still lives");
}

#[tokio::test]
async fn it_has_the_environment_and_its_output_is_in_the_log() {
    let scene =
        Scene::of("printf '%s' \"$VALUE\" > value; pwd; echo bad >&2; printf unended; exit 3");
    assert_eq!(*scene.program.state().borrow(), ProgramState::Waiting);
    scene.start();
    assert_eq!(scene.exited().await, ("exit status 3".into(), false));
    assert_eq!(std::fs::read(scene.directory.path().join("value")).unwrap(), b"a\n$\xff'");
    scene.line("unended").await;
    let place = scene.directory.path().canonicalize().unwrap();
    assert_eq!(scene.texts(LogSource::ProgramOut), [place.to_str().unwrap(), "unended"]);
    assert_eq!(scene.texts(LogSource::ProgramErr), ["bad"]);
    let told = scene.texts(LogSource::Towline);
    assert!(told[0].starts_with("Started sh -c"), "{told:?}");
    assert_eq!(told[1], "Ended with exit status 3");
}

#[tokio::test]
async fn stopping_ends_all_that_it_has_started() {
    let scene = Scene::of("sleep 600 & echo child $!; wait");
    scene.start();
    let child = scene.line("child ").await;
    scene.program.stopped().await;
    assert!(scene.exited().await.1, "it was told to");
    gone(&child).await;
}

/// The whole 10 seconds: the runner's clock is the system's, because processes' are.
#[tokio::test]
async fn who_does_not_listen_is_killed() {
    let scene = Scene::of("trap '' TERM; echo ready; while :; do sleep 1; done");
    scene.start();
    scene.line("ready").await;
    let start = std::time::Instant::now();
    scene.program.stop();
    scene.until(|state| matches!(state, ProgramState::Ending { .. })).await;
    assert_eq!(scene.exited().await, ("SIGKILL".into(), true));
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(9), "it had only {took:?}");
}

#[tokio::test]
async fn restarting_gives_another_process_with_the_new_environment() {
    let scene = Scene::of("echo pid $$ $GREETING; exec sleep 600");
    scene.program.start(environment("GREETING", b"one"));
    let first = scene.line("pid ").await;
    scene.program.restart(environment("GREETING", b"two"));
    let second = scene.until(|state| {
        matches!(state, ProgramState::Running { pid, .. } if !first.starts_with(&pid.to_string()))
    });
    let ProgramState::Running { pid, .. } = second.await else { panic!() };
    assert_eq!(scene.line(&format!("pid {pid} ")).await, "two");
    gone(first.split(' ').next().unwrap()).await;
    scene.program.start(Environment::default());
    let state = scene.program.state().borrow().clone();
    assert!(matches!(state, ProgramState::Running { pid: now, .. } if now == pid));
    scene.program.stopped().await;
}

#[tokio::test]
async fn what_a_program_leaves_behind_goes_when_it_is_stopped() {
    let scene = Scene::of("sleep 600 & echo left $!");
    scene.start();
    let left = scene.line("left ").await;
    assert_eq!(scene.exited().await, ("exit status 0".into(), true));
    assert!(lives(&left), "a program may start something and end");
    scene.program.stop();
    gone(&left).await;
}

#[tokio::test]
async fn it_ends_with_its_owner() {
    let scene = Scene::of("echo pid $$; exec sleep 600");
    scene.start();
    let pid = scene.line("pid ").await;
    drop(scene.program);
    gone(&pid).await;
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("data"), "x").unwrap();
    let scene = Scene::of_line("./data --port 1", directory);
    scene.start();
    let state = scene.until(|state| matches!(state, ProgramState::Failed { .. })).await;
    let ProgramState::Failed { report } = state else { panic!() };
    assert_eq!(report.code, "program");
    assert!(report.message.contains("is no program"), "{}", report.message);
    let file = Path::new(scene.directory.path()).join("data");
    std::fs::write(&file, "#!/bin/sh\necho now\n").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    scene.start();
    assert!(scene.exited().await.1);
    scene.line("now").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_loses_no_line_and_takes_no_memory() {
    let script = "import sys\nfor n in range(200_000): sys.stdout.write(f'line {n} of a busy program that logs\\n')\nsys.stdout.write('x' * 1_000_000 + '\\n' + 'done\\n')";
    let line = shell_words::join(["python3", "-c", script]);
    let scene = Scene::of_line(&line, tempfile::tempdir().unwrap());
    scene.start();
    assert!(scene.exited().await.1);
    scene.line("done").await;
    // A line each, one of a megabyte, `done`, and three of Towline's: started, ended. Whether the last came before the last output is open.
    let page = scene.page(None);
    assert!((200_003..=200_004).contains(&page.next), "{}", page.next);
    assert_eq!(page.shown, 50_000);
    let page = scene.page(Some(LogSource::ProgramOut));
    let long = &page.lines[page.lines.len() - 2];
    assert_eq!((long.text.chars().count(), long.cut_from), (10_000, Some(1_000_000)));
    assert_eq!(page.lines[page.lines.len() - 3].text, "line 199999 of a busy program that logs");
}
