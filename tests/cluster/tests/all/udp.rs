//! UDP, both ways.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use towline_cluster_tests::app::{HTTP, IMAGE, container, deployment};
use towline_cluster_tests::here::{Answering, source};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::towline::Connected;
use towline_cluster_tests::{eventually, node};

/// Sends every datagram back, with what its first argument says before it; on the port in its second.
const ECHO: &str = r#"
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", int(sys.argv[2])))
while True:
    data, peer = server.recvfrom(65535)
    server.sendto(sys.argv[1].encode() + data[:65000], peer)
"#;

/// Sends text from one socket to HOST PORT, until an answer comes, and prints that: a datagram may be lost. Gives up after 30 s.
const ASK: &str = r#"
import socket, sys, time
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect((sys.argv[1], int(sys.argv[2])))
client.settimeout(1)
text, end = sys.argv[3].encode(), time.monotonic() + 30
while time.monotonic() < end:
    try:
        client.send(text)
        print(client.recv(65535).decode())
        break
    except (TimeoutError, ConnectionRefusedError):
        time.sleep(0.1)
else:
    sys.exit("no answer")
"#;

/// A local program that answers each datagram with `local ` before it. Stopped when dropped.
struct Program {
    port: u16,
    task: JoinHandle<()>,
}

impl Program {
    async fn start(port: u16) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = socket.local_addr()?.port();
        let task = tokio::spawn(async move {
            let mut bytes = vec![0; 65_535];
            while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
                let answer = [b"local ", &bytes[..length]].concat();
                let _ = socket.send_to(&answer, from).await;
            }
        });
        Ok(Self { port, task })
    }

    async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

fn service(name: &str, ports: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": ports},
    })
}

/// The target with a UDP port, something that echoes, and a service behind which nobody is.
async fn apply(namespace: &Namespace) -> Result<()> {
    let mut app = container(HTTP, 8080);
    app["ports"] = json!([
        {"name": "http", "containerPort": 8080},
        {"name": "metrics", "containerPort": 8125, "protocol": "UDP"},
    ]);
    let echo = json!({
        "name": "main", "image": IMAGE, "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-u", "-c", ECHO, "cluster ", "7053"],
    });
    let udp = |port: u16, target: Value| json!({"name": format!("udp-{port}"), "port": port, "targetPort": target, "protocol": "UDP"});
    let mut nobody = service("nobody", json!([udp(9, 9.into())]));
    nobody["spec"]["selector"] = json!({"app": "there-is-none"});
    let mut pods = service("pods", json!([udp(5353, 7053.into())]));
    pods["spec"]["clusterIP"] = "None".into();
    pods["spec"]["selector"] = json!({"app": "echo"});
    namespace
        .apply([
            deployment("app", 1, &[app]),
            service("app", json!([{"name": "http", "port": 80, "targetPort": "http"}, udp(8125, "metrics".into())])),
            deployment("echo", 1, &[echo]),
            service("echo", json!([udp(5353, 7053.into())])),
            pods,
            nobody,
        ])
        .await?;
    namespace.ready("app", 1).await?;
    namespace.ready("echo", 1).await
}

async fn listener(
    session: &mut Connected,
    namespace: &Namespace,
    service: &str,
    port: u16,
) -> Result<SocketAddr> {
    session.listener(&format!("{service}.{}", namespace.name), port, "UDP").await
}

/// What one socket of this machine gets back for what it sends. Sent again while nothing comes, as everybody does who uses UDP.
async fn answer(socket: &UdpSocket, to: SocketAddr, question: &[u8]) -> Result<Vec<u8>> {
    eventually("an answer comes", || async {
        socket.send_to(question, to).await?;
        let mut bytes = vec![0; 65_535];
        let received = tokio::time::timeout(Duration::from_secs(1), socket.recv_from(&mut bytes));
        let Ok(received) = received.await else { return Ok(None) };
        let (length, from) = received?;
        ensure!(from == to, "an answer of {from} to what went to {to}");
        bytes.truncate(length);
        Ok(Some(bytes))
    })
    .await
}

/// The same from the cluster.
async fn asked_from_the_cluster(host: &str, port: u16, question: &str) -> Result<String> {
    let port = port.to_string();
    let output = node::command("python3", &["-c", ASK, host, &port, question])?.output().await?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(text)
}

