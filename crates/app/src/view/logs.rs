//! Logs: kept in Rust (the last 50,000 lines of each), shown page by page.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum LogSource {
    /// The local program's standard output.
    ProgramOut,
    /// The local program's standard error.
    ProgramErr,
    /// Towline's agent in a pod.
    Agent,
    /// A pod's container.
    Pod,
    /// Towline about the log: begun, ended, lines lost.
    Towline,
}

/// Which lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LogQuery {
    /// A session's id, or what `open_pod_log` gave.
    pub log: String,
    /// Only these sources; empty: all.
    pub sources: Vec<LogSource>,
    /// What to look for; empty: nothing. Case does not count.
    pub search: String,
    /// Whether lines that do not match are left out.
    pub only_matches: bool,
    /// The first line, counted among those that the query shows (from 0); null: the last page.
    #[ts(type = "number | null")]
    pub offset: Option<u64>,
    /// How many, at most 1,000.
    pub limit: u32,
}

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LogPage {
    /// How many lines the query shows.
    #[ts(type = "number")]
    pub shown: u64,
    /// The place of the first of `lines` among them.
    #[ts(type = "number")]
    pub offset: u64,
    /// How many of the shown lines match the search.
    #[ts(type = "number")]
    pub matches: u64,
    /// The number of the next line that will come.
    #[ts(type = "number")]
    pub next: u64,
    /// Lines that the ring has let go.
    #[ts(type = "number")]
    pub dropped: u64,
    /// The lines.
    pub lines: Vec<LogLine>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Its number in the log.
    #[ts(type = "number")]
    pub number: u64,
    /// When it was read; of a pod's line: when it was written.
    #[ts(type = "number")]
    pub time: i64,
    /// Where it comes from.
    pub source: LogSource,
    /// The pod (and container), or empty.
    pub origin: String,
    /// The text: control characters shown as pictures, colours taken out, cut at 10,000 characters.
    pub text: String,
    /// How long the line was, in bytes, where it was cut; null: it is whole.
    #[ts(type = "number | null")]
    pub cut_from: Option<u64>,
    /// Whether it matches the search.
    pub matches: bool,
}

/// A pod's log that is to be followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PodLogQuery {
    /// The context.
    pub context: String,
    /// The namespace.
    pub namespace: String,
    /// The pods: `pod/NAME`, or a workload or service, as `deployment/orders`: all of its pods, also those that come later.
    pub target: String,
    /// The container; null: all.
    pub container: Option<String>,
}
