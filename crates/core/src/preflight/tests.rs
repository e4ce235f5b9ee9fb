use super::*;
use crate::plan::Outcome;
use towline_workload::Kind;

fn orders(kind: Kind) -> WorkloadRef {
    WorkloadRef { kind, namespace: "shop".into(), name: "orders".into() }
}

fn right(resource: &str, verb: &str) -> Right {
    Right {
        namespace: "shop".into(),
        group: String::new(),
        resource: resource.into(),
        name: None,
        verb: verb.into(),
    }
}

#[test]
fn each_right_is_asked_once_and_by_name_where_a_role_may_be_limited() {
    let wanted = wanted(&orders(Kind::ReplicaSet), &["shop".into(), "bank".into()], Some(20));
    let names = |resource: &str, verb: &str| -> Vec<(&str, Option<&str>)> {
        let fits = |right: &&(Right, Need)| right.0.resource == resource && right.0.verb == verb;
        wanted
            .iter()
            .filter(fits)
            .map(|(right, _)| (right.namespace.as_str(), right.name.as_deref()))
            .collect()
    };
    assert_eq!(names("replicasets", "patch"), [("shop", Some("orders"))]);
    assert_eq!(names("replicasets", "list"), [("shop", None)]);
    assert_eq!(names("leases", "delete"), [("shop", Some("towline-rs-orders"))]);
    assert_eq!(names("leases", "create"), [("shop", None)]);
    assert_eq!(names("services", "watch"), [("shop", None), ("bank", None)]);
    assert_eq!(names("deployments", "patch"), []);
}

#[test]
fn a_tunnel_needs_the_verb_create_from_1_35_on() {
    let creates = |minor| {
        wanted(&orders(Kind::Deployment), &["shop".into()], minor)
            .iter()
            .any(|(right, _)| right.resource == "pods/portforward" && right.verb == "create")
    };
    assert_eq!([creates(None), creates(Some(34)), creates(Some(35))], [false, false, true]);
}

#[test]
fn what_is_missing_is_told_by_verb_resource_and_namespace() {
    let lost = Need::Optional("something is lost");
    let missing = vec![
        (right("pods/exec", "create"), lost),
        (right("pods", "delete"), Need::Session),
        (Right { group: "batch".into(), ..right("jobs", "create") }, Need::Restorer),
        (right("pods", "watch"), Need::Session),
    ];
    let rights = Rights { asked: 30, missing, mute: false };
    assert!(!rights.restorer());
    let told: Vec<(Outcome, String)> =
        rights.checks().into_iter().map(|check| (check.outcome, check.message)).collect();
    assert_eq!(
        told,
        [
            (Outcome::Blocked, "You may not delete, watch pods in namespace shop.".to_owned()),
            (Outcome::Warning, "You may not create pods/exec in namespace shop: something is lost.".to_owned()),
            (
                Outcome::Warning,
                "The cluster will not restore the workload by itself when this machine is gone, because you may not create jobs.batch."
                    .to_owned()
            ),
        ]
    );
}
