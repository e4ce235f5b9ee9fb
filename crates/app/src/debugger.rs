//! Attaching a debugger to a session's program. Towline attaches none itself: it finds the processes, and says how the user's own debugger is attached.

mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use towline_core::ports;
use towline_machine::family::{PtraceScope, Relative, Runtime, family};

use crate::view::{Debuggee, Debuggees, Hindrance};

/// The processes of the program whose first one is `pid`, and those that listen on `ports` of this machine.
///
/// # Errors
///
/// What the system answers where it does not tell who listens.
pub(crate) async fn debuggees(
    title: &str,
    pid: Option<u32>,
    ports: &[u16],
) -> std::io::Result<Debuggees> {
    let listening = listening(ports).await?;
    let inspector = match ports::holders(IpAddr::V4(Ipv4Addr::LOCALHOST), NODE_INSPECTOR, None)
        .await?
        .first()
    {
        None => Inspector::Free,
        Some(holder) => Inspector::Of(holder.pid),
    };
    let roots: Vec<u32> = pid.into_iter().chain(listening.keys().copied()).collect();
    let all = tokio::task::spawn_blocking(move || {
        roots.into_iter().flat_map(family).collect::<Vec<Relative>>()
    });
    let machine = Machine { listening, inspector, scope: PtraceScope::here() };
    Ok(arranged(title, all.await?, &machine))
}

/// What of this machine matters to a debugger.
struct Machine {
    /// The session's local ports by the process that listens on them.
    listening: BTreeMap<u32, BTreeSet<u16>>,
    inspector: Inspector,
    scope: PtraceScope,
}

/// Where a Node awaits a debugger when it is asked to (SIGUSR1; "Debugging Node.js"). All Nodes of a machine have only this one.
const NODE_INSPECTOR: u16 = 9229;

/// Who listens on [`NODE_INSPECTOR`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inspector {
    /// Nobody.
    Free,
    /// This process, if it is known.
    Of(Option<u32>),
}

/// The ports by the process that listens on them, as far as this user may see it.
async fn listening(ports: &[u16]) -> std::io::Result<BTreeMap<u32, BTreeSet<u16>>> {
    let mut found: BTreeMap<u32, BTreeSet<u16>> = BTreeMap::new();
    for &port in ports {
        // As the session connects to it.
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            for holder in ports::holders(address, port, None).await? {
                if let Some(pid) = holder.pid {
                    found.entry(pid).or_default().insert(port);
                }
            }
        }
    }
    Ok(found)
}

fn arranged(title: &str, all: Vec<Relative>, machine: &Machine) -> Debuggees {
    let Machine { listening, scope, .. } = machine;
    let mut had = BTreeSet::new();
    // A shell's code is nobody's to debug.
    let mut all: Vec<Relative> = all
        .into_iter()
        .filter(|process| process.runtime != Runtime::Shell && had.insert(process.pid))
        .collect();
    // Who listens runs the service; of the others, who was started last does the work.
    all.reverse();
    all.sort_by_key(|process| !listening.contains_key(&process.pid));
    let hindrance = all.iter().find_map(|process| hindrance(process, *scope));
    let processes = all.iter().map(|process| {
        let ports = listening.get(&process.pid).into_iter().flatten().copied().collect();
        debuggee(title, process, ports, machine.inspector)
    });
    Debuggees { processes: processes.collect(), hindrance }
}

fn debuggee(title: &str, process: &Relative, ports: Vec<u16>, inspector: Inspector) -> Debuggee {
    let name = match process.runtime {
        Runtime::DotNet => Some(".NET"),
        Runtime::Go => Some("Go"),
        Runtime::Java => Some("Java"),
        Runtime::Native => Some("machine code"),
        Runtime::Node => Some("Node.js"),
        Runtime::Python => Some("Python"),
        Runtime::Ruby => Some("Ruby"),
        Runtime::Shell => Some("shell"),
        Runtime::Unknown => None,
    };
    Debuggee {
        pid: process.pid,
        command: process.command_line(),
        runtime: name.map(str::to_owned),
        ports,
        traced_by: process.traced_by,
        ways: ways::of(title, process, inspector),
        advice: ways::advice(process, inspector),
    }
}

fn hindrance(process: &Relative, scope: PtraceScope) -> Option<Hindrance> {
    const TURN_OFF: &str = "sudo sysctl kernel.yama.ptrace_scope=0";
    if !ways::need_ptrace(process) {
        return None;
    }
    let (who, value, command) = match scope {
        PtraceScope::Everybody => return None,
        PtraceScope::Ancestors => ("only by the process that has started it", 1, Some(TURN_OFF)),
        PtraceScope::Root => ("only by processes of root", 2, Some(TURN_OFF)),
        PtraceScope::Nobody => ("by nobody until it starts anew", 3, None),
    };
    let message = format!(
        "This machine lets a process be debugged {who} (kernel.yama.ptrace_scope is {value}), so a debugger that attaches is refused."
    );
    Some(Hindrance { message, command: command.map(str::to_owned) })
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests;
