//! What the application's processes take of the machine.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use towline_cluster_tests::memory::Memory;

use crate::report::{Report, number};

/// USER_HZ is 100 on every Linux that Rust runs on (proc(5)).
const TICKS_A_SECOND: f64 = 100.0;

/// A program's process and those that WebKit has started for it.
pub(crate) struct Family {
    /// What each is for, and its number.
    members: Vec<(String, u32)>,
}

impl Family {
    /// The process and its descendants that are WebKit's; local programs of sessions do not count.
    pub(crate) fn of(root: u32) -> Result<Self> {
        let mut children: BTreeMap<u32, Vec<(String, u32)>> = BTreeMap::new();
        for entry in fs::read_dir("/proc")?.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // It may have ended by now.
            let Ok(stat) = Stat::of(id) else { continue };
            children.entry(stat.parent).or_default().push((stat.name, id));
        }
        let mut members = vec![("application".to_owned(), root)];
        let mut parents = VecDeque::from([root]);
        while let Some(parent) = parents.pop_front() {
            for (name, id) in children.remove(&parent).unwrap_or_default() {
                // Names of processes are cut after 15 bytes.
                match name.as_str() {
                    "WebKitWebProces" => members.push(("page".to_owned(), id)),
                    "WebKitNetworkPr" => members.push(("network".to_owned(), id)),
                    _ => {}
                }
                parents.push_back(id);
            }
        }
        Ok(Self { members })
    }

    /// What each has in memory.
    pub(crate) fn memory(&self) -> Result<Vec<(&str, Memory)>> {
        self.members.iter().map(|(name, id)| Ok((name.as_str(), Memory::of(*id)?))).collect()
    }

    /// Seconds of CPU of each until now.
    pub(crate) fn cpu(&self) -> Result<Vec<f64>> {
        self.members.iter().map(|(_, id)| Ok(Stat::of(*id)?.cpu)).collect()
    }

    /// The share of one core, in percent, that each takes for so long.
    pub(crate) async fn cpu_during(&self, time: Duration) -> Result<Vec<(&str, f64)>> {
        let (before, start) = (self.cpu()?, Instant::now());
        tokio::time::sleep(time).await;
        let (after, passed) = (self.cpu()?, start.elapsed().as_secs_f64());
        let shares = before.iter().zip(after).map(|(before, after)| (after - before) / passed);
        Ok(self
            .members
            .iter()
            .zip(shares)
            .map(|((name, _), share)| (name.as_str(), share * 100.0))
            .collect())
    }

    /// Puts the memory of each into the report.
    pub(crate) fn report_memory(&self, when: &str, report: &mut Report) -> Result<()> {
        for (name, memory) in self.memory()? {
            report.add(
                format!("memory, {when}, {name}"),
                format!(
                    "{:.0} MB PSS, {:.0} MB RSS, {:.0} MB written",
                    memory.proportional, memory.resident, memory.written
                ),
            );
            if name == "application" {
                report.target(memory.proportional < 150.0, "below 150 MB PSS");
            }
        }
        Ok(())
    }
}

/// Puts the share of one core of each process into the report, and gives their sum.
pub(crate) fn report_cpu(shares: &[(&str, f64)], when: &str, report: &mut Report) -> f64 {
    let each = shares.iter().map(|(name, share)| format!("{name} {}", number(*share, "%")));
    let sum = shares.iter().map(|(_, share)| share).sum();
    let each = each.collect::<Vec<_>>().join(", ");
    report.add(format!("CPU, {when}"), format!("{} of one core ({each})", number(sum, "%")));
    sum
}

/// A line of /proc/ID/stat.
struct Stat {
    name: String,
    parent: u32,
    /// Seconds.
    cpu: f64,
}

impl Stat {
    fn of(id: u32) -> Result<Self> {
        let path = format!("/proc/{id}/stat");
        let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        Self::parse(&text).with_context(|| format!("understand {path}"))
    }

    /// The name may have spaces and parentheses itself.
    fn parse(text: &str) -> Option<Self> {
        let (head, rest) = text.rsplit_once(") ")?;
        let name = head.split_once(" (")?.1.to_owned();
        let fields: Vec<&str> = rest.split(' ').collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        Some(Self {
            name,
            parent: fields.get(1)?.parse().ok()?,
            cpu: (ticks(11)? + ticks(12)?) / TICKS_A_SECOND,
        })
    }
}

/// Seconds of CPU of one process until now.
pub(crate) fn cpu_of(id: u32) -> Result<f64> {
    Ok(Stat::of(id)?.cpu)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_a_strange_name() {
        let text = "7 (a) b) (c) S 3 7 7 0 -1 4194304 1 2 3 4 250 50 0 0 20 0 1 0 99 1 1";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.name.as_str(), stat.parent, stat.cpu), ("a) b) (c", 3, 3.0));
        assert!(Stat::parse("7 (a").is_none());
    }
}