#[tokio::test]
async fn datagrams_go_both_ways() -> Result<()> {
    let namespace = Namespace::create("udp").await?;
    apply(&namespace).await?;
    let before = namespace.workload("Deployment", "app").await?;
    let (local, program) = (Answering::anywhere("local").await?, Program::start(0).await?);
    let metrics = format!("metrics:{}", program.port);
    let arguments = ["service/app", "--port", &local.mapped("http"), "--port", &metrics];
    let mut session = namespace.connect(&arguments, &[])?;
    let connected = session.event("connected").await?;

    // To the cluster: by a cluster address, and to the pods of a headless service.
    for name in ["echo", "pods"] {
        let to = listener(&mut session, &namespace, name, 5353).await?;
        let (one, two) = (local_socket().await?, local_socket().await?);
        for (socket, length) in [(&one, 0), (&two, 1), (&one, 512), (&two, 1_400), (&one, 20_000)] {
            let question = vec![b'a' + (length % 26) as u8; length];
            let got = answer(socket, to, &question).await?;
            let rest = got.strip_prefix(b"cluster ").context("of the cluster")?;
            ensure!(rest == question, "{length} bytes to {name} came back as {}", rest.len());
        }
    }
    // And the program finds it by the variables.
    let variables = PathBuf::from(connected["env_file"].as_str().context("an env file")?);
    let variables = source(&variables).await?;
    let to = listener(&mut session, &namespace, "echo", 5353).await?;
    for (name, expected) in [
        ("ECHO_SERVICE_HOST", to.ip().to_string()),
        ("ECHO_SERVICE_PORT", to.port().to_string()),
        ("ECHO_PORT_5353_UDP", format!("udp://{to}")),
        ("ECHO_PORT_5353_UDP_PROTO", "udp".to_owned()),
        ("ECHO_PORT_5353_UDP_ADDR", to.ip().to_string()),
        ("ECHO_PORT_5353_UDP_PORT", to.port().to_string()),
    ] {
        let seen = variables.get(std::ffi::OsStr::new(name));
        ensure!(seen.is_some_and(|seen| seen == expected.as_str()), "{name} is {seen:?}");
    }

    // From the cluster, and what happens while the program is not there.
    let host = namespace.cluster_ip("app").await?;
    let told = asked_from_the_cluster(&host, 8125, "hits:1|c").await?;
    ensure!(told == "local hits:1|c", "{told}");
    let port = program.port;
    program.stop().await;
    let asking = {
        let host = host.clone();
        tokio::spawn(async move { asked_from_the_cluster(&host, 8125, "hits:2|c").await })
    };
    session.find("local_port_silent", |event| event["protocol"] == "UDP").await?;
    let program = Program::start(port).await?;
    ensure!(asking.await?? == "local hits:2|c");
    session.find("local_port_answers", |event| event["protocol"] == "UDP").await?;

    // TCP of the same container is as ever.
    let url = format!("http://{host}/");
    let got = node::command("curl", &["-s", "--max-time", "10", &url])?.output().await?;
    ensure!(got.stdout == b"local", "{got:?}");

    session.stop().await?;
    drop(program);
    ensure!(
        namespace.workload("Deployment", "app").await? == before,
        "the workload is not what it was"
    );
    namespace.ready("app", 1).await?;
    namespace.nothing_left().await
}

async fn local_socket() -> Result<UdpSocket> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}

/// With names the program asks `echo` on its own port.
#[tokio::test]
async fn a_udp_service_has_its_name_and_its_own_port() -> Result<()> {
    let namespace = Namespace::create("udp-names").await?;
    apply(&namespace).await?;
    // The last is one that the container does not declare.
    let target = ["service/app", "--mount", "--no-admin", "--port", "9125/udp"];
    let plan = [&["plan", "-n", &namespace.name], &target[..]].concat();
    let plan = namespace.run(&plan).await?;
    ensure!(plan.status.success(), "{plan:?}");
    for expected in
        ["container port 8125/UDP (metrics)", "container port 9125/UDP", "5353/UDP (udp-5353)"]
    {
        ensure!(plan.stdout.contains(expected), "{expected} is missing in\n{}", plan.stdout);
    }
    let program = ["python3", "-u", "-c", ASK, "echo", "5353", "by name"];
    let ended = namespace.connect_and_finish(&target, &program).await?;
    ensure!(ended.status.success(), "{ended:?}");
    ensure!(ended.stderr.contains("cluster by name"), "{}", ended.stderr);
    namespace.nothing_left().await
}
