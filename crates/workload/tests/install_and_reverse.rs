//! The patch and its reverse, on workloads as a server returns them.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use towline_workload::names::{ORIGINAL_ANNOTATION, SESSION_ANNOTATION, SESSION_LABEL};
use towline_workload::{
    AgentContainer, InstallError, PullPolicy, ReverseError, SessionRecord, adopt_admitted,
    bare_pod, install, is_installed, reverse, serve_args, still_ours,
};

const SESSION: &str = "0123456789ab";

fn record() -> SessionRecord {
    SessionRecord {
        id: SESSION.into(),
        user: "ada".into(),
        host: "lovelace".into(),
        started: "2026-01-02T03:04:05Z".parse().unwrap(),
        container: "orders".into(),
        tool_version: "0.1.0".into(),
    }
}

fn agent() -> AgentContainer {
    AgentContainer {
        image: "towline.dev/agent:0.1.0".into(),
        image_pull_policy: PullPolicy::IfNotPresent,
        pull_secret: Some("registry".into()),
        args: serve_args(SESSION, &"ab".repeat(32), 7777, &[8080, 9090], &[]),
    }
}

fn orders() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "orders", "namespace": "shop", "uid": "u-1", "resourceVersion": "42", "generation": 3,
            "annotations": {"deployment.kubernetes.io/revision": "1"},
        },
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "orders"}},
            "template": {
                "metadata": {"creationTimestamp": null, "labels": {"app": "orders"}},
                "spec": {
                    "securityContext": {"runAsNonRoot": true},
                    "containers": [
                        {"name": "sidecar", "image": "sidecar:1"},
                        {
                            "name": "orders", "image": "orders:1", "args": ["--port", "8080"],
                            "imagePullPolicy": "Always",
                            "env": [{"name": "GREETING", "value": "a\nb"}],
                            "livenessProbe": {"httpGet": {"path": "/alive", "port": 8080}},
                            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
                            "lifecycle": {"preStop": {"exec": {"command": ["sleep", "1"]}}},
                        },
                    ],
                },
            },
        },
        "status": {"replicas": 2},
    })
}

fn installed(workload: &Value) -> Value {
    install(workload, "orders", &agent(), &record()).unwrap().desired
}

fn container(workload: &mut Value) -> &mut Value {
    &mut workload["spec"]["template"]["spec"]["containers"][1]
}

#[test]
fn the_patch_is_as_recorded() {
    let installation = install(&orders(), "orders", &agent(), &record()).unwrap();
    insta::assert_json_snapshot!("patch", installation.patch);
    insta::assert_json_snapshot!("changes", installation.changes);
    let mut applied = orders();
    json_patch::patch(&mut applied, &installation.patch).unwrap();
    assert_eq!(applied, installation.desired);
}

#[test]
fn the_reverse_patch_puts_everything_back() {
    let installed = installed(&orders());
    let reversal = reverse(&installed).unwrap();
    assert_eq!(reversal.restored, orders());
    assert_eq!(reversal.overwritten_by_others, [""; 0]);
    assert_eq!(reversal.session, Some(record()));
    let mut applied = installed;
    json_patch::patch(&mut applied, &reversal.patch.unwrap()).unwrap();
    assert_eq!(applied, orders());
}

#[test]
fn the_patch_fails_on_a_workload_that_has_changed_since() {
    let patch = install(&orders(), "orders", &agent(), &record()).unwrap().patch;
    let mut changed = orders();
    changed["metadata"]["resourceVersion"] = json!("43");
    assert!(json_patch::patch(&mut changed, &patch).is_err());
}

#[test]
fn a_workload_without_a_session_needs_nothing() {
    let reversal = reverse(&orders()).unwrap();
    assert!(reversal.patch.is_none() && reversal.session.is_none());
    assert!(is_installed(&orders()).is_none());
}

