//! Ports of this machine that somebody else holds: shown with who it is, and stopped on the user's word only.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use towline_cluster_tests::here::free_port;
use towline_cluster_tests::local::PROGRAM;
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::Finished;

/// A program that holds a port; ended at the end.
struct Holding {
    child: Child,
    port: u16,
}

impl Holding {
    async fn start(before: &str) -> Result<Self> {
        let port = free_port().await?;
        let program = format!(
            "# the-holder\nimport signal, socket, sys\n{before}\ns = socket.socket()\ns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\ns.bind(('127.0.0.1', {port}))\ns.listen()\nsys.stdout.write('.')\nsys.stdout.flush()\nsignal.pause()"
        );
        let mut child = Command::new("python3")
            .args(["-c", &program])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        child.stdout.as_mut().context("its output")?.read_exact(&mut [0]).await?;
        Ok(Self { child, port })
    }

    fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

fn said(finished: &Finished) -> String {
    format!("{}{}", finished.stdout, finished.stderr)
}

#[tokio::test]
async fn who_holds_the_port_is_said_and_stopped_only_when_that_is_asked() -> Result<()> {
    let namespace = Namespace::create("ports").await?;
    namespace.http_app("app", 1).await?;
    let before = namespace.workload("Deployment", "app").await?;
    let mut holding = Holding::start("").await?;
    let (port, pid) = (holding.port.to_string(), holding.child.id().context("it runs")?);
    let mapping = format!("8080:{port}");
    let connect = ["connect", "app", "-n", &namespace.name, "--no-admin", "--port", &mapping];
    let with = |more: &[&str]| {
        [&connect[..], more, &["--", "python3", "-c", PROGRAM, &port]]
            .concat()
            .iter()
            .map(|it| (*it).to_owned())
            .collect::<Vec<_>>()
    };
    let run = async |arguments: Vec<String>| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        namespace.run(&arguments).await
    };

    // Unasked: refused, with who and what to do.
    let refused = run(with(&[])).await?;
    ensure!(refused.status.code() == Some(2), "{refused:?}");
    for part in [
        &format!("Port {port}"),
        &format!("process {pid}"),
        "the-holder",
        &format!("--free-port {port}"),
    ] {
        ensure!(said(&refused).contains(part), "'{part}' is not said: {}", said(&refused));
    }
    // Another port is no word for this one.
    let other = free_port().await?.to_string();
    let refused = run(with(&["--free-port", &other])).await?;
    ensure!(said(&refused).contains(&format!("does not need port {other}")), "{}", said(&refused));
    // Nobody is stopped for a session that cannot be had anyway.
    let refused = run(with(&["--free-port", &port, "--namespaces", "no-such-namespace"])).await?;
    ensure!(!refused.status.success(), "{refused:?}");
    // Without a command, the holder counts as the user's program.
    let alone = [&connect[..], &["--free-port", &port]].concat();
    let refused = namespace.run(&alone).await?;
    ensure!(said(&refused).contains("counts as your program"), "{}", said(&refused));
    ensure!(holding.runs()?, "nothing was stopped unasked");
    ensure!(namespace.workload("Deployment", "app").await? == before, "app was touched");

    let mut arguments = vec!["app", "--no-admin", "--port", &mapping, "--free-port", &port];
    arguments.push("--timeout");
    arguments.push("90s");
    let mut session = namespace.connect(&arguments, &["python3", "-c", PROGRAM, &port])?;
    session.event("connected").await?;
    ensure!(!holding.runs()?, "it was stopped");
    let told = session.stderr();
    ensure!(
        told.contains("stopped")
            && told.contains(&format!("process {pid}"))
            && told.contains("SIGTERM"),
        "{told}"
    );
    namespace.answered_by_local("app").await?;
    session.stop().await?;
    namespace.nothing_left().await
}

#[tokio::test]
async fn what_does_not_end_needs_a_second_word_and_some_are_never_stopped() -> Result<()> {
    let namespace = Namespace::create("stubborn").await?;
    namespace.http_app("app", 1).await?;
    let mut holding = Holding::start("signal.signal(signal.SIGTERM, signal.SIG_IGN)").await?;
    let port = holding.port.to_string();
    let mapping = format!("8080:{port}");
    let connect = |word: &str| {
        [
            "connect",
            "app",
            "-n",
            &namespace.name,
            "--no-admin",
            "--port",
            &mapping,
            "--free-port",
            word,
            "--",
            "true",
        ]
        .map(str::to_owned)
    };
    let run = async |arguments: [String; 11]| {
        namespace.run(&arguments.each_ref().map(String::as_str)).await
    };
    let refused = run(connect(&port)).await?;
    ensure!(said(&refused).contains(&format!("--free-port {port}:kill")), "{}", said(&refused));
    ensure!(holding.runs()?, "it was not killed unasked");
    let done = run(connect(&format!("{port}:kill"))).await?;
    ensure!(done.status.success() && said(&done).contains("SIGKILL"), "{done:?}");
    ensure!(!holding.runs()?, "it was killed");

    // This test's own process started towline, so it is not stopped.
    let own = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = own.local_addr()?.port().to_string();
    let mapping = format!("8080:{port}");
    let word = format!("{port}:kill");
    let arguments = [
        "connect",
        "app",
        "-n",
        &namespace.name,
        "--no-admin",
        "--port",
        &mapping,
        "--free-port",
        &word,
        "--",
        "true",
    ];
    let refused = namespace.run(&arguments).await?;
    ensure!(
        !refused.status.success() && said(&refused).contains("this program was started from it"),
        "{refused:?}"
    );
    namespace.nothing_left().await
}
