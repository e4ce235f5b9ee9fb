//! Contexts, and the clusters that the user has picked.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Report, Table};

/// The contexts of all kubeconfig files. Reading them contacts no cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Contexts {
    /// By name.
    pub contexts: Vec<Context>,
    /// Files that cannot be used; the contexts of the others can.
    pub broken: Vec<BrokenFile>,
    /// Why there are none.
    pub error: Option<Report>,
    /// The files that are read and watched.
    pub files: Vec<String>,
}

/// A context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// Its name.
    pub name: String,
    /// The name of its cluster entry.
    pub cluster: String,
    /// The name of its user entry.
    pub user: Option<String>,
    /// Its namespace, where it sets one.
    pub namespace: Option<String>,
    /// The API server's address.
    pub server: Option<String>,
    /// Whether it is the kubeconfig's current one.
    pub current: bool,
    /// The file that defines it.
    pub file: String,
    /// The exec plugin that gives the credentials.
    pub plugin: Option<String>,
}

/// A kubeconfig file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrokenFile {
    /// The file.
    pub file: String,
    /// Why, with line and column where that can be said.
    pub reason: String,
}

/// A cluster that the user has picked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// The context.
    pub context: String,
    /// Its state.
    pub phase: ClusterPhase,
    /// The API server's address.
    pub server: Option<String>,
    /// The API server's version, such as `v1.20.2`.
    pub version: Option<String>,
    /// The namespace of the context, else `default`.
    pub default_namespace: Option<String>,
    /// The names of all namespaces, as far as they may be listed.
    pub namespaces: Vec<String>,
    /// Why they may not be listed: the user types names instead.
    pub namespaces_refused: Option<Report>,
    /// The namespaces that are watched; empty: all of them.
    pub watched: Vec<String>,
    /// The tables' states, one for each kind.
    pub tables: Vec<Table>,
    /// When the API server was last heard.
    #[ts(type = "number | null")]
    pub heard: Option<i64>,
}

/// The states of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "phase", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ClusterPhase {
    /// On the way.
    Connecting {
        /// The exec plugin that runs, if the context has one: it may have opened a browser.
        plugin: Option<String>,
        /// What the plugin has written so far, such as a code to type.
        said: String,
        /// Since when.
        #[ts(type = "number")]
        since: i64,
    },
    /// It answers.
    Connected,
    /// It did answer and does not at the moment; rows are those of before. It is tried again by itself.
    Unreachable {
        /// Since when.
        #[ts(type = "number")]
        since: i64,
        /// Why.
        report: Report,
    },
    /// It could not be opened. Nothing is tried again before the user says so.
    Failed {
        /// Why.
        report: Report,
    },
}
