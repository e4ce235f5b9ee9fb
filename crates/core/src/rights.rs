//! The rights that Towline needs, by purpose: the one table that both the check before a session ([`crate::preflight`]) and the role for an
//! administrator ([`crate::rbac`]) are made of.

use towline_workload::Kind;

/// A right that is needed, for several verbs on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The resource, with its subresource: `pods/portforward`.
    pub resource: &'static str,
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// Where.
    pub place: Place,
    /// What becomes of a session without it.
    pub need: Need,
    /// What it is for, as a comment of the role.
    pub purpose: &'static str,
}

/// Where a right is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the target's namespace.
    Target,
    /// In each namespace whose services are to be reached.
    Services,
}

/// What becomes of a session without a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It is not possible.
    Session,
    /// The cluster does not restore the workload by itself.
    Restorer,
    /// This is lost.
    Optional(&'static str),
    /// This is lost where services have names on this machine; elsewhere nothing is.
    Names(&'static str),
    /// Nothing: it is for lists, in which the target is looked up.
    Look,
}

const GET_LIST_WATCH: &[&str] = &["get", "list", "watch"];

/// The API server's minor version from which a port-forward by WebSocket (a GET) needs the verb `create` besides `get`: the feature gate
/// `AuthorizePodWebsocketUpgradeCreatePermission`, on by default since then.
const CREATE_BY_WEBSOCKET: u32 = 35;

/// The rules for sessions on workloads of `kind`, in the order in which they are used. `minor` is the API server's version, where known.
pub fn rules(kind: Kind, minor: Option<u32>) -> Vec<Rule> {
    let mut rules = vec![
        rule(
            "",
            "namespaces",
            &["get"],
            Need::Optional(NO_NAMESPACE),
            "To tell a namespace that does not exist from an empty one.",
        ),
        services(Place::Target),
        services(Place::Services),
        endpoints(Place::Target),
        endpoints(Place::Services),
        pod_names(Place::Target),
        pod_names(Place::Services),
    ];
    rules.extend(workload(kind));
    rules.extend([
        rule(
            "",
            "pods",
            &["get", "list", "watch", "delete"],
            Need::Session,
            "To follow the workload's pods, and to replace those that their controller does not.",
        ),
        rule(
            "",
            "pods/portforward",
            &["get"],
            Need::Session,
            "The tunnel. Clusters take a port-forward that is asked for by GET for the verb get.",
        ),
    ]);
    rules.push(Rule {
        need: if minor.is_some_and(|minor| minor >= CREATE_BY_WEBSOCKET) {
            Need::Session
        } else {
            Need::Look
        },
        purpose: "Clusters from 1.35 on want the verb create as well where the tunnel is a WebSocket, because something on the way does not pass SPDY.",
        ..rule("", "pods/portforward", &["create"], Need::Session, "")
    });
    rules.push(rule(
        "coordination.k8s.io",
        "leases",
        &["get", "create", "update", "patch", "delete"],
        Need::Session,
        "The lease makes the workload one session's, and says that its client is alive.",
    ));
    rules.push(rule(
        "coordination.k8s.io",
        "leases",
        &["list"],
        Need::Look,
        "To list the sessions of a namespace.",
    ));
    rules.extend(left_behind(kind));
    rules.push(rule(
        "",
        "events",
        &["list"],
        Need::Optional(NO_EVENTS),
        "To say why a pod does not come.",
    ));
    rules.extend(restorer());
    rules.extend([
        rule(
            "",
            "configmaps",
            &["get"],
            Need::Optional(NO_ORIGINS),
            "To say from which key of a config map a variable comes, and for the authority of the API server (kube-root-ca.crt).",
        ),
        rule(
            "",
            "pods/exec",
            &["get", "create"],
            Need::Optional(NO_IMAGE_VARIABLES),
            "To read the variables that the container's image sets.",
        ),
    ]);
    rules
}

const NO_NAMESPACE: &str = "a namespace that does not exist looks like an empty one";
const NO_EVENTS: &str = "when a pod does not come, its events cannot be read for the reason";
const NO_NAMED_PORTS: &str =
    "headless services that give their pods' port by name are reached on the service's own number";
const NO_POD_NAMES: &str =
    "the single pods of headless services (such as redis-0.redis) have no names on this machine";
const NO_ORIGINS: &str = "variables that come from a whole config map are not told by key, and the authority of the pods' API server is taken from the kubeconfig";
const NO_IMAGE_VARIABLES: &str = "variables that only the container's image sets are not known";

fn rule(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    need: Need,
    purpose: &'static str,
) -> Rule {
    Rule { group, resource, verbs, place: Place::Target, need, purpose }
}

fn services(place: Place) -> Rule {
    Rule {
        place,
        ..rule(
            "",
            "services",
            GET_LIST_WATCH,
            Need::Session,
            "To find the target, and to reach services from the developer's machine.",
        )
    }
}

fn endpoints(place: Place) -> Rule {
    const PURPOSE: &str = "To find the pods' port behind a headless service that gives it by name.";
    Rule { place, ..rule("", "endpoints", &["get"], Need::Optional(NO_NAMED_PORTS), PURPOSE) }
}

fn pod_names(place: Place) -> Rule {
    const PURPOSE: &str =
        "To give the pods of headless services their names on the developer's machine.";
    Rule { place, ..rule("", "endpoints", &["list", "watch"], Need::Names(NO_POD_NAMES), PURPOSE) }
}

/// The workload itself, and what stands between it and its pods.
fn workload(kind: Kind) -> Vec<Rule> {
    const CHANGE: &str = "To put the agent in, and to put the workload back.";
    const CHANGE_VERBS: &[&str] = &["get", "list", "watch", "patch"];
    match kind {
        Kind::Deployment => vec![
            rule("apps", "deployments", CHANGE_VERBS, Need::Session, CHANGE),
            rule(
                "apps",
                "replicasets",
                &["get", "list"],
                Need::Session,
                "To find the Deployment to which a pod belongs.",
            ),
        ],
        Kind::StatefulSet => {
            vec![rule("apps", "statefulsets", CHANGE_VERBS, Need::Session, CHANGE)]
        }
        Kind::DaemonSet => vec![rule("apps", "daemonsets", CHANGE_VERBS, Need::Session, CHANGE)],
        Kind::ReplicaSet => vec![rule("apps", "replicasets", CHANGE_VERBS, Need::Session, CHANGE)],
        Kind::Pod => vec![
            rule(
                "",
                "pods",
                &["create"],
                Need::Session,
                "A bare pod cannot be changed: it is deleted and created again.",
            ),
            rule(
                "",
                "secrets",
                &["create", "get", "delete"],
                Need::Session,
                "To keep a bare pod's manifest while the agent has its name.",
            ),
        ],
    }
}

/// The revisions that a rollout leaves. The restorer's role has this too, so without it there can be no restorer.
fn left_behind(kind: Kind) -> Option<Rule> {
    const PURPOSE: &str = "To remove the revision that the agent's rollout has left.";
    match kind {
        Kind::Deployment => {
            Some(rule("apps", "replicasets", &["list", "watch", "delete"], Need::Restorer, PURPOSE))
        }
        Kind::StatefulSet | Kind::DaemonSet => {
            Some(rule("apps", "controllerrevisions", &["list", "delete"], Need::Restorer, PURPOSE))
        }
        Kind::ReplicaSet | Kind::Pod => None,
    }
}

fn restorer() -> Vec<Rule> {
    const PURPOSE: &str = "The restorer, a Job that puts the workload back when the client is gone. Its role is a part of this one.";
    const MAKE: &[&str] = &["create", "delete"];
    vec![
        rule("", "serviceaccounts", MAKE, Need::Restorer, PURPOSE),
        rule("rbac.authorization.k8s.io", "roles", MAKE, Need::Restorer, PURPOSE),
        rule("rbac.authorization.k8s.io", "rolebindings", MAKE, Need::Restorer, PURPOSE),
        rule("batch", "jobs", MAKE, Need::Restorer, PURPOSE),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use towline_workload::WorkloadRef;
    use towline_workload::objects::restorer_rules;

    // Who creates a role must hold its rights: otherwise the API server refuses it as an escalation.
    #[test]
    fn the_table_covers_the_restorers_role() {
        for kind in Kind::ALL {
            let workload = WorkloadRef { kind, namespace: "shop".into(), name: "orders".into() };
            let held = rules(kind, None);
            for needed in restorer_rules(&workload, "0123456789ab") {
                let (group, resource) =
                    (needed.api_groups.unwrap_or_default(), needed.resources.unwrap_or_default());
                for verb in &needed.verbs {
                    let covered = held.iter().any(|rule| {
                        group == [rule.group]
                            && resource == [rule.resource]
                            && rule.verbs.contains(&verb.as_str())
                    });
                    assert!(covered, "{kind}: {verb} {resource:?}");
                }
            }
        }
    }
}
