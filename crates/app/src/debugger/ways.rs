//! How a debugger is attached to a process, for what runs its code.

use serde_json::{Value, json};
use towline_machine::family::{Relative, Runtime};

use super::{Inspector, NODE_INSPECTOR};
use crate::view::AttachWay;

/// Whether a debugger stops the process by ptrace(2). Node, Java and .NET have a debugger's other half inside, which is spoken to.
pub(super) fn need_ptrace(process: &Relative) -> bool {
    matches!(process.runtime, Runtime::Go | Runtime::Native | Runtime::Python | Runtime::Unknown)
}

/// See [`AttachWay`]; the usual way first. Empty where the process must be started otherwise.
pub(super) fn of(title: &str, process: &Relative, inspector: Inspector) -> Vec<AttachWay> {
    let pid = process.pid;
    let awaits = match process.runtime {
        // It was asked to before.
        Runtime::Node if process.awaits.is_none() && inspector == Inspector::Of(Some(pid)) => {
            Some(format!("127.0.0.1:{NODE_INSPECTOR}"))
        }
        Runtime::Node if is_kept_off(process, inspector) => return Vec::new(),
        _ => process.awaits.clone(),
    };
    let name = format!("Attach to {title} (Towline)");
    // The debuggers' own documentation has the fields; a number in quotes is what some of them want.
    let vs_code = |fields: Value| {
        let mut entry = json!({ "name": name, "request": "attach" });
        if let (Some(entry), Value::Object(fields)) = (entry.as_object_mut(), fields) {
            entry.extend(fields);
        }
        way("VS Code", format!("{entry:#}"))
    };
    match (process.runtime, awaits.as_deref().and_then(|at| at.rsplit_once(':'))) {
        (Runtime::Node, Some((host, port))) => {
            let number = port.parse::<u16>().unwrap_or_default();
            let address = host.trim_matches(['[', ']']);
            vec![
                vs_code(json!({ "type": "node", "address": address, "port": number })),
                way("node inspect", format!("node inspect {host}:{port}")),
            ]
        }
        (Runtime::Node, None) => vec![
            vs_code(json!({ "type": "node", "processId": pid.to_string() })),
            way("node inspect", format!("node inspect -p {pid}")),
        ],
        (Runtime::Java, Some((host, port))) => {
            let number = port.parse::<u16>().unwrap_or_default();
            vec![
                vs_code(json!({ "type": "java", "hostName": host, "port": number })),
                way("jdb", format!("jdb -attach {host}:{port}")),
            ]
        }
        // Ruby's too: its debugger is a part of the program, which must have loaded it.
        (Runtime::Java | Runtime::Ruby | Runtime::Shell, _) => Vec::new(),
        (Runtime::DotNet, _) => vec![
            vs_code(json!({ "type": "coreclr", "processId": pid.to_string() })),
            way("netcoredbg", format!("netcoredbg --interpreter=cli --attach {pid}")),
        ],
        (Runtime::Python, _) => vec![
            vs_code(json!({ "type": "debugpy", "processId": pid })),
            way("debugpy", format!("python3 -m debugpy --listen 127.0.0.1:5678 --pid {pid}")),
        ],
        (Runtime::Go, _) => vec![
            vs_code(json!({ "type": "go", "mode": "local", "processId": pid })),
            way("Delve", format!("dlv attach {pid}")),
        ],
        (Runtime::Native | Runtime::Unknown, _) => vec![
            vs_code(json!({ "type": "lldb", "pid": pid })),
            way("gdb", format!("gdb -p {pid}")),
            way("lldb", format!("lldb -p {pid}")),
        ],
    }
}

/// Whether another process has the port at which this Node would await a debugger: a debugger would get into that one.
fn is_kept_off(process: &Relative, inspector: Inspector) -> bool {
    process.awaits.is_none()
        && matches!(inspector, Inspector::Of(other) if other != Some(process.pid))
}

fn way(tool: &str, text: String) -> AttachWay {
    AttachWay { tool: tool.to_owned(), text }
}

/// See [`crate::view::Debuggee::advice`].
pub(super) fn advice(process: &Relative, inspector: Inspector) -> Option<String> {
    let advice = match process.runtime {
        Runtime::Node if is_kept_off(process, inspector) => {
            let who = match inspector {
                Inspector::Of(Some(pid)) => format!("process {pid}"),
                _ => "another process".to_owned(),
            };
            return Some(format!(
                "Node awaits a debugger on port {NODE_INSPECTOR}, which {who} has: a debugger would get into that one. Start this one with node --inspect=127.0.0.1:9230, or any other port."
            ));
        }
        Runtime::Java if process.awaits.is_none() => {
            "This Java machine awaits no debugger. Start it with JAVA_TOOL_OPTIONS=-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:5005, and attach to port 5005."
        }
        Runtime::Python => "debugpy gets in by gdb, which must be installed.",
        Runtime::Ruby => {
            "Ruby's debugger attaches to a program that has loaded it. Start it by rdbg --open -c -- COMMAND, and attach with rdbg --attach."
        }
        Runtime::Unknown => {
            "What it runs is not to be seen: it is another user's. A debugger needs that user's rights."
        }
        _ => return None,
    };
    Some(advice.to_owned())
}
