//! What is known of a cluster.

use towline_core::cluster::Cluster;

use super::now;
use crate::explorer::tables::Tables;
use crate::view::{self, ClusterPhase, Context, Report};

pub(super) struct State {
    pub(super) phase: ClusterPhase,
    pub(super) server: Option<String>,
    pub(super) version: Option<String>,
    pub(super) default_namespace: Option<String>,
    pub(super) namespaces: Vec<String>,
    pub(super) namespaces_refused: Option<Report>,
    pub(super) heard: Option<i64>,
    pub(super) tables: Tables,
}

impl State {
    pub(super) fn connecting(entry: Context) -> Self {
        let phase =
            ClusterPhase::Connecting { plugin: entry.plugin, said: String::new(), since: now() };
        Self {
            phase,
            server: entry.server,
            version: None,
            default_namespace: Some(entry.namespace.unwrap_or_else(|| "default".to_owned())),
            namespaces: Vec::new(),
            namespaces_refused: None,
            heard: None,
            tables: Tables::default(),
        }
    }

    pub(super) fn open(&mut self, cluster: &Cluster) {
        self.phase = ClusterPhase::Connected;
        self.server = Some(cluster.server().to_owned());
        self.version = Some(cluster.version().text.clone());
        self.default_namespace = Some(cluster.default_namespace().to_owned());
        self.heard = Some(now());
    }

    /// The cluster is out of reach: every table says so, whatever its watches believe.
    pub(super) fn stale(&mut self, since: i64, report: &Report) {
        self.tables.stale(since, report);
    }

    pub(super) fn view(&self, context: &str, watched: Vec<String>) -> view::Cluster {
        view::Cluster {
            context: context.to_owned(),
            phase: self.phase.clone(),
            server: self.server.clone(),
            version: self.version.clone(),
            default_namespace: self.default_namespace.clone(),
            namespaces: self.namespaces.clone(),
            namespaces_refused: self.namespaces_refused.clone(),
            watched,
            tables: self.tables.states(),
            heard: self.heard,
        }
    }
}
