//! `towline contexts`, `services`, `workloads`, `pods`.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use towline_core::cluster::{Cluster, Kubeconfig, Options, Show};
use towline_core::look::{self, PodRow, Scope, ServiceRow, WorkloadRow, age};
use towline_core::report::Code;

use crate::arguments::{
    ClusterArguments, ContextsArguments, Format, ListArguments, ScopeArguments,
};
use crate::failure::Failure;
use crate::output;

pub(crate) fn contexts(arguments: &ContextsArguments) -> Result<(), Failure> {
    let format = arguments.output.output;
    let kubeconfig = Kubeconfig::load(arguments.kubeconfig.as_deref())?;
    let header = ["", "NAME", "CLUSTER", "SERVER", "NAMESPACE", "PLUGIN"];
    output::rows(
        format,
        &kubeconfig.contexts(),
        &header,
        "the kubeconfig has no contexts",
        |context| {
            vec![
                if context.current { "*" } else { "" }.to_owned(),
                context.name.clone(),
                context.cluster.clone(),
                dash(context.server.as_deref()),
                context.namespace.clone().unwrap_or_else(|| "default".to_owned()),
                dash(context.plugin.as_deref()),
            ]
        },
    );
    // The contexts of the other files are listed all the same.
    match kubeconfig.broken().first() {
        None => Ok(()),
        Some(broken) => {
            let message = format!(
                "the kubeconfig {} cannot be read: {}",
                broken.file.display(),
                broken.reason
            );
            Err(Failure::new(Code::KubeconfigBroken, message)
                .with_hint("correct that file, or take it out of KUBECONFIG"))
        }
    }
}

pub(crate) async fn services(arguments: &ListArguments) -> Result<(), Failure> {
    let (cluster, scope) = open(arguments).await?;
    let rows = look::services(&cluster, &scope).await?;
    let now = Timestamp::now();
    let header = ["NAMESPACE", "NAME", "TYPE", "CLUSTER IP", "PORTS", "AGE"];
    show(arguments, &cluster, &scope, "services", &header, rows, |row: &ServiceRow| {
        let ports: Vec<String> = row
            .ports
            .iter()
            .map(|port| match &port.name {
                Some(name) => format!("{}/{} {name}", port.port, port.protocol),
                None => format!("{}/{}", port.port, port.protocol),
            })
            .collect();
        vec![
            row.namespace.clone(),
            row.name.clone(),
            row.kind.clone(),
            dash(row.cluster_ip.as_deref()),
            dash(Some(ports.join(", ").as_str())),
            since(row.created, now),
        ]
    })
    .await
}

pub(crate) async fn workloads(arguments: &ListArguments) -> Result<(), Failure> {
    let (cluster, scope) = open(arguments).await?;
    let rows = look::workloads(&cluster, &scope).await?;
    let now = Timestamp::now();
    let header = ["NAMESPACE", "NAME", "READY", "AGE", "IMAGES", "SESSION"];
    show(arguments, &cluster, &scope, "workloads", &header, rows, |row: &WorkloadRow| {
        vec![
            row.workload.namespace.clone(),
            format!("{}/{}", row.workload.kind, row.workload.name),
            format!("{}/{}", row.ready, row.desired),
            since(row.created, now),
            row.images.join(", "),
            dash(
                row.session
                    .as_ref()
                    .map(|session| format!("{}@{}", session.user, session.host))
                    .as_deref(),
            ),
        ]
    })
    .await
}

pub(crate) async fn pods(arguments: &ListArguments) -> Result<(), Failure> {
    let (cluster, scope) = open(arguments).await?;
    let rows = look::pods(&cluster, &scope).await?;
    let now = Timestamp::now();
    let header = ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "OWNER", "NODE"];
    show(arguments, &cluster, &scope, "pods", &header, rows, |row: &PodRow| {
        vec![
            row.namespace.clone(),
            row.name.clone(),
            format!("{}/{}", row.ready, row.containers),
            row.status.clone(),
            row.restarts.to_string(),
            since(row.created, now),
            dash(row.owner.as_deref()),
            dash(row.node.as_deref()),
        ]
    })
    .await
}

async fn open(arguments: &ListArguments) -> Result<(Cluster, Scope), Failure> {
    let cluster = cluster(&arguments.cluster).await?;
    let scope = scope(&arguments.scope, &cluster);
    Ok((cluster, scope))
}

/// Opens the context that the arguments name. What an exec plugin says meanwhile is passed on.
pub(crate) async fn cluster(arguments: &ClusterArguments) -> Result<Cluster, Failure> {
    // On a terminal a plugin may say what it needs ("open this page"); elsewhere its words are in the error, if it fails.
    let show: Show = Arc::new(output::pass_on);
    let show = console::user_attended_stderr().then_some(show);
    let options = Options {
        context: arguments.context.clone(),
        kubeconfig: arguments.kubeconfig.clone(),
        show,
        ..Options::default()
    };
    Ok(Cluster::open(options).await?)
}

pub(crate) fn scope(arguments: &ScopeArguments, cluster: &Cluster) -> Scope {
    match &arguments.namespace {
        _ if arguments.all_namespaces => Scope::All,
        Some(namespace) => Scope::Namespace(namespace.clone()),
        None => Scope::Namespace(cluster.default_namespace().to_owned()),
    }
}

/// A list that is empty because its namespace does not exist is an error; the API makes no difference between the two.
pub(crate) async fn check_namespace(cluster: &Cluster, scope: &Scope) -> Result<(), Failure> {
    let Scope::Namespace(name) = scope else { return Ok(()) };
    if look::namespace_exists(cluster, name).await? != Some(false) {
        return Ok(());
    }
    let message = format!("there is no namespace '{name}' in context '{}'", cluster.context());
    Err(Failure::new(Code::NamespaceUnknown, message)
        .with_hint("name another with -n, or look in all with -A"))
}

async fn show<T: Serialize>(
    arguments: &ListArguments,
    cluster: &Cluster,
    scope: &Scope,
    what: &str,
    header: &[&str],
    rows: Vec<T>,
    columns: impl Fn(&T) -> Vec<String>,
) -> Result<(), Failure> {
    if rows.is_empty() {
        check_namespace(cluster, scope).await?;
    }
    // The namespace is a column only where there can be several.
    let skip = usize::from(*scope != Scope::All);
    let nothing = match scope {
        Scope::Namespace(name) => format!("no {what} in namespace {name}"),
        Scope::All => format!("no {what}"),
    };
    let format: Format = arguments.output.output;
    output::rows(format, &rows, &header[skip..], &nothing, |row| columns(row).split_off(skip));
    Ok(())
}

fn dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned()
}

fn since(created: Option<Timestamp>, now: Timestamp) -> String {
    created.map_or_else(|| "-".to_owned(), |created| age(created, now))
}
