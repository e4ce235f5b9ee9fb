//! What stands beside the workload for the time of a session: the lease, the restorer, and a bare pod's manifest.
//!
//! Everything is owned by the lease, so that deleting the lease deletes the rest.

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::rbac::v1::PolicyRule;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use serde_json::{Value, json};

use crate::agent_container::{AGENT, NONROOT};
use crate::names::{
    FIELD_MANAGER, MANAGED_BY, MANAGED_BY_LABEL, POD_MANIFEST_KEY, SESSION_ANNOTATION,
    SESSION_LABEL, lease_name, session_object_name,
};
use crate::workload::resource;
use crate::{AgentContainer, Kind, SessionRecord, WorkloadRef, restore_args};

/// An object to be created in the workload's namespace.
#[derive(Clone, Debug)]
pub struct SessionObject {
    /// What it is.
    pub resource: ApiResource,
    /// Its manifest.
    pub manifest: Value,
}

impl SessionObject {
    /// The object's name.
    pub fn name(&self) -> &str {
        self.manifest["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// Creates the object.
    ///
    /// # Errors
    /// What the API server answers.
    pub async fn create(&self, client: kube::Client, namespace: &str) -> kube::Result<()> {
        let object: DynamicObject =
            serde_json::from_value(self.manifest.clone()).map_err(kube::Error::SerdeError)?;
        let api: Api<DynamicObject> = Api::namespaced_with(client, namespace, &self.resource);
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        api.create(&parameters, &object).await.map(drop)
    }
}

/// The lease of a session that begins at `now`. Creating it is what makes the workload the session's: a second creation is refused with 409.
/// The holder is the session's id; the record stands in an annotation.
pub fn lease(
    workload: &WorkloadRef,
    record: &SessionRecord,
    duration_seconds: u32,
    now: Timestamp,
) -> Lease {
    Lease {
        metadata: ObjectMeta {
            name: Some(lease_name(workload)),
            namespace: Some(workload.namespace.clone()),
            labels: Some(labels(&record.id).map(|(key, value)| (key.into(), value)).into()),
            annotations: Some([(SESSION_ANNOTATION.into(), record.to_annotation())].into()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(record.id.clone()),
            lease_duration_seconds: Some(i32::try_from(duration_seconds).unwrap_or(i32::MAX)),
            acquire_time: Some(MicroTime(now)),
            renew_time: Some(MicroTime(now)),
            ..LeaseSpec::default()
        }),
    }
}

/// The rights that the restorer needs, and so the rights that whoever creates it must hold.
///
/// Deleting pods, replica sets and revisions cannot be limited by name: their names are not known before they exist.
pub fn restorer_rules(workload: &WorkloadRef, session: &str) -> Vec<PolicyRule> {
    let rule = |group: &str, resource: &str, name: Option<&str>, verbs: &[&str]| PolicyRule {
        api_groups: Some(vec![group.to_owned()]),
        resources: Some(vec![resource.to_owned()]),
        resource_names: name.map(|name| vec![name.to_owned()]),
        verbs: verbs.iter().map(|&verb| verb.to_owned()).collect(),
        ..PolicyRule::default()
    };
    let lease = lease_name(workload);
    let mut rules = vec![rule("coordination.k8s.io", "leases", Some(&lease), &["get", "delete"])];
    if workload.kind == Kind::Pod {
        let secret = session_object_name(session);
        rules.push(rule("", "pods", None, &["get", "list", "watch", "create", "delete"]));
        rules.push(rule("", "secrets", Some(&secret), &["get"]));
        return rules;
    }
    let plural = workload.kind.plural();
    let verbs = ["get", "list", "watch", "patch"];
    rules.push(rule("apps", plural, Some(&workload.name), &verbs));
    rules.push(rule("", "pods", None, &["list", "watch", "delete"]));
    match workload.kind {
        Kind::Deployment => {
            rules.push(rule("apps", "replicasets", None, &["list", "watch", "delete"]))
        }
        Kind::StatefulSet | Kind::DaemonSet => {
            rules.push(rule("apps", "controllerrevisions", None, &["list", "delete"]));
        }
        Kind::ReplicaSet | Kind::Pod => {}
    }
    rules
}

/// The restorer: ServiceAccount, Role, RoleBinding and Job, in the order in which to create them. `lease` is the lease as the server
/// returned it: its `uid` makes it the owner.
pub fn restorer(
    workload: &WorkloadRef,
    record: &SessionRecord,
    lease: &Lease,
    agent: &AgentContainer,
) -> Vec<SessionObject> {
    let name = session_object_name(&record.id);
    let metadata = metadata(workload, record, lease);
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": restorer_rules(workload, &record.id),
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": workload.namespace}],
    });
    let job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            // It never gives up.
            "backoffLimit": i32::MAX,
            "template": {
                "metadata": {"labels": label_map(&record.id)},
                "spec": restorer_pod(workload, record, agent),
            },
        },
    });
    let rbac = |kind, plural| resource("rbac.authorization.k8s.io", "v1", kind, plural);
    vec![
        SessionObject {
            resource: resource("", "v1", "ServiceAccount", "serviceaccounts"),
            manifest: account,
        },
        SessionObject { resource: rbac("Role", "roles"), manifest: role },
        SessionObject { resource: rbac("RoleBinding", "rolebindings"), manifest: binding },
        SessionObject { resource: resource("batch", "v1", "Job", "jobs"), manifest: job },
    ]
}

