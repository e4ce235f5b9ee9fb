//! Which variables the container has, as far as that can be told before its pod runs: its spec, and the config maps and secrets that this names.
//!
//! What its image sets stands in no object of the cluster.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVar, PodSpec, Secret};
use kube::Api;
use serde::{Deserialize, Serialize};
use towline_wire::Protocol;

use super::OutboundService;
use crate::cluster::Cluster;
use crate::environment::{Source, SourceKeys, link_names};

/// What a container runtime gives every container.
const RUNTIME: [&str; 3] = ["PATH", "HOSTNAME", "HOME"];

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownVariables {
    /// The names that it has.
    pub names: BTreeSet<String>,
    /// Config maps and secrets that cannot be read, each with what stands before its keys: any name may be in there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<(Source, String)>,
    /// Names that the spec has and whose key is not there, which it allows: where they would come from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub absent: BTreeMap<String, String>,
}

/// What is known of a variable before the pod runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// The container has it.
    There,
    /// It may be in this config map or secret, which cannot be read; or the image sets it.
    MayBeIn(Source),
    /// The spec has it, from a key that is not there. Only the image may set it.
    KeyMissing(String),
    /// Nothing in the spec sets it. Only the image may.
    NotInSpec,
}

impl KnownVariables {
    /// Whether the container has this one.
    pub fn look_up(&self, name: &str) -> Known {
        if self.names.contains(name) {
            return Known::There;
        }
        let may_be = |(_, prefix): &&(Source, String)| {
            name.strip_prefix(prefix.as_str()).is_some_and(|key| !key.is_empty())
        };
        match (self.absent.get(name), self.unread.iter().find(may_be)) {
            (Some(key), _) => Known::KeyMissing(key.clone()),
            (None, Some((source, _))) => Known::MayBeIn(source.clone()),
            (None, None) => Known::NotInSpec,
        }
    }

    /// Reads what the container's spec names.
    pub(super) async fn read(
        cluster: &Cluster,
        namespace: &str,
        spec: &PodSpec,
        container: &str,
    ) -> Self {
        let Some(container) = spec.containers.iter().find(|found| found.name == container) else {
            return Self::default();
        };
        let mut keys = SourceKeys::new();
        for source in sources(container) {
            let read = match &source {
                Source::ConfigMap(name) => {
                    let api: Api<ConfigMap> = Api::namespaced(cluster.client(), namespace);
                    api.get_opt(name).await.map(|found| {
                        let found = found.unwrap_or_default();
                        let (texts, bytes) = (found.data, found.binary_data);
                        let texts = texts.unwrap_or_default().into_keys();
                        texts.chain(bytes.unwrap_or_default().into_keys()).collect()
                    })
                }
                Source::Secret(name) => {
                    let api: Api<Secret> = Api::namespaced(cluster.client(), namespace);
                    api.get_opt(name).await.map(|found| {
                        found.unwrap_or_default().data.unwrap_or_default().into_keys().collect()
                    })
                }
            };
            match read {
                Ok(names) => drop(keys.insert(source, names)),
                Err(error) => tracing::debug!(%source, %error, "its keys are not known"),
            }
        }
        Self::of(container, &keys)
    }

    fn of(container: &Container, keys: &SourceKeys) -> Self {
        let mut known = Self { names: RUNTIME.map(str::to_owned).into(), ..Self::default() };
        for from in container.env_from.iter().flatten() {
            let Some(source) = Source::of(from) else { continue };
            let prefix = from.prefix.clone().unwrap_or_default();
            match keys.get(&source) {
                Some(keys) => known.names.extend(keys.iter().map(|key| format!("{prefix}{key}"))),
                None => known.unread.push((source, prefix)),
            }
        }
        for variable in container.env.iter().flatten() {
            let missing = optional(variable)
                .filter(|(source, key)| keys.get(source).is_some_and(|keys| !keys.contains(key)));
            match missing {
                Some((source, key)) => {
                    let whence = format!("key {key} of {source}");
                    known.absent.insert(variable.name.clone(), whence);
                }
                None => drop(known.names.insert(variable.name.clone())),
            }
        }
        known
    }

