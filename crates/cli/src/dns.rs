//! `towline dns`: what a running session has on this machine, and a live test of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::{StreamExt, stream};
use serde::Serialize;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, lookup_host};
use towline_core::Protocol;
use towline_core::names::{NameEntry, SessionNames};
use towline_core::report::Code;
use towline_machine::hosts_file::HostsFile;

use crate::arguments::{DnsArguments, Format};
use crate::failure::Failure;
use crate::{output, running};

/// A connection that is not cut off by then stands, or the service behind it is very slow to refuse it.
const STANDS: Duration = Duration::from_secs(3);

/// How long looking a name up may take.
const LOOK_UP: Duration = Duration::from_secs(5);

/// How many ports are tried at once.
const AT_ONCE: usize = 32;

/// One port of one address.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What it is in the cluster.
    of: String,
    names: Vec<String>,
    port: u16,
    #[serde(skip_serializing_if = "Protocol::is_tcp")]
    protocol: Protocol,
    local: SocketAddr,
    target: String,
    /// Why the names do not lead to this port.
    #[serde(skip_serializing_if = "Option::is_none")]
    by_variables_only: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Test>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Test {
    Ok,
    Failed { reason: String },
}

impl Row {
    /// Whether its test failed.
    pub(crate) fn failed(&self) -> bool {
        matches!(self.test, Some(Test::Failed { .. }))
    }
}

/// The exit status: 1 where a test fails.
pub(crate) async fn run(arguments: &DnsArguments) -> Result<u8, Failure> {
    let (entry, names) = running::session(arguments.session.as_deref())?;
    let names = names.ok_or_else(|| {
        let message = format!("session {} on {} has no names yet", entry.session, entry.workload);
        Failure::new(Code::Input, message).with_hint("it has them as soon as it is connected")
    })?;
    let mut rows = rows(&names);
    if arguments.test {
        test(&names, &mut rows).await;
    }
    let failed = rows.iter().any(Row::failed);
    let header: &[&str] = match arguments.test {
        false => &["NAME", "HERE", "IN THE CLUSTER"],
        true => &["NAME", "HERE", "IN THE CLUSTER", "TEST"],
    };
    output::rows(arguments.output.output, &rows, header, "the session has no names", columns);
    if arguments.output.output == Format::Text && rows.iter().any(|row| row.names.len() > 1) {
        output::complain(
            "Each is known by its longer names too, up to NAME.NAMESPACE.svc and the cluster's domain; -o json has them all.",
        );
    }
    Ok(u8::from(failed))
}

pub(crate) fn rows(names: &SessionNames) -> Vec<Row> {
    let of_entry = |entry: &NameEntry| {
        let of = entry.subject.to_string();
        let names: Vec<String> = entry.names.iter().map(ToString::to_string).collect();
        let row = move |port: &towline_core::names::NamePort| Row {
            of: of.clone(),
            names: names.clone(),
            port: port.port,
            protocol: port.protocol,
            local: port.local,
            target: port.target.clone(),
            by_variables_only: port.by_variables_only.clone(),
            test: None,
        };
        entry.ports.iter().map(row).collect::<Vec<_>>()
    };
    names.entries.iter().flat_map(of_entry).collect()
}

pub(crate) fn columns(row: &Row) -> Vec<String> {
    let name = row.names.first().unwrap_or(&row.of);
    let target = match &row.by_variables_only {
        None => row.target.clone(),
        Some(why) => format!("{} (by variables only: {why})", row.target),
    };
    let name = format!("{name}:{}{}", row.port, row.protocol.suffix());
    let mut columns = vec![name, row.local.to_string(), target];
    columns.extend(row.test.as_ref().map(|test| match test {
        Test::Ok => "ok".to_owned(),
        Test::Failed { reason } => format!("failed: {reason}"),
    }));
    columns
}

