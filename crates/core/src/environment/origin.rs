//! Where a variable comes from, as the container's spec tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar};
use serde::{Deserialize, Serialize};

/// Where a variable comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// A value written in the pod's spec.
    Literal,
    /// A key of a config map.
    ConfigMap {
        /// The config map.
        name: String,
        /// The key.
        key: String,
    },
    /// A key of a secret.
    Secret {
        /// The secret.
        name: String,
        /// The key.
        key: String,
    },
    /// One of the `envFrom` sources; which one cannot be told without reading them.
    OneOf {
        /// The sources that it can be.
        sources: Vec<Source>,
    },
    /// A field of the pod (the downward API).
    Field {
        /// Such as `status.podIP`.
        path: String,
    },
    /// A request or a limit of a container.
    Resource {
        /// Such as `limits.memory`.
        resource: String,
    },
    /// A key of a file in a volume.
    File {
        /// The volume.
        volume: String,
        /// The file in it.
        path: String,
        /// The key in the file.
        key: String,
    },
    /// The container's image.
    Image,
    /// The kubelet, for a service.
    Service {
        /// The service.
        name: String,
    },
    /// The container runtime: `HOSTNAME`, `PATH`.
    Runtime,
    /// Added by Towline, because the cluster sets none for this service.
    Towline,
    /// The user's project file.
    Project {
        /// Whether it is made of a secret.
        secret: bool,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal => f.write_str("literal"),
            Self::ConfigMap { name, key } => write!(f, "config map {name}, key {key}"),
            Self::Secret { name, key } => write!(f, "secret {name}, key {key}"),
            Self::OneOf { sources } => {
                let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
                f.write_str(&sources.join(" or "))
            }
            Self::Field { path } => write!(f, "field {path}"),
            Self::Resource { resource } => write!(f, "resource {resource}"),
            Self::File { volume, path, key } => {
                write!(f, "file {path} of volume {volume}, key {key}")
            }
            Self::Image => f.write_str("image"),
            Self::Service { name } => write!(f, "service {name}"),
            Self::Runtime => f.write_str("container runtime"),
            Self::Towline => f.write_str("Towline"),
            Self::Project { .. } => f.write_str("project file"),
        }
    }
}

/// What `envFrom` takes all keys of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A config map of this name.
    ConfigMap(String),
    /// A secret of this name.
    Secret(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConfigMap(name) => write!(f, "config map {name}"),
            Self::Secret(name) => write!(f, "secret {name}"),
        }
    }
}

impl Source {
    /// What an entry of `envFrom` names.
    pub(crate) fn of(from: &EnvFromSource) -> Option<Self> {
        let config_map = || Some(Self::ConfigMap(from.config_map_ref.as_ref()?.name.clone()));
        from.secret_ref.as_ref().map(|secret| Self::Secret(secret.name.clone())).or_else(config_map)
    }

    fn key(&self, key: &str) -> Origin {
        let key = key.to_owned();
        match self {
            Self::ConfigMap(name) => Origin::ConfigMap { name: name.clone(), key },
            Self::Secret(name) => Origin::Secret { name: name.clone(), key },
        }
    }
}

/// The keys that config maps and secrets have. Their values are not needed: the agent has them.
pub type SourceKeys = BTreeMap<Source, BTreeSet<String>>;

/// What the container's spec sets, and what it may set.
pub(super) struct Declared<'a> {
    by_name: BTreeMap<String, Origin>,
    /// `envFrom` sources whose keys are not known, with their prefixes.
    unread: Vec<(Source, &'a str)>,
}

impl<'a> Declared<'a> {
    pub(super) fn read(container: &'a Container, keys: &SourceKeys) -> Self {
        let mut declared = Self { by_name: BTreeMap::new(), unread: Vec::new() };
        // The kubelet's order: a later source wins over an earlier one, `env` over `envFrom`.
        for from in container.env_from.iter().flatten() {
            let Some(source) = Source::of(from) else { continue };
            let prefix = from.prefix.as_deref().unwrap_or_default();
            match keys.get(&source) {
                Some(keys) => declared
                    .by_name
                    .extend(keys.iter().map(|key| (format!("{prefix}{key}"), source.key(key)))),
                None => declared.unread.push((source, prefix)),
            }
        }
        for variable in container.env.iter().flatten() {
            declared.by_name.insert(variable.name.clone(), of_variable(variable));
        }
        declared
    }

    /// Where `name` comes from, if the spec says so.
    pub(super) fn origin(&self, name: &str) -> Option<&Origin> {
        self.by_name.get(name)
    }

    /// Where `name` can come from, if it is in the container and nothing else explains it.
    pub(super) fn guess(&self, name: &str) -> Option<Origin> {
        let fitting: Vec<&(Source, &str)> = self
            .unread
            .iter()
            .filter(|(_, prefix)| name.len() > prefix.len() && name.starts_with(prefix))
            .collect();
        match fitting.as_slice() {
            [] => None,
            [(source, prefix)] => Some(source.key(&name[prefix.len()..])),
            several => Some(Origin::OneOf {
                sources: several.iter().map(|(source, _)| source.clone()).collect(),
            }),
        }
    }
}

fn of_variable(variable: &EnvVar) -> Origin {
    let Some(from) = &variable.value_from else { return Origin::Literal };
    if let Some(from) = &from.config_map_key_ref {
        return Origin::ConfigMap { name: from.name.clone(), key: from.key.clone() };
    }
    if let Some(from) = &from.secret_key_ref {
        return Origin::Secret { name: from.name.clone(), key: from.key.clone() };
    }
    if let Some(from) = &from.field_ref {
        return Origin::Field { path: from.field_path.clone() };
    }
    if let Some(from) = &from.resource_field_ref {
        return Origin::Resource { resource: from.resource.clone() };
    }
    if let Some(from) = &from.file_key_ref {
        return Origin::File {
            volume: from.volume_name.clone(),
            path: from.path.clone(),
            key: from.key.clone(),
        };
    }
    Origin::Literal
}
