use super::*;
use crate::plan::InboundPort;
use k8s_openapi::api::core::v1::PodSpec;
use serde_json::json;
use towline_workload::Rollout;

fn resolved(container_port: u16) -> Resolved {
    let value = json!({"spec": {}});
    let spec: PodSpec = serde_json::from_value(
        json!({"containers": [{"name": "a", "ports": [{"containerPort": container_port}]}]}),
    )
    .unwrap();
    Resolved {
        workload: orders(),
        rollout: Rollout::of(Kind::Deployment, &value),
        value,
        spec,
        labels: [].into(),
        container: "a".into(),
        services: vec![],
        pods: vec![],
    }
}

fn orders() -> WorkloadRef {
    WorkloadRef { kind: Kind::Deployment, namespace: "shop".into(), name: "orders".into() }
}

#[test]
fn the_control_port_avoids_the_pods_ports() {
    let session: SessionId = "0123456789ab".parse().unwrap();
    let chosen = control_port(&session, &resolved(80), &[]);
    assert!(CONTROL_PORTS.contains(&chosen));
    assert_eq!(
        chosen,
        control_port(&session, &resolved(81), &[]),
        "the same session, the same port"
    );
    assert_ne!(chosen, control_port(&session, &resolved(chosen), &[]));
    let inbound = [InboundPort {
        remote: chosen,
        protocol: Protocol::Tcp,
        local: 1,
        name: None,
        services: vec![],
    }];
    assert_ne!(chosen, control_port(&session, &resolved(80), &inbound));
}

#[test]
fn objects_follow_kind_and_rights() {
    let kinds = |workload: &WorkloadRef, restorer| -> Vec<String> {
        let session = "0123456789ab".parse().unwrap();
        objects(workload, &session, restorer)
            .into_iter()
            .map(|object| format!("{}/{}", object.kind, object.name))
            .collect()
    };
    assert_eq!(kinds(&orders(), false), ["Lease/towline-deploy-orders"]);
    assert_eq!(kinds(&orders(), true).len(), 5);
    let pod = WorkloadRef { kind: Kind::Pod, ..orders() };
    assert_eq!(kinds(&pod, false), ["Lease/towline-pod-orders", "Secret/towline-0123456789ab"]);
}

#[test]
fn namespaces_are_the_targets_unless_others_are_asked_for() {
    let mut request = Request::new("orders".parse().unwrap());
    assert_eq!(namespaces(&request, &orders()), ["shop"]);
    request.namespaces = vec!["bank".into(), "shop".into(), "bank".into()];
    assert_eq!(namespaces(&request, &orders()), ["bank", "shop"]);
}
