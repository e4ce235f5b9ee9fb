use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use super::*;
use crate::view::AttachWay;

/// What an HTTP server of Node's is: says its port, and ends with its input.
const NODE: &str = "const server = require('http').createServer(); \
     server.listen(0, '127.0.0.1', () => console.log(server.address().port)); \
     process.stdin.resume().on('end', () => process.exit());";

/// Waits until it has said that.
async fn heard(said: &mut (impl AsyncRead + Unpin), wanted: &str) {
    let (mut all, mut chunk) = (Vec::new(), [0; 256]);
    while !String::from_utf8_lossy(&all).contains(wanted) {
        let read = said.read(&mut chunk).await.unwrap();
        assert_ne!(read, 0, "{wanted:?} was not said: {}", String::from_utf8_lossy(&all));
        all.extend(&chunk[..read]);
    }
}

/// Starts `line` in a shell and a group of its own; gives the port that it says.
async fn serving(line: &str) -> (Child, u16) {
    let mut command = Command::new("sh");
    command.args(["-c", line]).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    (child, line.trim().parse().unwrap())
}

fn text<'a>(ways: &'a [AttachWay], tool: &str) -> &'a str {
    &ways.iter().find(|way| way.tool == tool).unwrap().text
}

#[tokio::test]
async fn a_node_behind_a_shell_is_attached_to_by_what_is_told() {
    let (mut child, port) = serving(&format!("node -e \"{NODE}\"; exit 4")).await;
    let found = debuggees("orders", child.id(), &[port, 1]).await.unwrap();
    let [node] = found.processes.as_slice() else { panic!("{found:?}") };
    assert_ne!(Some(node.pid), child.id(), "the shell is left out");
    assert_eq!((node.runtime.as_deref(), node.ports.as_slice()), (Some("Node.js"), &[port][..]));
    assert_eq!((&node.traced_by, &node.advice, found.hindrance), (&None, &None, None));
    let entry: serde_json::Value = serde_json::from_str(text(&node.ways, "VS Code")).unwrap();
    let expected = serde_json::json!({
        "name": "Attach to orders (Towline)", "type": "node", "request": "attach",
        "processId": node.pid.to_string(),
    });
    assert_eq!(entry, expected);

    // Not only a text: the debugger of Node's own that it names gets in.
    let line = text(&node.ways, "node inspect");
    let mut debugger = Command::new("sh")
        .args(["-c", &format!("exec {line}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = debugger.stdout.take().unwrap();
    heard(&mut said, "debug> ").await;
    debugger.stdin.as_mut().unwrap().write_all(b"exec process.pid\n").await.unwrap();
    heard(&mut said, &node.pid.to_string()).await;

    // From now on it awaits debuggers, and every other Node would send them there.
    let again = debuggees("orders", child.id(), &[]).await.unwrap();
    let awaiting = text(&again.processes[0].ways, "node inspect");
    assert_eq!(awaiting, "node inspect 127.0.0.1:9229");
    debugger.kill().await.unwrap();
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_program_that_the_user_has_started_is_found_by_its_port() {
    let program = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); \
                   print(s.getsockname()[1], flush=True); sys.stdin.read()";
    let (mut child, port) = serving(&format!("exec python3 -c \"{program}\"")).await;
    let found = debuggees("orders", None, &[port]).await.unwrap();
    let [python] = found.processes.as_slice() else { panic!("{found:?}") };
    assert_eq!((Some(python.pid), python.ports.as_slice()), (child.id(), &[port][..]));
    assert!(text(&python.ways, "debugpy").ends_with(&format!("--pid {}", python.pid)));
    child.kill().await.unwrap();
    assert_eq!(debuggees("orders", None, &[port]).await.unwrap().processes, []);
}

fn relative(pid: u32, runtime: Runtime) -> Relative {
    let command = vec!["orders".to_owned()];
    Relative { pid, uid: 0, command, runtime, awaits: None, traced_by: None }
}

/// A machine on which nothing else runs.
fn bare(scope: PtraceScope) -> Machine {
    Machine { listening: BTreeMap::new(), inspector: Inspector::Free, scope }
}

#[test]
fn who_listens_is_first_and_nobody_is_told_twice() {
    let npm = relative(10, Runtime::Node);
    let (shell, web) = (relative(11, Runtime::Shell), relative(12, Runtime::Node));
    let worker = relative(13, Runtime::Native);
    let all = vec![npm, shell, web.clone(), worker, web];
    let listening = BTreeMap::from([(12, BTreeSet::from([3000]))]);
    let machine = Machine { listening, ..bare(PtraceScope::Everybody) };
    let found = arranged("web", all, &machine);
    let pids: Vec<u32> = found.processes.iter().map(|process| process.pid).collect();
    assert_eq!(pids, [12, 13, 10]);
    assert_eq!(found.hindrance, None);
}

#[test]
fn what_keeps_a_debugger_out_is_told_where_it_matters() {
    let told = |runtime, scope| arranged("a", vec![relative(1, runtime)], &bare(scope)).hindrance;
    assert_eq!(told(Runtime::Node, PtraceScope::Ancestors), None);
    let go = told(Runtime::Go, PtraceScope::Ancestors).unwrap();
    assert!(go.message.contains("ptrace_scope is 1"), "{go:?}");
    assert_eq!(go.command.as_deref(), Some("sudo sysctl kernel.yama.ptrace_scope=0"));
    assert_eq!(told(Runtime::Go, PtraceScope::Nobody).unwrap().command, None);
}

fn of(process: &Relative) -> Debuggee {
    debuggee("a", process, Vec::new(), Inspector::Free)
}

#[test]
fn a_debugger_does_not_get_into_another_node() {
    let node = relative(7, Runtime::Node);
    for other in [Some(8), None] {
        let shown = debuggee("a", &node, Vec::new(), Inspector::Of(other));
        assert_eq!(shown.ways, []);
        assert!(shown.advice.unwrap().contains("--inspect=127.0.0.1:9230"));
    }
    let chosen = Relative { awaits: Some("127.0.0.1:9230".into()), ..node };
    let shown = debuggee("a", &chosen, Vec::new(), Inspector::Of(Some(8)));
    assert_eq!((shown.ways.len(), shown.advice), (2, None));
}

#[test]
fn every_runtime_has_its_ways_or_a_reason() {
    use Runtime::{DotNet, Go, Java, Native, Node, Python, Ruby, Unknown};
    for runtime in [DotNet, Go, Java, Native, Node, Python, Ruby, Unknown] {
        let shown = of(&relative(7, runtime));
        assert!(!shown.ways.is_empty() || shown.advice.is_some(), "{shown:?}");
        for way in shown.ways {
            assert!(way.text.contains('7'), "{way:?}");
        }
    }
    let waiting = Relative { awaits: Some("127.0.0.1:5005".into()), ..relative(7, Java) };
    let java = of(&waiting);
    assert_eq!(java.advice, None);
    assert_eq!(text(&java.ways, "jdb"), "jdb -attach 127.0.0.1:5005");
    let waiting = Relative { awaits: Some("[::1]:9230".into()), ..relative(7, Node) };
    let node = of(&waiting);
    assert_eq!(text(&node.ways, "node inspect"), "node inspect [::1]:9230");
    assert!(text(&node.ways, "VS Code").contains("\"address\": \"::1\""), "{node:?}");
}
