//! `towline.yaml` as it is written. The JSON schema is made of this, comments included.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// A session of this project: what it stands in for, and how the local program is started. Everything is optional; the command line wins.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "towline.yaml")]
pub(crate) struct File {
    /// What to stand in for: NAME (a service, else a workload), or service/NAME, deployment/NAME, statefulset/NAME, daemonset/NAME, replicaset/NAME, pod/NAME.
    #[schemars(with = "Option<String>")]
    pub(crate) target: Option<Spanned<String>>,
    /// The target's namespace. Default: the context's.
    #[schemars(with = "Option<String>")]
    pub(crate) namespace: Option<Spanned<String>>,
    /// The kubeconfig's context. Default: the current one.
    pub(crate) context: Option<String>,
    /// The kubeconfig file, relative to this file. Default: those of KUBECONFIG, else ~/.kube/config.
    pub(crate) kubeconfig: Option<String>,
    /// Which container of the pod, where several could be meant.
    pub(crate) container: Option<String>,
    /// Where ports of the container go, as REMOTE or REMOTE:LOCAL, by number, by name, or for UDP as NUMBER/udp. Ports that are not listed go to the same number.
    #[serde(default)]
    #[schemars(with = "Vec<Text>")]
    pub(crate) ports: Vec<Spanned<Text>>,
    /// Namespaces whose services can be reached. Default: the target's.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) namespaces: Vec<Spanned<String>>,
    /// Hosts outside the cluster that are reached through it, as NAME:PORT or NAME:PORT,PORT, or with the keys name and ports.
    #[serde(default)]
    #[schemars(with = "Vec<HostEntry>")]
    pub(crate) external_hosts: Vec<Spanned<HostEntry>>,
    /// Services that are left out, as NAME (of the target's namespace) or NAME.NAMESPACE.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) exclude: Vec<Spanned<String>>,
    /// How the local program finds services: by their names, which needs administrator's rights, or by the environment's variables only.
    pub(crate) names: Option<Names>,
    /// What of the container's volumes comes to this machine: the small ones (config maps, secrets, projected volumes, downward API), or none.
    pub(crate) volumes: Option<Volumes>,
    /// What to run in the container's place.
    pub(crate) program: Option<Program>,
    /// Variables on top of the container's. Values may have tokens: ${service:NAME.host}, ${service:NAME:PORT.address}, ${volume:/MOUNT/PATH}, ${externalHost:NAME.port}, ${env:NAME}; $${ is a plain ${. Without a value, the program keeps this machine's own.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Option<Text>>")]
    pub(crate) environment: Variables,
    /// Write the environment there, relative to this file.
    pub(crate) env_file: Option<String>,
    /// Connect again when the cluster has put the workload back during a loss longer than the lease.
    pub(crate) reconnect: Option<bool>,
    /// How long the agent's pods may take to come, such as 90s or 2m.
    #[schemars(with = "Option<Text>")]
    pub(crate) timeout: Option<Spanned<Text>>,
    /// How long the cluster waits for a vanished client before it puts the workload back by itself: whole seconds, at least 5s.
    #[schemars(with = "Option<Text>")]
    pub(crate) lease: Option<Spanned<Text>>,
    /// The agent.
    pub(crate) agent: Option<Agent>,
}

/// What to run in the container's place.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Program {
    /// The command: a line that is split at blanks as a shell does it (nothing else of a shell: no variables, no pipes), or a list of words.
    #[schemars(with = "Words")]
    pub(crate) command: Spanned<Words>,
    /// Further arguments.
    #[serde(default)]
    pub(crate) arguments: Vec<Text>,
    /// Where it runs, relative to this file. Default: where towline is started.
    pub(crate) working_directory: Option<String>,
}

/// The agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Agent {
    /// Its image. Default: the context's in settings.yaml, else this version's.
    pub(crate) image: Option<String>,
    /// The secret, in the target's namespace, that the image is pulled with.
    pub(crate) pull_secret: Option<String>,
}

/// How the local program finds services.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Names {
    /// By their names and on their own ports.
    HostsFile,
    /// By the environment's variables.
    Variables,
}

/// What of the volumes comes here.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Volumes {
    /// Config maps, secrets, projected volumes, the downward API.
    Small,
    /// Nothing.
    None,
}

/// A text, also where it looks like a number or a truth value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text(pub(crate) String);

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// A line or a list of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    Line(String),
    List(Vec<String>),
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a command line, or a list of words")
            }

            fn visit_str<E>(self, text: &str) -> Result<Words, E> {
                Ok(Words::Line(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> Result<Words, A::Error> {
                let mut list = Vec::new();
                while let Some(word) = words.next_element::<Text>()? {
                    list.push(word.0);
                }
                Ok(Words::List(list))
            }
        }
        deserializer.deserialize_any(Form)
    }
}

impl JsonSchema for Words {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Words".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "minItems": 1, "items": { "type": ["string", "number", "boolean"] } },
        ] })
    }
}

/// A host outside the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostEntry {
    Line(String),
    Keys(HostKeys),
}

/// A host outside the cluster, by keys.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostKeys {
    pub(crate) name: String,
    pub(crate) ports: Vec<u16>,
}

impl<'de> Deserialize<'de> for HostEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = HostEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("NAME:PORT, or the keys name and ports")
            }

            fn visit_str<E>(self, text: &str) -> Result<HostEntry, E> {
                Ok(HostEntry::Line(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HostEntry, A::Error> {
                HostKeys::deserialize(MapAccessDeserializer::new(map)).map(HostEntry::Keys)
            }
        }
        deserializer.deserialize_any(Form)
    }
}

impl JsonSchema for HostEntry {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "HostEntry".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let port = json_schema!({ "type": "integer", "minimum": 1, "maximum": 65535 });
        json_schema!({ "anyOf": [
            { "type": "string", "pattern": "^[A-Za-z0-9.-]+:[0-9]+(,[0-9]+)*$" },
            {
                "type": "object",
                "additionalProperties": false,
                "required": ["name", "ports"],
                "properties": { "name": { "type": "string" }, "ports": { "type": "array", "minItems": 1, "items": port } },
            },
        ] })
    }
}

/// Variables in the file's order.
#[derive(Debug, Default)]
pub(crate) struct Variables(pub(crate) Vec<(Spanned<String>, Spanned<Option<Text>>)>);

impl<'de> Deserialize<'de> for Variables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Variables;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("NAME: value, one a line")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Variables, A::Error> {
                let mut all = Vec::new();
                while let Some(variable) = map.next_entry()? {
                    all.push(variable);
                }
                Ok(Variables(all))
            }
        }
        deserializer.deserialize_map(Form)
    }
}
