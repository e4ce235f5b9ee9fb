//! The environment of the local program: what the container had, byte for byte, made to work on this machine. Nothing here asks a cluster.
//!
//! The agent stands in the container's place, so the kubelet has resolved every variable for it; [`Environment::compute`] starts from those.
//! The pod's spec says where each comes from. What the image sets is missing there, because the agent's image is another one; a look at the
//! original container's own environment ([`parse_environ`]) adds it. Then the service variables are rewritten to the local listeners, and what
//! belongs to the machine rather than to the program stays this machine's. `docs/environment.md` tells users the rules.

mod compute;
pub mod dotenv;
mod expansion;
mod file;
pub mod formats;
mod local;
mod origin;
mod service;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::Container;
use serde::{Deserialize, Serialize};
pub use towline_wire::header::{Bytes, Variable};

use crate::event::Listener;
pub use file::{EnvFileError, check_env_file, write_env_file};
pub use origin::{Origin, Source, SourceKeys};
pub(crate) use service::link_names;

/// Everything that [`Environment::compute`] looks at.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The agent's own variables, as it answers to [`towline_wire::ToAgent::Environment`].
    pub agent: &'a [Variable],
    /// The container that the agent stands in for, as the pod's spec has it.
    pub container: &'a Container,
    /// The target's namespace.
    pub namespace: &'a str,
    /// The keys of the config maps and secrets that `envFrom` names, where they may be read; without them an origin may stay ambiguous.
    pub keys: &'a SourceKeys,
    /// The original container's variables, from [`parse_environ`]; without them those that only its image sets are missing.
    pub original: Option<&'a [Variable]>,
    /// The services on this machine, each service's ports in the service's own order.
    pub listeners: &'a [Listener],
    /// How the API server is reached from this machine; none: by its listener, if there is one.
    pub kubernetes: Option<&'a KubernetesApi>,
}

/// The API server as the local program reaches it with TLS verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesApi {
    /// A name or an address of this machine that the certificate holds.
    pub host: String,
    /// The address behind it, for the variables that hold addresses.
    pub address: IpAddr,
    /// The local port.
    pub port: u16,
    /// The authority that signed the certificate, where it is not the cluster's own; becomes `TOWLINE_KUBERNETES_CA`.
    pub authority: Option<PathBuf>,
}

/// The variables of a session, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Environment {
    /// Each name once, in the order of the alphabet.
    pub variables: Vec<EnvironmentVariable>,
}

/// One variable.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentVariable {
    /// The name.
    pub name: String,
    /// The value for the local program.
    pub value: Bytes,
    /// Where it comes from.
    pub origin: Origin,
    /// The value in the cluster, where the local one is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_value: Option<Bytes>,
    /// Whether the local program keeps this machine's own value (or has none, if this machine has none); [`Self::value`] is then only shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stays_local: bool,
}

impl EnvironmentVariable {
    /// Whether the value is to be masked on screen until asked for.
    pub fn is_secret(&self) -> bool {
        match &self.origin {
            Origin::Secret { .. } | Origin::Project { secret: true } => true,
            Origin::OneOf { sources } => {
                sources.iter().any(|source| matches!(source, Source::Secret(_)))
            }
            _ => false,
        }
    }
}

// Values may be secrets, and debug output ends in logs.
impl fmt::Debug for EnvironmentVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentVariable")
            .field("name", &self.name)
            .field("origin", &self.origin)
            .field("rewritten", &self.cluster_value.is_some())
            .field("stays_local", &self.stays_local)
            .finish_non_exhaustive()
    }
}

impl Environment {
    /// The environment that these inputs make.
    pub fn compute(inputs: &Inputs<'_>) -> Self {
        compute::compute(inputs)
    }

    /// Adds a variable of Towline's own, or gives it another value.
    pub fn add(&mut self, name: &str, value: &[u8]) {
        let variable = EnvironmentVariable {
            name: name.to_owned(),
            value: value.to_vec().into(),
            origin: Origin::Towline,
            cluster_value: None,
            stays_local: false,
        };
        match self.variables.binary_search_by(|there| there.name.as_str().cmp(name)) {
            Ok(at) => self.variables[at] = variable,
            Err(at) => self.variables.insert(at, variable),
        }
    }

    /// What the local program is given on top of this machine's own variables.
    pub fn for_program(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.variables
            .iter()
            .filter(|variable| !variable.stays_local)
            .map(|variable| (variable.name.as_str(), as_bytes(&variable.value)))
    }

    /// Sets a variable, over what it was before.
    pub fn set(&mut self, name: &str, value: Bytes, origin: Origin) {
        let found = self.variables.binary_search_by(|variable| variable.name.as_str().cmp(name));
        let mut new = EnvironmentVariable {
            name: name.to_owned(),
            value,
            origin,
            cluster_value: None,
            stays_local: false,
        };
        match found {
            Ok(at) => {
                let old = &mut self.variables[at];
                let in_cluster = old.cluster_value.take().unwrap_or_else(|| old.value.clone());
                new.cluster_value = (in_cluster != new.value).then_some(in_cluster);
                *old = new;
            }
            Err(at) => self.variables.insert(at, new),
        }
    }

    /// Leaves a variable to this machine: the program has this machine's own, or none.
    pub fn leave(&mut self, name: &str) {
        if let Some(found) = self.variables.iter_mut().find(|variable| variable.name == name) {
            found.stays_local = true;
        }
    }

    /// [`Self::for_program`] as one JSON object. A value that is not UTF-8 is a list of its bytes.
    pub fn to_json(&self) -> String {
        let values: BTreeMap<&str, &Bytes> = self
            .variables
            .iter()
            .filter(|variable| !variable.stays_local)
            .map(|variable| (variable.name.as_str(), &variable.value))
            .collect();
        serde_json::to_string_pretty(&values)
            .expect("text keys and text or number values are always JSON")
    }

    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<&EnvironmentVariable> {
        let found =
            self.variables.binary_search_by(|variable| variable.name.as_str().cmp(name)).ok()?;
        self.variables.get(found)
    }
}

/// Splits what stands in `/proc/PID/environ`: `NAME=value` entries, each ended by a zero byte. An entry without `=` is no variable.
///
/// Best read by `cat /proc/self/environ` inside the original container: an exec gets the container's variables too, also where process 1 is not
/// the container's own (`shareProcessNamespace`) or has overwritten its title.
pub fn parse_environ(bytes: &[u8]) -> Vec<Variable> {
    bytes
        .split(|byte| *byte == 0)
        .filter_map(|entry| {
            let at = entry.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
            Some(Variable {
                name: entry[..at].to_vec().into(),
                value: entry[at + 1..].to_vec().into(),
            })
        })
        .collect()
}

pub(crate) fn as_bytes(value: &Bytes) -> &[u8] {
    match value {
        Bytes::Text(text) => text.as_bytes(),
        Bytes::Raw(raw) => raw,
    }
}

#[cfg(test)]
mod tests;
