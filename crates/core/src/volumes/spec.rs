//! What volumes a container has, as its pod's spec says.

use serde_json::Value;

use super::{Handling, PlannedVolume, VolumeKind};
use crate::request::Volumes;

/// Where the cluster puts a service account's credentials.
pub(crate) const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Whose spec it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// A template: admission will add the service account's credentials, as far as the template does not forbid it.
    Template,
    /// A pod: all is there.
    Pod,
}

impl PlannedVolume {
    /// What `container` mounts, the outer before the inner; `spec` is its pod's spec.
    pub(crate) fn of_spec(spec: &Value, container: &str, of: Of, wanted: Volumes) -> Vec<Self> {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let containers = list(&spec["containers"]);
        let Some(container) = containers.iter().find(|found| found["name"] == container) else {
            return Vec::new();
        };
        let volumes = list(&spec["volumes"]);
        let mut found: Vec<Self> = list(&container["volumeMounts"])
            .iter()
            .map(|mount| of_mount(mount, &volumes, wanted))
            .collect();
        let promised = of == Of::Template && spec["automountServiceAccountToken"] != false;
        if promised && found.iter().all(|volume| volume.mount_path != SERVICE_ACCOUNT) {
            let account = spec["serviceAccountName"].as_str().unwrap_or("default");
            found.push(Self {
                name: "the cluster adds it".to_owned(),
                mount_path: SERVICE_ACCOUNT.to_owned(),
                kind: VolumeKind::ServiceAccount,
                source: Some(account.to_owned()),
                read_only: true,
                sub_path: None,
                handling: handling(VolumeKind::ServiceAccount, wanted),
            });
        }
        found.sort_by(|a, b| a.mount_path.cmp(&b.mount_path));
        found.dedup_by(|a, b| a.mount_path == b.mount_path);
        found
    }
}

fn of_mount(mount: &Value, volumes: &[Value], wanted: Volumes) -> PlannedVolume {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&mount["name"]);
    let volume = volumes.iter().find(|volume| volume["name"] == name.as_str());
    let mount_path = clean(&text(&mount["mountPath"]));
    let (mut kind, source) = volume.map_or((VolumeKind::Other, None), kind);
    if mount_path == SERVICE_ACCOUNT && matches!(kind, VolumeKind::Projected | VolumeKind::Secret) {
        kind = VolumeKind::ServiceAccount;
    }
    PlannedVolume {
        name,
        mount_path,
        kind,
        source,
        read_only: mount["readOnly"].as_bool().unwrap_or(false),
        sub_path: mount["subPath"].as_str().or(mount["subPathExpr"].as_str()).map(str::to_owned),
        handling: handling(kind, wanted),
    }
}

/// The path as the kernel has it. A relative one begins at the container's root, as the runtimes take it.
fn clean(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}

fn handling(kind: VolumeKind, wanted: Volumes) -> Handling {
    use VolumeKind as K;
    match (wanted, kind) {
        (Volumes::None, _) => Handling::Left,
        (
            Volumes::Small,
            K::ConfigMap | K::Secret | K::Projected | K::DownwardApi | K::ServiceAccount,
        ) => Handling::Copied,
        (Volumes::Small, _) => Handling::OnDemand,
    }
}

/// What sort of volume it is, and of what.
fn kind(volume: &Value) -> (VolumeKind, Option<String>) {
    let field = |at: &str| volume.pointer(at).and_then(Value::as_str).map(str::to_owned);
    let known = [
        ("configMap", VolumeKind::ConfigMap, "/configMap/name"),
        ("secret", VolumeKind::Secret, "/secret/secretName"),
        ("persistentVolumeClaim", VolumeKind::Claim, "/persistentVolumeClaim/claimName"),
        ("downwardAPI", VolumeKind::DownwardApi, ""),
        ("emptyDir", VolumeKind::EmptyDir, "/emptyDir/medium"),
        ("hostPath", VolumeKind::HostPath, "/hostPath/path"),
        (
            "ephemeral",
            VolumeKind::Ephemeral,
            "/ephemeral/volumeClaimTemplate/spec/storageClassName",
        ),
        ("csi", VolumeKind::Csi, "/csi/driver"),
    ];
    for (name, kind, source) in known {
        if volume.get(name).is_some() {
            return (kind, (!source.is_empty()).then(|| field(source)).flatten());
        }
    }
    if let Some(projected) = volume.get("projected") {
        let sources = projected["sources"].as_array().cloned().unwrap_or_default();
        let sources: Vec<String> = sources.iter().filter_map(projection).collect();
        return (VolumeKind::Projected, (!sources.is_empty()).then(|| sources.join(", ")));
    }
    let other = volume.as_object().and_then(|all| all.keys().find(|key| *key != "name").cloned());
    (VolumeKind::Other, other)
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

    fn spec() -> Value {
        json!({
            "containers": [{"name": "side"}, {"name": "main", "volumeMounts": [
                {"name": "scratch", "mountPath": "/scratch/"},
                {"name": "settings", "mountPath": "/etc/a", "readOnly": true, "subPath": "a.yaml"},
                {"name": "token", "mountPath": "etc/../token/./"},
                {"name": "odd", "mountPath": "/odd"},
                {"name": "gone", "mountPath": "/gone"},
            ]}],
            "volumes": [
                {"name": "settings", "configMap": {"name": "shop"}},
                {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"configMap": {"name": "ca"}}]}},
                {"name": "scratch", "emptyDir": {}},
                {"name": "odd", "glusterfs": {"path": "x"}},
            ],
        })
    }

    #[test]
    fn every_kind_has_its_handling() {
        let found = PlannedVolume::of_spec(&spec(), "main", Of::Pod, Volumes::Small);
        let told: Vec<_> =
            found.iter().map(|v| (v.mount_path.as_str(), v.kind, v.handling)).collect();
        let expected = [
            ("/etc/a", VolumeKind::ConfigMap, Handling::Copied),
            ("/gone", VolumeKind::Other, Handling::OnDemand),
            ("/odd", VolumeKind::Other, Handling::OnDemand),
            ("/scratch", VolumeKind::EmptyDir, Handling::OnDemand),
            ("/token", VolumeKind::Projected, Handling::Copied),
        ];
        assert_eq!(told, expected);
        assert_eq!(found[4].source.as_deref(), Some("service account token, config map ca"));
        let none = PlannedVolume::of_spec(&spec(), "main", Of::Pod, Volumes::None);
        assert!(none.iter().all(|volume| volume.handling == Handling::Left));
    }

    #[test]
    fn a_template_gets_the_service_accounts_credentials_unless_it_forbids_them() {
        let of = |spec: &Value| PlannedVolume::of_spec(spec, "side", Of::Template, Volumes::Small);
        let mut spec = spec();
        assert_eq!(of(&spec).len(), 1);
        assert_eq!(of(&spec)[0].kind, VolumeKind::ServiceAccount);
        spec["automountServiceAccountToken"] = false.into();
        assert!(of(&spec).is_empty());
        assert!(PlannedVolume::of_spec(&spec, "none", Of::Pod, Volumes::Small).is_empty());
    }
}