pub(crate) async fn test(names: &SessionNames, rows: &mut [Row]) {
    // Only the session's program sees such a file; what others find is of no interest.
    let own = names.hosts_file.as_deref().map(HostsFile::look_at);
    let own = own.as_ref();
    let all = names
        .entries
        .iter()
        .flat_map(|entry| entry.names.iter().map(|name| (name.to_string(), entry.address)));
    let looked_up: BTreeMap<String, Result<(), String>> = stream::iter(all)
        .map(|(name, address)| async move {
            let found = match own {
                None => look_up(&name, address).await,
                Some(Ok(file)) => leads(&name, address, in_file(file, &name)),
                Some(Err(error)) => Err(error.to_string()),
            };
            (name, found)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let tried: BTreeMap<SocketAddr, Result<(), String>> =
        // Of a UDP port only its own protocol could tell something.
        stream::iter(rows.iter().filter(|row| row.protocol.is_tcp()).map(|row| row.local))
            .map(|local| async move { (local, connect(local).await) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
    for row in rows {
        let wrong = row.names.iter().find_map(|name| looked_up.get(name)?.clone().err());
        let tried = tried.get(&row.local).filter(|_| row.protocol.is_tcp());
        let cut = tried.and_then(|tried| tried.clone().err());
        row.test = Some(wrong.or(cut).map_or(Test::Ok, |reason| Test::Failed { reason }));
    }
}

/// Whether programs of this machine that look `name` up are led to `address`.
async fn look_up(name: &str, address: IpAddr) -> Result<(), String> {
    let found = match tokio::time::timeout(LOOK_UP, lookup_host((name, 0))).await {
        Err(_) => {
            return Err(format!("looking {name} up took longer than {} s", LOOK_UP.as_secs()));
        }
        Ok(Err(error)) => return Err(format!("{name} is not found: {error}")),
        Ok(Ok(found)) => found.map(|found| found.ip()).collect::<Vec<IpAddr>>(),
    };
    leads(name, address, found.first().copied())
}

/// The first line wins, and the session's come last.
fn in_file(file: &HostsFile, name: &str) -> Option<IpAddr> {
    let line = file
        .others
        .iter()
        .find(|line| line.names.iter().any(|known| known.eq_ignore_ascii_case(name)));
    let entry = || {
        let mut entries = file.blocks.iter().flat_map(|block| &block.entries);
        entries.find(|entry| entry.names.iter().any(|known| known.as_str() == name))
    };
    line.map(|line| line.address).or_else(|| Some(entry()?.address.ip()))
}

fn leads(name: &str, address: IpAddr, found: Option<IpAddr>) -> Result<(), String> {
    match found {
        Some(first) if first == address => Ok(()),
        Some(first) => Err(format!("{name} leads to {first}")),
        None => Err(format!("{name} has no address")),
    }
}

/// A connection that cannot be made in the cluster is cut off here; one that stands waits, or says something.
async fn connect(local: SocketAddr) -> Result<(), String> {
    let tried = async {
        let mut tcp = TcpStream::connect(local).await?;
        tcp.read(&mut [0]).await
    };
    match tokio::time::timeout(STANDS, tried).await {
        Err(_) | Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(match error.kind() {
            std::io::ErrorKind::ConnectionReset => {
                "the cluster does not take the connection".to_owned()
            }
            _ => error.to_string(),
        }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_where_the_first_line_of_the_file_says() {
        let text =
            "10.1.2.3 printer Redis.shop\n127.77.1.2 redis redis.shop # towline 0123456789ab\n";
        let file = HostsFile::parse(text.as_bytes());
        let (ours, others) = ("127.77.1.2".parse().unwrap(), "10.1.2.3".parse().unwrap());
        assert_eq!(in_file(&file, "redis"), Some(ours));
        assert_eq!(in_file(&file, "redis.shop"), Some(others));
        assert_eq!(in_file(&file, "web"), None);
        assert_eq!(leads("redis", ours, Some(ours)), Ok(()));
        assert_eq!(
            leads("redis.shop", ours, Some(others)),
            Err("redis.shop leads to 10.1.2.3".into())
        );
        assert!(leads("web", ours, None).is_err());
    }
}
