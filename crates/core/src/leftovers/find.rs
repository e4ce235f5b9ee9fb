//! Finding sessions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::ListParams;
use towline_workload::names::{MANAGED_BY, MANAGED_BY_LABEL, SESSION_LABEL, lease_name};
use towline_workload::{Kind, SessionRecord, WorkloadRef, is_installed};

use super::SessionStatus;
use crate::cluster::{Cluster, ClusterError};
use crate::lease::LeaseState;
use crate::look::{self, Scope};

/// Every session of the scope, by workload.
///
/// # Errors
///
/// What the API server answers.
pub async fn status(cluster: &Cluster, scope: &Scope) -> Result<Vec<SessionStatus>, ClusterError> {
    let (leases, restorers, workloads) = tokio::try_join!(
        owned::<Lease>(cluster, scope, "leases"),
        owned::<Pod>(cluster, scope, "restorers"),
        workloads(cluster, scope),
    )?;
    Ok(merge(&workloads, &leases, &restorers, Timestamp::now()))
}

/// Towline's own objects of a kind.
async fn owned<K>(cluster: &Cluster, scope: &Scope, what: &str) -> Result<Vec<K>, ClusterError>
where
    K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let ours = ListParams::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"));
    look::all(&scope.api::<K>(cluster), &ours).await.map_err(|error| {
        cluster.explain(format!("list the {what} of sessions {}", scope.phrase()), error)
    })
}

type Known = (WorkloadRef, Option<SessionRecord>);

/// Every workload of the scope, with the session that it is in.
async fn workloads(cluster: &Cluster, scope: &Scope) -> Result<Vec<Known>, ClusterError> {
    let lists = Kind::ALL.map(|kind| async move {
        let objects = look::objects(cluster, scope, kind).await?;
        // A Deployment hands its annotations down to its ReplicaSets.
        let own = objects
            .into_iter()
            .filter(|object| look::controller(object.owner_references()).is_none());
        let named = own.map(|object| {
            let namespace = object.namespace().unwrap_or_default();
            let workload = WorkloadRef { kind, namespace, name: object.name_any() };
            let record = serde_json::to_value(&object).ok().and_then(|value| is_installed(&value));
            (workload, record)
        });
        Ok::<_, ClusterError>(named.collect::<Vec<_>>())
    });
    Ok(futures::future::try_join_all(lists).await?.concat())
}

fn merge(
    workloads: &[Known],
    leases: &[Lease],
    restorers: &[Pod],
    now: Timestamp,
) -> Vec<SessionStatus> {
    let mut found: BTreeMap<WorkloadRef, SessionStatus> = BTreeMap::new();
    let blank = |workload: &WorkloadRef, workload_exists| SessionStatus {
        workload: workload.clone(),
        workload_exists,
        record: None,
        installed: None,
        lease: None,
        restorer: None,
    };
    for (workload, record) in workloads {
        let Some(record) = record else { continue };
        let status = found.entry(workload.clone()).or_insert_with(|| blank(workload, true));
        status.installed = Some(record.id.clone());
        status.record = Some(record.clone());
    }
    for lease in leases {
        let namespace = lease.namespace().unwrap_or_default();
        let own = |workload: &&WorkloadRef| {
            workload.namespace == namespace && lease_name(workload) == lease.name_any()
        };
        let existing = workloads.iter().map(|(workload, _)| workload).find(own);
        let named = || named_by(&lease.name_any(), &namespace);
        let Some(workload) = existing.cloned().or_else(named) else { continue };
        let status =
            found.entry(workload.clone()).or_insert_with(|| blank(&workload, existing.is_some()));
        let lease = LeaseState::of(lease, now);
        status.record = status.record.take().or_else(|| lease.record.clone());
        status.restorer = restorers
            .iter()
            .find(|pod| is_restorer_of(pod, &namespace, &lease.holder))
            .map(look::status);
        status.lease = Some(lease);
    }
    found.into_values().collect()
}

fn is_restorer_of(pod: &Pod, namespace: &str, session: &str) -> bool {
    pod.namespace().as_deref() == Some(namespace)
        && pod.labels().get(SESSION_LABEL).is_some_and(|id| id == session)
}

/// The workload that a lease is named after, as far as the name was not too long.
fn named_by(lease: &str, namespace: &str) -> Option<WorkloadRef> {
    let rest = lease.strip_prefix("towline-")?;
    Kind::ALL.into_iter().find_map(|kind| {
        let name = rest.strip_prefix(kind.short())?.strip_prefix('-')?;
        Some(WorkloadRef { kind, namespace: namespace.to_owned(), name: name.to_owned() })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn workload(kind: Kind, name: &str) -> WorkloadRef {
        WorkloadRef { kind, namespace: "shop".into(), name: name.into() }
    }

    fn record(id: &str) -> SessionRecord {
        SessionRecord {
            id: id.into(),
            user: "ada".into(),
            host: "lovelace".into(),
            started: Timestamp::UNIX_EPOCH,
            container: "a".into(),
            tool_version: "0.1.0".into(),
        }
    }

    fn lease(name: &str, holder: &str) -> Lease {
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "shop", "annotations": {"towline.dev/session": record(holder).to_annotation()}},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": 10, "renewTime": "1970-01-01T00:00:00.000000Z"},
        }))
        .unwrap()
    }

    #[test]
    fn lease_workload_and_restorer_make_one_session() {
        let workloads = [
            (workload(Kind::Deployment, "orders"), Some(record("aaaaaaaaaaaa"))),
            (workload(Kind::Deployment, "gateway"), None),
            (workload(Kind::StatefulSet, "db"), Some(record("bbbbbbbbbbbb"))),
        ];
        let leases = [
            lease("towline-deploy-orders", "aaaaaaaaaaaa"),
            lease("towline-deploy-gateway", "cccccccccccc"),
            lease("towline-ds-gone", "dddddddddddd"),
        ];
        let restorer = serde_json::from_value(json!({
            "metadata": {"name": "r", "namespace": "shop", "labels": {"towline.dev/session": "aaaaaaaaaaaa"}},
            "status": {"phase": "Running"},
        }))
        .unwrap();
        let statuses = merge(&workloads, &leases, &[restorer], Timestamp::UNIX_EPOCH);
        let rows: Vec<_> = statuses
            .iter()
            .map(|status| {
                let name = format!("{}/{}", status.workload.kind, status.workload.name);
                (
                    name,
                    status.workload_exists,
                    status.sessions(),
                    status.is_live(),
                    status.restorer.as_deref(),
                )
            })
            .collect();
        let ids = |id: &str| vec![id.to_owned()];
        assert_eq!(
            rows,
            [
                ("deployment/gateway".into(), true, ids("cccccccccccc"), true, None),
                ("deployment/orders".into(), true, ids("aaaaaaaaaaaa"), true, Some("Running")),
                ("statefulset/db".into(), true, ids("bbbbbbbbbbbb"), false, None),
                ("daemonset/gone".into(), false, ids("dddddddddddd"), true, None),
            ]
        );
    }

    #[test]
    fn a_take_over_that_broke_off_names_both_sessions() {
        let workloads = [(workload(Kind::Deployment, "orders"), Some(record("aaaaaaaaaaaa")))];
        let statuses = merge(
            &workloads,
            &[lease("towline-deploy-orders", "bbbbbbbbbbbb")],
            &[],
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(statuses[0].sessions(), ["aaaaaaaaaaaa", "bbbbbbbbbbbb"]);
    }
}
