//! Whatever the workload is: putting the agent in and taking it out leaves it equal, and what others change meanwhile survives.
#![allow(clippy::unwrap_used)]

use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use towline_workload::{
    AgentContainer, PullPolicy, SessionRecord, install, is_installed, reverse, still_ours,
};

const SESSION: &str = "0123456789ab";

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~é\n]{0,12}".prop_map(Value::from),
        Just(json!({})),
        Just(json!([])),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z/~.]{1,6}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn strings() -> impl Strategy<Value = Value> {
    prop::collection::vec("[ -~]{0,6}", 0..3).prop_map(Value::from)
}

fn string_map() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-z]{1,5}(/[a-z]{1,3})?", "[ -~]{0,6}", 0..3)
        .prop_map(|map| json!(map))
}

fn maybe_null(strategy: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop_oneof![1 => Just(Value::Null), 9 => strategy]
}

fn security_context() -> impl Strategy<Value = Value> {
    (of(any::<bool>()), of(0i64..70_000), of(json_value())).prop_map(|(nonroot, user, other)| {
        object([
            ("runAsNonRoot", nonroot.map(Value::from)),
            ("runAsUser", user.map(Value::from)),
            ("capabilities", other),
        ])
    })
}

fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let fields = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(fields.collect())
}

prop_compose! {
    fn container(name: &'static str)(
        image in of("[a-z:]{1,8}".prop_map(Value::from)),
        command in of(maybe_null(strings())),
        args in of(maybe_null(strings())),
        policy in of(prop::sample::select(vec!["Always", "IfNotPresent"]).prop_map(Value::from)),
        liveness in of(json_value()),
        readiness in of(json_value()),
        startup in of(json_value()),
        lifecycle in of(json_value()),
        security in of(maybe_null(security_context())),
        env in of(json_value()),
    ) -> Value {
        object([
            ("name", Some(json!(name))),
            ("image", image),
            ("command", command),
            ("args", args),
            ("imagePullPolicy", policy),
            ("livenessProbe", liveness),
            ("readinessProbe", readiness),
            ("startupProbe", startup),
            ("lifecycle", lifecycle),
            ("securityContext", security),
            ("env", env),
        ])
    }
}

prop_compose! {
    fn workload()(
        annotations in of(maybe_null(string_map())),
        labels in of(maybe_null(string_map())),
        template_metadata in any::<bool>(),
        before in of(container("first")),
        target in container("orders"),
        after in of(container("last")),
        secrets in of(maybe_null(prop::collection::vec(
            prop::sample::select(vec!["registry", "other"]).prop_map(|name| json!({"name": name})), 0..3,
        ).prop_map(Value::from))),
        security in of(security_context()),
        status in json_value(),
    ) -> Value {
        let containers: Vec<Value> = [before, Some(target), after].into_iter().flatten().collect();
        let spec = object([
            ("containers", Some(Value::from(containers))),
            ("imagePullSecrets", secrets),
            ("securityContext", security),
        ]);
        let metadata = object([("labels", labels), ("creationTimestamp", Some(Value::Null))]);
        let template = object([
            ("metadata", template_metadata.then_some(metadata)),
            ("spec", Some(spec)),
        ]);
        let metadata = object([
            ("name", Some(json!("orders"))),
            ("uid", Some(json!("u"))),
            ("resourceVersion", Some(json!("1"))),
            ("annotations", annotations),
        ]);
        json!({"metadata": metadata, "spec": {"template": template}, "status": status})
    }
}

fn agent(pull_secret: bool) -> AgentContainer {
    AgentContainer {
        image: "towline.dev/agent:0.1.0".into(),
        image_pull_policy: PullPolicy::IfNotPresent,
        pull_secret: pull_secret.then(|| "registry".to_owned()),
        args: vec!["serve".into()],
    }
}

fn record() -> SessionRecord {
    SessionRecord {
        id: SESSION.into(),
        user: "ada".into(),
        host: "lovelace".into(),
        started: jiff::Timestamp::UNIX_EPOCH,
        container: "orders".into(),
        tool_version: "0".into(),
    }
}

/// Edits that others make to fields which Towline does not touch.
fn unrelated(workload: &mut Value, edits: &[(u8, String)]) {
    for (which, text) in edits {
        let template = &mut workload["spec"]["template"];
        let (map, key): (&mut Value, &str) = match which % 6 {
            0 => (&mut workload["metadata"], "finalizers"),
            1 => (&mut workload["spec"], "replicas"),
            2 => (&mut template["spec"], "nodeSelector"),
            3 => (&mut template["spec"], "priorityClassName"),
            4 => {
                let containers = template["spec"]["containers"].as_array_mut().unwrap();
                let ours = containers.iter_mut().find(|c| c["name"] == "orders").unwrap();
                (ours, "resources")
            }
            _ => (&mut template["spec"], "tolerations"),
        };
        map[key] = json!(text);
    }
}

fn annotate(workload: &mut Value, key: &str, value: &str) {
    let annotations = &mut workload["metadata"]["annotations"];
    if !annotations.is_object() {
        *annotations = Value::Object(Map::new());
    }
    annotations[key] = json!(value);
}

proptest! {
    #[test]
    fn putting_in_and_taking_out_changes_nothing(workload in workload(), secret in any::<bool>()) {
        let installation = install(&workload, "orders", &agent(secret), &record()).unwrap();
        prop_assert!(still_ours(&installation.desired, SESSION));
        let mut patched = workload.clone();
        json_patch::patch(&mut patched, &installation.patch).unwrap();
        prop_assert_eq!(&patched, &installation.desired);

        let reversal = reverse(&patched).unwrap();
        prop_assert_eq!(&reversal.restored, &workload);
        prop_assert!(reversal.overwritten_by_others.is_empty());
        json_patch::patch(&mut patched, &reversal.patch.unwrap()).unwrap();
        prop_assert_eq!(&patched, &workload);

        prop_assert!(is_installed(&workload).is_none());
        prop_assert!(reverse(&workload).unwrap().patch.is_none());
    }

    #[test]
    fn edits_of_others_survive(
        workload in workload(),
        edits in prop::collection::vec((any::<u8>(), "[a-z]{1,6}"), 0..6),
        annotation in of("[a-z]{1,6}"),
    ) {
        let mut meanwhile = install(&workload, "orders", &agent(true), &record()).unwrap().desired;
        let mut expected = workload;
        unrelated(&mut meanwhile, &edits);
        unrelated(&mut expected, &edits);
        if let Some(value) = annotation {
            annotate(&mut meanwhile, "their.own/annotation", &value);
            annotate(&mut expected, "their.own/annotation", &value);
        }
        prop_assert!(still_ours(&meanwhile, SESSION));
        prop_assert_eq!(reverse(&meanwhile).unwrap().restored, expected);
    }

    #[test]
    fn a_field_that_others_set_is_theirs(
        workload in workload(),
        field in prop::sample::select(vec!["image", "command", "args", "livenessProbe", "lifecycle"]),
        value in json_value(),
    ) {
        let theirs = |workload: &mut Value| {
            let containers = workload["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap();
            containers.iter_mut().find(|c| c["name"] == "orders").unwrap()[field] = value.clone();
        };
        let mut meanwhile = install(&workload, "orders", &agent(false), &record()).unwrap().desired;
        theirs(&mut meanwhile);
        let mut expected = workload;
        theirs(&mut expected);
        prop_assert_eq!(reverse(&meanwhile).unwrap().restored, expected);
    }
}
