//! A pod that belongs to no controller. Its containers cannot be changed, so it is created anew under its name.

use serde_json::{Value, json};

use crate::install::Installer;
use crate::original::Place;
use crate::{AgentContainer, FieldChange, InstallError, SessionRecord, is_installed};

/// The annotation of a pod that the kubelet made from a file of its node.
const STATIC_POD: &str = "kubernetes.io/config.mirror";

/// The two manifests of a redirected bare pod.
#[derive(Clone, Debug)]
pub struct BarePod {
    /// The pod as it is to be created again; kept in a Secret first ([`crate::objects::pod_secret`]).
    pub kept: Value,
    /// The pod with the agent, to be created once the original is gone.
    pub agent: Value,
    /// The change as people read it.
    pub changes: Vec<FieldChange>,
}

/// Computes the manifests that put `agent` in the place of `container` of a bare pod. The agent's pod carries the original in its
/// annotation as well, where it fits, so that losing the Secret does not lose the pod.
///
/// # Errors
/// As [`InstallError`] says.
pub fn bare_pod(
    pod: &Value,
    container: &str,
    agent: &AgentContainer,
    record: &SessionRecord,
) -> Result<BarePod, InstallError> {
    if let Some(record) = is_installed(pod) {
        return Err(InstallError::AlreadyInstalled(Box::new(record)));
    }
    if pod.pointer("/metadata/annotations").is_some_and(|all| all.get(STATIC_POD).is_some()) {
        let node = pod.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or("unknown");
        return Err(InstallError::Static(node.to_owned()));
    }
    if let Some(owner) = controller_of(pod) {
        return Err(InstallError::Owned(owner));
    }
    let kept = manifest(pod);
    let install = |keep: Option<&Value>| {
        let mut installer = Installer::new(kept.clone(), container)?;
        installer.replace_container(agent)?;
        installer.label(&record.id)?;
        installer.ensure(Place::Workload, "/metadata/annotations", json!({}))?;
        installer.finish(record, keep)
    };
    let installation = match install(Some(&kept)) {
        // The Secret still holds it.
        Err(InstallError::TooLarge(_)) => install(None)?,
        other => other?,
    };
    Ok(BarePod { kept, agent: installation.desired, changes: installation.changes })
}

/// The pod without what the server and the scheduler have set, so that it can be created again, wherever there is room.
///
/// What admission has added (the service account's token volume, tolerations, the priority) stays: admission accepts it as it is, and so
/// the pod comes back equal, down to the names of its volumes.
fn manifest(pod: &Value) -> Value {
    let mut pod = pod.clone();
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    if let Some(pod) = pod.as_object_mut() {
        pod.remove("status");
    }
    if let Some(metadata) = pod["metadata"].as_object_mut() {
        for set_by_the_server in [
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "managedFields",
            "ownerReferences",
        ] {
            metadata.remove(set_by_the_server);
        }
    }
    if let Some(spec) = pod["spec"].as_object_mut() {
        spec.remove("nodeName");
        // Only their own subresource may add these.
        spec.remove("ephemeralContainers");
    }
    pod
}

fn controller_of(pod: &Value) -> Option<String> {
    let owners = pod.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"] == true)?;
    let kind = owner["kind"].as_str()?.to_ascii_lowercase();
    Some(format!("{kind}/{}", owner["name"].as_str()?))
}
