//! What Towline writes on objects of a cluster, and what it calls its own objects there.

use crate::WorkloadRef;

/// The label that the agent's pods and all of Towline's own objects carry; its value is the session's id.
pub const SESSION_LABEL: &str = "towline.dev/session";

/// The annotation on the workload and on the lease that says whose session it is: a [`crate::SessionRecord`] as JSON.
pub const SESSION_ANNOTATION: &str = "towline.dev/session";

/// The annotation on the workload that holds the way back: an [`crate::Original`] as JSON.
pub const ORIGINAL_ANNOTATION: &str = "towline.dev/original";

/// The label by which Towline's own objects are told from the agent's pods (which keep the labels that they had).
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";

/// The value of [`MANAGED_BY_LABEL`].
pub const MANAGED_BY: &str = "towline";

/// Who changed a field, as `managedFields` shows it.
pub const FIELD_MANAGER: &str = "towline";

/// The key of the Secret that keeps a bare pod's manifest.
pub const POD_MANIFEST_KEY: &str = "pod.json";

/// The longest name of an object, in bytes (RFC 1123 subdomain).
const LONGEST_NAME: usize = 253;

/// The lease of a workload. It depends on nothing but the workload, so that two sessions cannot both create it.
pub fn lease_name(workload: &WorkloadRef) -> String {
    let name = format!("towline-{}-{}", workload.kind.short(), workload.name);
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let digest = format!("{:016x}", fnv1a(&name));
    let kept = name[..LONGEST_NAME - digest.len() - 1].trim_end_matches(['.', '-']);
    format!("{kept}-{digest}")
}

/// The name of what belongs to one session: the restorer's Job, ServiceAccount, Role and RoleBinding, and a bare pod's Secret.
pub fn session_object_name(session: &str) -> String {
    format!("towline-{session}")
}

/// The label selector of the pods in which the agent runs for `session`; the restorer's own pod is not among them.
pub fn agent_pods_selector(session: &str) -> String {
    format!("{SESSION_LABEL}={session},{MANAGED_BY_LABEL}!={MANAGED_BY}")
}

/// The label selector of all that carries the session's label.
pub fn session_selector(session: &str) -> String {
    format!("{SESSION_LABEL}={session}")
}

// FNV-1a, because the standard library's hash may change between versions and two versions must agree on the lease's name.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn named(name: &str) -> WorkloadRef {
        WorkloadRef { kind: Kind::StatefulSet, namespace: "shop".into(), name: name.into() }
    }

    #[test]
    fn a_lease_is_named_after_its_workload() {
        assert_eq!(lease_name(&named("catalogue")), "towline-sts-catalogue");
    }

    #[test]
    fn a_name_too_long_is_cut_and_stays_its_own() {
        let (one, two) = (format!("{}a", "x.".repeat(125)), format!("{}b", "x.".repeat(125)));
        let (one, two) = (lease_name(&named(&one)), lease_name(&named(&two)));
        assert!(one.len() <= 253 && two.len() <= 253);
        assert_ne!(one, two);
        assert!(!one.contains(".-") && !one.contains("--"), "{one}");
    }
}