    /// Adds what the kubelet and Towline set for services.
    pub(super) fn with_services(
        mut self,
        services: &[OutboundService],
        namespace: &str,
        links: bool,
    ) -> Self {
        for service in services {
            let links = links && service.namespace == namespace && service.cluster_ip.is_some();
            let ports =
                service.ports.iter().map(|port| (port.port, port.protocol, port.name.as_deref()));
            self.names.extend(link_names(&service.name, ports, links));
        }
        self.names.extend(link_names(
            "kubernetes",
            [(443, Protocol::Tcp, Some("https"))].into_iter(),
            true,
        ));
        self
    }
}

/// What has to be read to know the names: all of `envFrom`, and of `env` what may be missing.
fn sources(container: &Container) -> BTreeSet<Source> {
    let all = container.env_from.iter().flatten().filter_map(Source::of);
    let optional = container.env.iter().flatten().filter_map(optional);
    all.chain(optional.map(|(source, _)| source)).collect()
}

/// Where the variable comes from, if it may be missing there.
fn optional(variable: &EnvVar) -> Option<(Source, String)> {
    let from = variable.value_from.as_ref()?;
    if let Some(map) = &from.config_map_key_ref {
        return (map.optional == Some(true))
            .then(|| (Source::ConfigMap(map.name.clone()), map.key.clone()));
    }
    let secret = from.secret_key_ref.as_ref()?;
    (secret.optional == Some(true))
        .then(|| (Source::Secret(secret.name.clone()), secret.key.clone()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn container() -> Container {
        serde_json::from_value(json!({
            "name": "app",
            "env": [
                {"name": "PLAIN", "value": "x"},
                {"name": "FIELD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "redis", "key": "password"}}},
                {"name": "THERE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "there", "optional": true}}},
                {"name": "GONE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "gone", "optional": true}}},
                {"name": "UNSEEN", "valueFrom": {"secretKeyRef": {"name": "closed", "key": "x", "optional": true}}},
            ],
            "envFrom": [
                {"configMapRef": {"name": "settings"}, "prefix": "APP_"},
                {"secretRef": {"name": "closed"}, "prefix": "S_"},
            ],
        }))
        .unwrap()
    }

    #[test]
    fn what_the_spec_says() {
        let container = container();
        let read = sources(&container);
        let (settings, closed) =
            (Source::ConfigMap("settings".into()), Source::Secret("closed".into()));
        assert_eq!(read, [settings.clone(), closed.clone()].into(), "a required key is there");
        let keys = [(settings, ["there".to_owned()].into())].into();
        let known = KnownVariables::of(&container, &keys);
        for name in ["PLAIN", "FIELD", "PASSWORD", "THERE", "UNSEEN", "APP_there", "PATH"] {
            assert_eq!(known.look_up(name), Known::There, "{name}");
        }
        let gone = Known::KeyMissing("key gone of config map settings".into());
        assert_eq!(known.look_up("GONE"), gone);
        assert_eq!(known.look_up("S_TOKEN"), Known::MayBeIn(closed));
        for name in ["S_", "APP_gone", "PASSWORT"] {
            assert_eq!(known.look_up(name), Known::NotInSpec, "{name}");
        }
    }

    #[test]
    fn services_have_variables() {
        let service = OutboundService {
            namespace: "shop".into(),
            name: "my-redis".into(),
            cluster_ip: Some("10.0.0.7".parse().unwrap()),
            ports: serde_json::from_value(json!([{"name": "redis-tcp", "port": 6379}])).unwrap(),
            pods: Vec::new(),
        };
        let known = |links| {
            KnownVariables::default().with_services(std::slice::from_ref(&service), "shop", links)
        };
        for name in ["MY_REDIS_SERVICE_HOST", "MY_REDIS_SERVICE_PORT_REDIS_TCP"] {
            assert_eq!(known(false).look_up(name), Known::There, "{name}");
        }
        let link = "MY_REDIS_PORT_6379_TCP_ADDR";
        assert_eq!(known(true).look_up(link), Known::There);
        assert_eq!(known(false).look_up(link), Known::NotInSpec);
        assert_eq!(known(false).look_up("KUBERNETES_SERVICE_HOST"), Known::There);
    }
}
