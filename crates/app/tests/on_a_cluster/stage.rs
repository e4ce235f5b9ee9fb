//! A controller with directories of its own, on the cluster.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use serde_json::{Value, json};
use tempfile::TempDir;
use towline_app::view::{
    App, Cluster, ClusterPhase, Preferences, Row, RowsQuery, SortColumn, TableKind, TableState,
};
use towline_app::{Controller, Directories, LoginShell, Options};
use towline_cluster_tests::namespace::Namespace;
use towline_cluster_tests::setting;

/// The name of the context in the sandbox's kubeconfig is found by [`Stage::context`].
pub(crate) struct Stage {
    pub(crate) controller: Controller,
    /// The only context.
    pub(crate) context: String,
    _home: TempDir,
}

/// How long a change may take to show on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

impl Stage {
    /// One with the administrator's kubeconfig.
    pub(crate) fn new() -> Result<Self> {
        Self::with(Path::new(&setting("TOWLINE_TEST_KUBECONFIG")?), None)
    }

    /// One with this kubeconfig, and this directory for the journal.
    pub(crate) fn with(kubeconfig: &Path, state: Option<&Path>) -> Result<Self> {
        Self::on_path(kubeconfig, state, None)
    }

    /// The same, with exec plugins looked for in other places.
    pub(crate) fn on_path(
        kubeconfig: &Path,
        state: Option<&Path>,
        path: Option<OsString>,
    ) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let below = |name: &str| home.path().join(name);
        let directories = Directories {
            config: below("config"),
            state: state.map_or_else(|| below("state"), Path::to_owned),
            logs: below("logs"),
        };
        let settings = json!({"names": "variables", "desktop": {"kubeconfig_files": [kubeconfig]}});
        std::fs::create_dir_all(&directories.config)?;
        std::fs::write(directories.config.join("settings.yaml"), settings.to_string())?;
        let options =
            Options { directories, path, login_shell: LoginShell::Ignored, logging: None };
        let controller = Controller::new(options);
        let app = controller.app();
        let context =
            app.contexts.contexts.first().with_context(|| format!("{:?}", app.contexts))?;
        let context = context.name.clone();
        Ok(Self { controller, context, _home: home })
    }

    pub(crate) fn connect(&self, namespaces: &[&str]) -> Result<()> {
        let namespaces = namespaces.iter().map(|name| (*name).to_owned()).collect();
        self.controller
            .connect_cluster(&self.context, namespaces)
            .map_err(|report| anyhow::anyhow!("{report:?}"))
    }

    /// Waits until the whole state is as `fits` says.
    pub(crate) async fn until<T>(
        &self,
        what: &str,
        mut fits: impl FnMut(&App) -> Option<T>,
    ) -> Result<T> {
        let mut changed = self.controller.changed();
        let wait = async {
            loop {
                changed.mark_unchanged();
                if let Some(found) = fits(&self.controller.app()) {
                    return found;
                }
                // The sender lives as long as the controller.
                let _ = changed.changed().await;
            }
        };
        let waited = tokio::time::timeout(LIMIT, wait).await;
        waited.with_context(|| format!("{what}: not in time; {:?}", self.controller.app().clusters))
    }

    /// Waits until the picked cluster is as `fits` says.
    pub(crate) async fn cluster(
        &self,
        what: &str,
        fits: impl Fn(&Cluster) -> bool,
    ) -> Result<Cluster> {
        self.until(what, |app| app.clusters.iter().find(|cluster| fits(cluster)).cloned()).await
    }

    pub(crate) async fn live(&self) -> Result<Cluster> {
        self.cluster("all tables live", |cluster| {
            cluster.phase == ClusterPhase::Connected
                && cluster.tables.iter().all(|table| table.state == TableState::Live)
        })
        .await
    }

    /// Waits for a row that is as `fits` says.
    pub(crate) async fn row(
        &self,
        table: TableKind,
        name: &str,
        fits: impl Fn(&Row) -> bool,
    ) -> Result<Row> {
        self.until(&format!("{table:?} {name}"), |_| {
            let rows = self.rows(table, name).ok()?;
            rows.into_iter().find(|row| row.name == name && fits(row))
        })
        .await
    }

    pub(crate) fn rows(&self, table: TableKind, filter: &str) -> Result<Vec<Row>> {
        let query = RowsQuery {
            context: self.context.clone(),
            table,
            filter: filter.to_owned(),
            sort: SortColumn::Name,
            descending: false,
            offset: 0,
            limit: 500,
        };
        let page = self.controller.rows(&query).map_err(|report| anyhow::anyhow!("{report:?}"))?;
        Ok(page.rows)
    }

    pub(crate) fn preferences(&self) -> Preferences {
        self.controller.app().preferences
    }
}

/// The token of somebody who may see what is in the namespace, and nothing else.
pub(crate) async fn looker(ns: &Namespace) -> Result<String> {
    ns.kubectl(&["create", "serviceaccount", "developer"]).await?;
    let resources = "--resource=pods,services,deployments.apps,statefulsets.apps,daemonsets.apps,replicasets.apps";
    ns.kubectl(&["create", "role", "look", "--verb=list,watch,get", resources]).await?;
    let subject = format!("--serviceaccount={}:developer", ns.name);
    ns.kubectl(&["create", "rolebinding", "look", "--role=look", &subject]).await?;
    let request = serde_json::from_value(json!({"spec": {"expirationSeconds": 3600}}))?;
    let accounts = ns.api::<ServiceAccount>();
    let granted =
        accounts.create_token_request("developer", &PostParams::default(), &request).await?;
    granted.status.and_then(|status| status.token).context("a token")
}

/// A Deployment of the sandbox's small image, and a service in front of it.
pub(crate) fn web(name: &str, replicas: u32) -> [Value; 2] {
    let container = json!({
        "name": "main", "image": "sandbox.local/busybox:1", "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "while :; do sleep 1; done"],
        "ports": [{"name": "http", "containerPort": 8080}],
    });
    let labels = json!({"app": name});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
        }},
    });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": labels, "ports": [{"name": "web", "port": 80, "targetPort": "http"}]},
    });
    [deployment, service]
}
