//! The volumes of a container, as its pod's template says.

use serde_json::Value;

use crate::view::Volume;

/// What `container` mounts; `spec` is the pods' spec.
pub(super) fn of(spec: &Value, container: &str) -> Vec<Volume> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let containers = list(&spec["containers"]);
    let Some(container) = containers.iter().find(|found| found["name"] == container) else {
        return Vec::new();
    };
    let volumes = list(&spec["volumes"]);
    let mounts = list(&container["volumeMounts"]);
    mounts.iter().map(|mount| of_mount(mount, &volumes)).collect()
}

fn of_mount(mount: &Value, volumes: &[Value]) -> Volume {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&mount["name"]);
    let volume = volumes.iter().find(|volume| volume["name"] == name.as_str());
    let (kind, source) = volume.map(kind).unwrap_or_default();
    Volume {
        mount_path: text(&mount["mountPath"]),
        read_only: mount["readOnly"].as_bool().unwrap_or(false),
        sub_path: mount["subPath"].as_str().or(mount["subPathExpr"].as_str()).map(str::to_owned),
        name,
        kind,
        source,
    }
}

/// What sort of volume it is, and of what.
fn kind(volume: &Value) -> (String, Option<String>) {
    let field = |at: &str| volume.pointer(at).and_then(Value::as_str).map(str::to_owned);
    let known = [
        ("configMap", "config map", "/configMap/name"),
        ("secret", "secret", "/secret/secretName"),
        ("persistentVolumeClaim", "claim", "/persistentVolumeClaim/claimName"),
        ("downwardAPI", "downward API", ""),
        ("emptyDir", "empty directory", ""),
        ("hostPath", "hostPath", "/hostPath/path"),
        ("csi", "csi", "/csi/driver"),
        ("nfs", "nfs", "/nfs/path"),
    ];
    for (name, kind, source) in known {
        if volume.get(name).is_some() {
            let source = (!source.is_empty()).then(|| field(source)).flatten();
            return (kind.to_owned(), source);
        }
    }
    if let Some(projected) = volume.get("projected") {
        let sources = projected["sources"].as_array().cloned().unwrap_or_default();
        let sources: Vec<String> = sources.iter().filter_map(projection).collect();
        return ("projected".to_owned(), (!sources.is_empty()).then(|| sources.join(", ")));
    }
    let other = volume.as_object().and_then(|all| all.keys().find(|key| *key != "name").cloned());
    (other.unwrap_or_default(), None)
}

fn projection(source: &Value) -> Option<String> {
    let name = |at: &str| source.pointer(at).and_then(Value::as_str);
    if let Some(name) = name("/configMap/name") {
        return Some(format!("config map {name}"));
    }
    if let Some(name) = name("/secret/name") {
        return Some(format!("secret {name}"));
    }
    let kinds = [("serviceAccountToken", "service account token"), ("downwardAPI", "downward API")];
    let known = kinds.iter().find(|(key, _)| source.get(*key).is_some());
    let other = || source.as_object().and_then(|all| all.keys().next().cloned());
    known.map(|(_, words)| (*words).to_owned()).or_else(other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_says_of_what() {
        let spec = json!({
            "containers": [{"name": "side"}, {"name": "main", "volumeMounts": [
                {"name": "settings", "mountPath": "/etc/a", "readOnly": true, "subPath": "a.yaml"},
                {"name": "keys", "mountPath": "/keys"},
                {"name": "token", "mountPath": "/token"},
                {"name": "scratch", "mountPath": "/scratch"},
                {"name": "odd", "mountPath": "/odd"},
                {"name": "gone", "mountPath": "/gone"},
            ]}],
            "volumes": [
                {"name": "settings", "configMap": {"name": "shop"}},
                {"name": "keys", "secret": {"secretName": "keys"}},
                {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"configMap": {"name": "ca"}}, {"downwardAPI": {}}]}},
                {"name": "scratch", "emptyDir": {}},
                {"name": "odd", "glusterfs": {"path": "x"}},
            ],
        });
        let told: Vec<(String, Option<String>)> =
            of(&spec, "main").into_iter().map(|volume| (volume.kind, volume.source)).collect();
        let expected = [
            ("config map", Some("shop")),
            ("secret", Some("keys")),
            ("projected", Some("service account token, config map ca, downward API")),
            ("empty directory", None),
            ("glusterfs", None),
            ("", None),
        ];
        let expected = expected.map(|(kind, source)| (kind.to_owned(), source.map(str::to_owned)));
        assert_eq!(told, expected);
        let first = &of(&spec, "main")[0];
        assert_eq!((first.read_only, first.sub_path.as_deref()), (true, Some("a.yaml")));
        assert!(of(&spec, "side").is_empty() && of(&spec, "none").is_empty());
    }
}
