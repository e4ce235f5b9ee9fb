//! Holders by `/proc`.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use procfs::ProcError;
use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::{FDTarget, Process};

use super::{Holder, process};

pub(super) fn find(address: IpAddr, port: u16) -> io::Result<Vec<Holder>> {
    // A free port's listeners are never in the way, and the look through all processes is spared.
    let free = || TcpListener::bind(SocketAddr::new(address, port)).is_ok();
    let listeners =
        in_the_way(table(procfs::net::tcp())?, table(procfs::net::tcp6())?, address, port, free);
    if listeners.is_empty() {
        return Ok(Vec::new());
    }
    let mut processes = holding(&listeners)?;
    let mut holders = Vec::new();
    for listener in &listeners {
        let of_it = processes.remove(&listener.inode).unwrap_or_default();
        if of_it.is_empty() {
            holders.push(unknown(listener));
        }
        holders.extend(of_it.iter().filter_map(|of_it| holder(listener, of_it)));
    }
    holders.sort_by_key(|holder| (holder.pid.is_none(), holder.started, holder.pid, holder.uid));
    // One process with two listeners that are both in the way is one holder.
    holders.dedup_by(|a, b| a.pid == b.pid && a.started == b.started && a.uid == b.uid);
    Ok(holders)
}

/// A table; empty where the kernel has no such protocol.
fn table(table: Result<Vec<TcpNetEntry>, ProcError>) -> io::Result<Vec<TcpNetEntry>> {
    match table {
        Err(ProcError::NotFound(_)) => Ok(Vec::new()),
        other => other.map_err(failed),
    }
}

fn failed(error: ProcError) -> io::Error {
    let kind = match error {
        ProcError::PermissionDenied(_) => ErrorKind::PermissionDenied,
        ProcError::NotFound(_) => ErrorKind::NotFound,
        _ => ErrorKind::Other,
    };
    io::Error::new(kind, format!("/proc cannot be read: {error}"))
}

/// The listeners that keep others from `address` and `port`. `free` tells whether it can be listened on after all: the table does not say whether an IPv6
/// wildcard takes IPv4 too (`IPV6_V6ONLY`), and trying does.
pub(super) fn in_the_way(
    v4: Vec<TcpNetEntry>,
    v6: Vec<TcpNetEntry>,
    address: IpAddr,
    port: u16,
    free: impl FnOnce() -> bool,
) -> Vec<TcpNetEntry> {
    let listens =
        |entry: &TcpNetEntry| entry.state == TcpState::Listen && entry.local_address.port() == port;
    let (mut v4, mut v6) = (v4, v6);
    v4.retain(listens);
    v6.retain(listens);
    let has =
        |entry: &TcpNetEntry, wanted: IpAddr| entry.local_address.ip().to_canonical() == wanted;
    let wildcard_v4 = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let wildcard_v6 = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    if address.is_ipv6() {
        v6.retain(|entry| address == wildcard_v6 || has(entry, address) || has(entry, wildcard_v6));
        return v6;
    }
    let meant = |entry: &TcpNetEntry| {
        address == wildcard_v4 || has(entry, address) || has(entry, wildcard_v4)
    };
    v4.retain(meant);
    // A program that asks for ::ffff:127.0.0.1 stands in the table of IPv6.
    v4.extend(
        v6.iter()
            .filter(|entry| entry.local_address.ip().to_canonical().is_ipv4() && meant(entry))
            .cloned(),
    );
    v6.retain(|entry| has(entry, wildcard_v6));
    if v4.is_empty() && !v6.is_empty() && !free() { v6 } else { v4 }
}

/// The processes that hold each of the listeners' sockets, as far as this user may see.
fn holding(listeners: &[TcpNetEntry]) -> io::Result<BTreeMap<u64, Vec<Process>>> {
    let mut found: BTreeMap<u64, Vec<Process>> = BTreeMap::new();
    for process in procfs::process::all_processes().map_err(failed)? {
        // Another user's, or one that has just ended.
        let Ok(process) = process else { continue };
        let Ok(files) = process.fd() else { continue };
        let mut sockets: Vec<u64> = files
            .filter_map(|file| match file.ok()?.target {
                FDTarget::Socket(inode) => Some(inode),
                _ => None,
            })
            .filter(|inode| listeners.iter().any(|listener| listener.inode == *inode))
            .collect();
        sockets.sort_unstable();
        sockets.dedup();
        for inode in sockets {
            if let Ok(process) = Process::new(process.pid()) {
                found.entry(inode).or_default().push(process);
            }
        }
    }
    Ok(found)
}

fn unknown(listener: &TcpNetEntry) -> Holder {
    Holder {
        address: listener.local_address.ip(),
        port: listener.local_address.port(),
        pid: None,
        started: None,
        uid: listener.uid,
        user: process::user(listener.uid),
        command: Vec::new(),
        unit: None,
        container: None,
    }
}

/// None where the process has ended meanwhile.
fn holder(listener: &TcpNetEntry, of_it: &Process) -> Option<Holder> {
    let uid = of_it.uid().ok()?;
    let pid = u32::try_from(of_it.pid()).ok()?;
    Some(Holder {
        pid: Some(pid),
        started: Some(of_it.stat().ok()?.starttime),
        uid,
        user: process::user(uid),
        command: process::command(pid),
        unit: process::unit(pid, listener.local_address.ip(), listener.local_address.port()),
        container: process::container(pid),
        ..unknown(listener)
    })
}
