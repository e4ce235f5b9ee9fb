//! Tables of rows.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Report, Tone};

/// The kinds of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TableKind {
    /// Services.
    Services,
    /// Deployments, StatefulSets, DaemonSets, and the ReplicaSets and pods that nothing controls.
    Workloads,
    /// Pods.
    Pods,
}

/// A table's state; its rows are asked for with `rows`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// Which.
    pub table: TableKind,
    /// Moves on with every change of rows.
    pub revision: u32,
    /// How many rows there are, before filtering.
    pub total: u32,
    /// Its state.
    pub state: TableState,
}

/// The states of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TableState {
    /// The first list is on the way.
    Loading,
    /// Watched; rows are current.
    Live,
    /// The watch is broken and begun anew; rows are those of before.
    Stale {
        /// Since when.
        #[ts(type = "number")]
        since: i64,
        /// Why.
        report: Report,
    },
    /// The right to list or watch is missing (the report names verb, resource and namespace). Rows of other namespaces may be there.
    Forbidden {
        /// What is missing.
        report: Report,
    },
}

/// Which rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RowsQuery {
    /// The context.
    pub context: String,
    /// The table.
    pub table: TableKind,
    /// Words that must all occur in name, namespace, kind, status or ports; case does not count. Empty: all rows.
    pub filter: String,
    /// By what they are sorted.
    pub sort: SortColumn,
    /// Whether the other way round.
    pub descending: bool,
    /// The first row, from 0.
    pub offset: u32,
    /// How many, at most 500.
    pub limit: u32,
}

/// What rows can be sorted by. Ties are by namespace and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SortColumn {
    /// Name.
    Name,
    /// Namespace.
    Namespace,
    /// Kind.
    Kind,
    /// The share that is ready.
    Ready,
    /// Status.
    Status,
    /// Age.
    Age,
    /// Restarts.
    Restarts,
}

/// A part of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RowsPage {
    /// The revision that it shows.
    pub revision: u32,
    /// How many rows there are.
    pub total: u32,
    /// How many fit the filter.
    pub matched: u32,
    /// The number of the first of `rows` among those that fit.
    pub offset: u32,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A service, a workload or a pod. What a kind does not have is null or empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Unique within the table: `namespace/kind/name`.
    pub key: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// `ClusterIP`, `Headless`, `NodePort`, `LoadBalancer`, `ExternalName`; `Deployment`, …; for pods the owner as `deployment/orders`, or empty.
    pub kind: String,
    /// What `plan` takes as target, such as `service/orders`; null where it cannot be redirected, and `why_not` says why.
    pub target: Option<String>,
    /// Why it cannot be redirected.
    pub why_not: Option<String>,
    /// Ready pods (workloads) or containers (pods).
    pub ready: Option<u32>,
    /// Of how many.
    pub wanted: Option<u32>,
    /// `Running`, `ImagePullBackOff`, … for pods; empty for others.
    pub status: String,
    /// How bad the row's state is.
    pub tone: Tone,
    /// As `80/TCP`, `http 80→8080/TCP`, or `8080/TCP`.
    pub ports: Vec<String>,
    /// The cluster's address of a service.
    pub address: Option<String>,
    /// Images of a workload's containers.
    pub images: Vec<String>,
    /// Names of a pod's containers, for its logs.
    pub containers: Vec<String>,
    /// How often a pod's containers were restarted.
    pub restarts: Option<u32>,
    /// The node of a pod.
    pub node: Option<String>,
    /// When it was made.
    #[ts(type = "number | null")]
    pub created: Option<i64>,
    /// The session that it is in.
    pub session: Option<SessionMark>,
}

/// Whose session an object is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SessionMark {
    /// The session's id.
    pub id: String,
    /// The user's name; empty where only the id is known.
    pub user: String,
    /// The user's machine.
    pub host: String,
    /// Since when.
    #[ts(type = "number | null")]
    pub started: Option<i64>,
    /// Whether it is a session of this application.
    pub mine: bool,
}
