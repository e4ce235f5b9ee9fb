//! Before and after: a workload must be deep-equal, and nothing of Towline may be left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::apps::v1::{ControllerRevision, ReplicaSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Pod, Secret, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::ResourceExt;
use kube::api::ListParams;
use kube::core::{DynamicObject, GroupVersionKind};
use kube::discovery::ApiResource;
use serde_json::Value;

use crate::{app::is_ready, eventually, namespace::Namespace};

impl Namespace {
    /// A workload as it is, without what the cluster counts: status, generation, resourceVersion, managedFields, revision. A bare pod is made
    /// anew, so for it also what the cluster assigns.
    ///
    /// # Errors
    /// When it does not exist.
    pub async fn workload(&self, kind: &str, name: &str) -> Result<Value> {
        let (group, version) = if kind == "Pod" { ("", "v1") } else { ("apps", "v1") };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let object: DynamicObject = self.dynamic(&resource).get(name).await?;
        let mut value = serde_json::to_value(object)?;
        let top = value.as_object_mut().context("an object")?;
        top.remove("status");
        let metadata =
            top.get_mut("metadata").and_then(Value::as_object_mut).context("metadata")?;
        for counted in ["generation", "resourceVersion", "managedFields", "selfLink"] {
            metadata.remove(counted);
        }
        if kind == "Pod" {
            for assigned in ["uid", "creationTimestamp"] {
                metadata.remove(assigned);
            }
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("deployment.kubernetes.io/revision");
            annotations.remove("deprecated.daemonset.template.generation");
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
        Ok(value)
    }

    /// Checks, without waiting, that the session is wholly undone: the workload is what it was, its `count` pods (labelled `app: NAME`) are Ready,
    /// and nothing of Towline is left but what is on its way out.
    ///
    /// # Errors
    /// With what is not as before.
    pub async fn back(&self, kind: &str, name: &str, before: &Value, count: usize) -> Result<()> {
        let now = self.workload(kind, name).await?;
        ensure!(now == *before, "{kind} {name} is not what it was\nbefore: {before}\nnow: {now}");
        let pods = self.pods(name).await?;
        let staying = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).count();
        let ready = pods.iter().filter(|pod| is_ready(pod)).count();
        ensure!(
            (staying, ready) == (count, count),
            "{name}: {staying} pods, {ready} ready; {count} were there"
        );
        let left: Vec<String> = self.bearing(Stage::Staying).await?;
        ensure!(left.is_empty(), "left: {}", left.join(", "));
        Ok(())
    }

    /// Waits until [`Namespace::back`] holds.
    ///
    /// # Errors
    /// When that does not happen.
    pub async fn comes_back(
        &self,
        kind: &str,
        name: &str,
        before: &Value,
        count: usize,
    ) -> Result<()> {
        eventually(&format!("{kind} {name} as it was"), || async {
            self.back(kind, name, before, count).await.map(Some)
        })
        .await
    }

    /// Waits until nothing in the namespace bears Towline's name, label or annotation.
    ///
    /// # Errors
    /// With what is left.
    pub async fn nothing_left(&self) -> Result<()> {
        eventually("nothing of Towline left in the namespace", || async {
            let left = self.left().await?;
            if left.is_empty() { Ok(Some(())) } else { bail!("left: {}", left.join(", ")) }
        })
        .await
    }

    /// What of Towline is in the namespace now, as `kind/name`.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn left(&self) -> Result<Vec<String>> {
        self.bearing(Stage::Any).await
    }

    /// What the `towline` of this test keeps on this machine: files, and directories of sessions.
    ///
    /// # Errors
    /// When its home cannot be read.
    pub fn kept_here(&self) -> Result<Vec<PathBuf>> {
        let mut directories = vec![self.home.path().to_owned()];
        let mut kept = Vec::new();
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(&directory)? {
                let path = entry?.path();
                // The settings are the user's own, and so is what is above a session's directory.
                if !path.is_dir() && !path.ends_with("settings.yaml") || is_of_session(&path) {
                    kept.push(path);
                } else if path.is_dir() {
                    directories.push(path);
                }
            }
        }
        Ok(kept)
    }

    async fn bearing(&self, stage: Stage) -> Result<Vec<String>> {
        let mut left = Vec::new();
        macro_rules! look {
            ($($kind:ty),*) => {$(
                for object in self.api::<$kind>().list(&ListParams::default()).await? {
                    let mut keys = object.labels().keys().chain(object.annotations().keys());
                    let marked = keys.any(|key| key.contains("towline")) || object.name_any().starts_with("towline");
                    if marked && (stage == Stage::Any || !is_leaving(&object)) {
                        left.push(format!("{}/{}", stringify!($kind), object.name_any()));
                    }
                }
            )*};
        }
        look!(
            Pod,
            ReplicaSet,
            ControllerRevision,
            Job,
            Lease,
            Secret,
            ServiceAccount,
            Role,
            RoleBinding
        );
        look!(k8s_openapi::api::apps::v1::Deployment, k8s_openapi::api::apps::v1::StatefulSet);
        look!(k8s_openapi::api::apps::v1::DaemonSet);
        Ok(left)
    }

    /// Everything in the namespace as it is wanted, by `kind/name`: what no refused session may have changed. A pod that was made anew, or a
    /// workload that was changed and changed back, shows as well.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn fingerprint(&self) -> Result<BTreeMap<String, Value>> {
        let mut all = BTreeMap::new();
        macro_rules! take {
            ($($kind:ty),*) => {$(
                for object in self.api::<$kind>().list(&ListParams::default()).await? {
                    let name = format!("{}/{}", stringify!($kind), object.name_any());
                    let mut value = serde_json::to_value(object)?;
                    let top = value.as_object_mut().context("an object")?;
                    top.remove("status");
                    if let Some(metadata) = top.get_mut("metadata").and_then(Value::as_object_mut) {
                        metadata.remove("managedFields");
                        metadata.remove("resourceVersion");
                    }
                    all.insert(name, value);
                }
            )*};
        }
        take!(
            Pod,
            ReplicaSet,
            ControllerRevision,
            Job,
            Lease,
            Secret,
            ServiceAccount,
            Role,
            RoleBinding
        );
        take!(k8s_openapi::api::apps::v1::Deployment, k8s_openapi::api::apps::v1::StatefulSet);
        take!(k8s_openapi::api::apps::v1::DaemonSet, k8s_openapi::api::core::v1::Service);
        take!(k8s_openapi::api::core::v1::ConfigMap, k8s_openapi::api::core::v1::ResourceQuota);
        Ok(all)
    }
}

/// Whether a session's id is the path's last part.
fn is_of_session(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.len() == 12 && name.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Which objects count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// All that are there.
    Any,
    /// Those that nobody has told to go.
    Staying,
}

/// Whether the cluster is removing the object: it was deleted, or is a token whose account was.
fn is_leaving(object: &impl ResourceExt) -> bool {
    object.meta().deletion_timestamp.is_some()
        || object.annotations().contains_key("kubernetes.io/service-account.uid")
}