#[test]
fn a_second_session_is_refused_with_whose_the_first_is() {
    let error = install(&installed(&orders()), "orders", &agent(), &record()).unwrap_err();
    let InstallError::AlreadyInstalled(by) = &error else { panic!("{error}") };
    assert_eq!(**by, record());
    assert!(error.to_string().contains("ada on lovelace since 2026-01-02T03:04:05Z"), "{error}");
}

#[test]
fn an_unknown_container_is_answered_by_those_that_there_are() {
    let error = install(&orders(), "web", &agent(), &record()).unwrap_err();
    assert_eq!(error.to_string(), "there is no container 'web'; choose one of: sidecar, orders");
}

#[test]
fn an_image_set_in_the_middle_stays_and_the_rest_comes_back() {
    let mut workload = installed(&orders());
    assert!(still_ours(&workload, SESSION));
    container(&mut workload)["image"] = json!("orders:2");
    assert!(!still_ours(&workload, SESSION));
    let reversal = reverse(&workload).unwrap();
    let mut expected = orders();
    container(&mut expected)["image"] = json!("orders:2");
    assert_eq!(reversal.restored, expected);
    assert_eq!(reversal.overwritten_by_others, ["containers[orders].image"]);
}

#[test]
fn a_manifest_applied_in_the_middle_stays() {
    let mut workload = installed(&orders());
    let theirs = json!({"httpGet": {"path": "/healthz", "port": 8080}});
    container(&mut workload)["image"] = json!("orders:1");
    container(&mut workload)["args"] = json!(["--port", "8080"]);
    container(&mut workload)["livenessProbe"] = theirs.clone();
    workload["spec"]["template"]["spec"]["imagePullSecrets"] =
        json!([{"name": "theirs"}, {"name": "registry"}]);
    let reversal = reverse(&workload).unwrap();
    let mut expected = orders();
    container(&mut expected)["livenessProbe"] = theirs;
    expected["spec"]["template"]["spec"]["imagePullSecrets"] = json!([{"name": "theirs"}]);
    assert_eq!(reversal.restored, expected);
    assert_eq!(reversal.overwritten_by_others, ["containers[orders].livenessProbe"]);
}

#[test]
fn a_container_renamed_in_the_middle_is_left_alone() {
    let mut workload = installed(&orders());
    container(&mut workload)["name"] = json!("orders-v2");
    let ours = container(&mut workload).clone();
    assert!(!still_ours(&workload, SESSION));
    let reversal = reverse(&workload).unwrap();
    let mut expected = orders();
    *container(&mut expected) = ours;
    assert_eq!(reversal.restored, expected);
}