/// The Secret that keeps a bare pod's manifest while the agent has the pod's name.
pub fn pod_secret(
    workload: &WorkloadRef,
    record: &SessionRecord,
    lease: &Lease,
    kept: &Value,
) -> SessionObject {
    SessionObject {
        resource: resource("", "v1", "Secret", "secrets"),
        manifest: json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata(workload, record, lease),
            "type": "Opaque",
            "stringData": {POD_MANIFEST_KEY: kept.to_string()},
        }),
    }
}

/// Where a client in a pod looks for its token, the API server's certificate authority and its namespace.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

// Accepted by the restricted pod security standard, and by a quota that wants requests and limits.
//
// The token is asked for as a projected volume: where it came by automounting, Kubernetes before 1.24 would refuse the pod until the new service
// account has its token's Secret, and the Job would try again only 10 s later.
fn restorer_pod(workload: &WorkloadRef, record: &SessionRecord, agent: &AgentContainer) -> Value {
    let pull_secrets: Vec<Value> =
        agent.pull_secret.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "serviceAccountName": session_object_name(&record.id),
        "automountServiceAccountToken": false,
        "restartPolicy": "OnFailure",
        "terminationGracePeriodSeconds": 5,
        "enableServiceLinks": false,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "imagePullSecrets": pull_secrets,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": NONROOT,
            "runAsGroup": NONROOT,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{
            "name": "restorer",
            "image": agent.image,
            "imagePullPolicy": agent.image_pull_policy.as_str(),
            "command": [AGENT],
            "args": restore_args(workload, &record.id),
            "volumeMounts": [{"name": "service-account", "mountPath": SERVICE_ACCOUNT, "readOnly": true}],
            "resources": {
                "requests": {"cpu": "1m", "memory": "16Mi"},
                "limits": {"cpu": "200m", "memory": "64Mi"},
            },
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
        }],
        "volumes": [{"name": "service-account", "projected": {"sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
        ]}}],
    })
}

fn metadata(workload: &WorkloadRef, record: &SessionRecord, lease: &Lease) -> Value {
    json!({
        "name": session_object_name(&record.id),
        "namespace": workload.namespace,
        "labels": label_map(&record.id),
        "annotations": {SESSION_ANNOTATION: record.to_annotation()},
        "ownerReferences": [{
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "name": lease.metadata.name,
            "uid": lease.metadata.uid,
        }],
    })
}

fn labels(session: &str) -> [(&'static str, String); 2] {
    [(MANAGED_BY_LABEL, MANAGED_BY.to_owned()), (SESSION_LABEL, session.to_owned())]
}

fn label_map(session: &str) -> Value {
    Value::Object(
        labels(session).map(|(key, value)| (key.to_owned(), json!(value))).into_iter().collect(),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn orders() -> (WorkloadRef, SessionRecord) {
        let workload =
            WorkloadRef { kind: Kind::Deployment, namespace: "shop".into(), name: "orders".into() };
        let record = SessionRecord {
            id: "0123456789ab".into(),
            user: "ada".into(),
            host: "lovelace".into(),
            started: "2026-01-02T03:04:05Z".parse().unwrap(),
            container: "orders".into(),
            tool_version: "0.1.0".into(),
        };
        (workload, record)
    }

    #[test]
    fn the_restorer_is_as_recorded() {
        let (workload, record) = orders();
        let mut lease = lease(&workload, &record, 120, record.started);
        lease.metadata.uid = Some("lease-uid".into());
        let agent = AgentContainer {
            image: "towline.dev/agent:0.1.0".into(),
            image_pull_policy: crate::PullPolicy::IfNotPresent,
            pull_secret: Some("registry".into()),
            args: vec![],
        };
        let objects = restorer(&workload, &record, &lease, &agent);
        let manifests: Vec<&Value> = objects.iter().map(|object| &object.manifest).collect();
        insta::assert_yaml_snapshot!("lease", lease);
        insta::assert_yaml_snapshot!("restorer", manifests);
    }

    #[test]
    fn a_bare_pods_restorer_may_read_its_own_secret_only() {
        let (mut workload, record) = orders();
        workload.kind = Kind::Pod;
        let rules = restorer_rules(&workload, &record.id);
        let secrets: Vec<_> =
            rules.iter().filter(|rule| rule.resources == Some(vec!["secrets".into()])).collect();
        assert_eq!(secrets.len(), 1);
        assert_eq!(secrets[0].resource_names, Some(vec!["towline-0123456789ab".into()]));
        assert_eq!(secrets[0].verbs, ["get"]);
    }
}