#[test]
fn containers_in_another_order_are_found_by_name() {
    let mut workload = installed(&orders());
    let containers = &mut workload["spec"]["template"]["spec"]["containers"];
    containers.as_array_mut().unwrap().reverse();
    assert!(still_ours(&workload, SESSION));
    let mut expected = orders();
    expected["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap().reverse();
    assert_eq!(reverse(&workload).unwrap().restored, expected);
}

#[test]
fn what_an_admission_webhook_rewrote_is_ours_too() {
    let mut workload = installed(&orders());
    assert!(adopt_admitted(&workload).is_none());
    container(&mut workload)["image"] = json!("mirror.example/towline.dev/agent:0.1.0");
    let patch = adopt_admitted(&workload).unwrap();
    json_patch::patch(&mut workload, &patch).unwrap();
    assert!(still_ours(&workload, SESSION));
    assert_eq!(reverse(&workload).unwrap().restored, orders());
}

#[test]
fn a_number_for_the_user_is_given_only_where_it_is_needed() {
    let user = |workload: &Value| {
        installed(workload)["spec"]["template"]["spec"]["containers"][1]["securityContext"]["runAsUser"]
            .clone()
    };
    let mut workload = orders();
    assert_eq!(user(&workload), json!(65532));
    container(&mut workload)["securityContext"] = json!({"runAsNonRoot": false});
    assert_eq!(user(&workload), Value::Null);
    container(&mut workload)["securityContext"] = json!({"runAsUser": 1000});
    assert_eq!(user(&workload), json!(1000));
    workload["spec"]["template"]["spec"]["securityContext"] = json!({});
    container(&mut workload)["securityContext"] = json!({"runAsNonRoot": true});
    assert_eq!(user(&workload), json!(65532));
    workload["spec"]["template"]["spec"]["securityContext"] = json!({"runAsUser": 7});
    assert_eq!(user(&workload), Value::Null);
}

#[test]
fn an_original_that_does_not_fit_is_refused() {
    let mut workload = orders();
    workload["metadata"]["annotations"]["large"] = json!("x".repeat(262_000));
    let error = install(&workload, "orders", &agent(), &record()).unwrap_err();
    assert!(matches!(error, InstallError::TooLarge(size) if size > 262_144), "{error}");
}

#[test]
fn without_its_annotation_the_agent_is_not_taken_for_restored() {
    let mut workload = installed(&orders());
    let annotations = workload["metadata"]["annotations"].as_object_mut().unwrap();
    annotations.remove(ORIGINAL_ANNOTATION);
    assert!(
        matches!(reverse(&workload), Err(ReverseError::OriginalLost(name)) if name == "orders")
    );
    // Somebody has applied another command: then only the marks are left to be removed.
    container(&mut workload)["command"] = json!(["/orders"]);
    let restored = reverse(&workload).unwrap().restored;
    assert!(is_installed(&restored).is_none());
    assert_eq!(restored["spec"]["template"]["metadata"]["labels"], json!({"app": "orders"}));
}

#[test]
fn a_record_that_was_edited_still_says_that_the_workload_is_taken() {
    let mut workload = installed(&orders());
    workload["metadata"]["annotations"][SESSION_ANNOTATION] = json!("gibberish");
    assert_eq!(is_installed(&workload).unwrap().id, SESSION);
    assert_eq!(reverse(&workload).unwrap().restored, orders());
}

#[test]
fn a_bare_pod_is_kept_without_what_the_server_set() {
    let pod = json!({
        "metadata": {
            "name": "tool", "namespace": "shop", "uid": "u", "resourceVersion": "1",
            "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"app": "tool"},
            "managedFields": [{"manager": "kubectl"}],
        },
        "spec": {
            "nodeName": "node", "priority": 0, "containers": [{"name": "orders", "image": "tool:1"}],
            "volumes": [{"name": "default-token-x", "secret": {"secretName": "default-token-x"}}],
        },
        "status": {"phase": "Running"},
    });
    let bare = bare_pod(&pod, "orders", &agent(), &record()).unwrap();
    assert_eq!(
        bare.kept,
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "tool", "namespace": "shop", "labels": {"app": "tool"}},
            "spec": {
                "priority": 0, "containers": [{"name": "orders", "image": "tool:1"}],
                "volumes": [{"name": "default-token-x", "secret": {"secretName": "default-token-x"}}],
            },
        })
    );
    assert_eq!(bare.agent["metadata"]["labels"], json!({"app": "tool", SESSION_LABEL: SESSION}));
    assert_eq!(bare.agent["spec"]["containers"][0]["image"], "towline.dev/agent:0.1.0");
    assert!(still_ours(&bare.agent, SESSION));
    let original = bare.agent["metadata"]["annotations"][ORIGINAL_ANNOTATION].as_str().unwrap();
    let original: Value = serde_json::from_str(original).unwrap();
    assert_eq!(original["pod"], bare.kept);
}

#[test]
fn a_controllers_pod_is_refused_with_its_owner() {
    let pod = json!({
        "metadata": {"name": "x", "ownerReferences": [
            {"kind": "ReplicaSet", "name": "orders-1", "controller": true}]},
        "spec": {"containers": [{"name": "orders"}]},
    });
    let error = bare_pod(&pod, "orders", &agent(), &record()).unwrap_err();
    assert_eq!(error.to_string(), "the pod belongs to replicaset/orders-1; redirect that instead");
}
