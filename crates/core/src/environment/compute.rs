//! How [`Environment::compute`] puts the environment together.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;

use super::expansion::{expand, refers};
use super::origin::Declared;
use super::service::{self, LocalService};
use super::{Bytes, Environment, EnvironmentVariable, Inputs, Origin, Variable, as_bytes};
use crate::environment::local::stays_local;

/// What a runtime sets by itself where neither spec nor image do; another process's value is not the agent's.
const RUNTIME: [&str; 5] = ["PATH", "HOSTNAME", "HOME", "TERM", "container"];

/// The authority for the API server's local certificate.
const KUBERNETES_AUTHORITY: &str = "TOWLINE_KUBERNETES_CA";

pub(super) fn compute(inputs: &Inputs<'_>) -> Environment {
    let declared = Declared::read(inputs.container, inputs.keys);
    let agent = by_name(inputs.agent);
    let mut found = attribute(&agent, &declared);
    if let Some(original) = inputs.original {
        add_image(&mut found, &by_name(original), &declared);
    }
    let services = service::local_services(inputs.listeners, inputs.namespace, inputs.kubernetes);
    rewrite_services(&mut found, &services);
    expand_literals(&mut found, inputs.container, &agent);
    add_services(&mut found, &services);
    if let Some(authority) = inputs.kubernetes.and_then(|api| api.authority.as_ref()) {
        let path = authority.to_string_lossy().into_owned();
        found.insert(
            KUBERNETES_AUTHORITY.to_owned(),
            Found::new(path.into_bytes(), Origin::Towline),
        );
    }
    let variables = found.into_iter().map(|(name, found)| found.finish(name, &declared)).collect();
    Environment { variables }
}

struct Found {
    value: Vec<u8>,
    origin: Origin,
    cluster_value: Option<Vec<u8>>,
}

impl Found {
    fn new(value: Vec<u8>, origin: Origin) -> Self {
        Self { value, origin, cluster_value: None }
    }

    fn rewrite(&mut self, value: Vec<u8>) {
        if value != self.value {
            self.cluster_value = Some(std::mem::replace(&mut self.value, value));
        }
    }

    fn finish(self, name: String, declared: &Declared<'_>) -> EnvironmentVariable {
        let set = declared.origin(&name).is_some()
            || declared.guess(&name).is_some_and(|guess| guess == self.origin);
        EnvironmentVariable {
            stays_local: self.origin != Origin::Towline && stays_local(&name, set),
            name,
            value: self.value.into(),
            origin: self.origin,
            cluster_value: self.cluster_value.map(Bytes::from),
        }
    }
}

// The first of a name wins, as for getenv(3). Kubernetes has no names that are not text.
fn by_name(variables: &[Variable]) -> BTreeMap<String, Vec<u8>> {
    let mut by_name = BTreeMap::new();
    for variable in variables {
        let Bytes::Text(name) = &variable.name else { continue };
        by_name.entry(name.clone()).or_insert_with(|| as_bytes(&variable.value).to_vec());
    }
    by_name
}

fn attribute(
    agent: &BTreeMap<String, Vec<u8>>,
    declared: &Declared<'_>,
) -> BTreeMap<String, Found> {
    let services = service::detect(agent);
    let origin = |name: &str| {
        if let Some(origin) = declared.origin(name) {
            return origin.clone();
        }
        if let Some(service) = services.get(name) {
            return Origin::Service { name: service.clone() };
        }
        if RUNTIME.contains(&name) {
            return Origin::Runtime;
        }
        declared.guess(name).unwrap_or(Origin::Runtime)
    };
    agent
        .iter()
        .map(|(name, value)| (name.clone(), Found::new(value.clone(), origin(name))))
        .collect()
}

/// Adds what the image sets: whatever else the original container had. Variables of services that have gone since it started are left out, as a
/// new pod would not get them either.
fn add_image(
    found: &mut BTreeMap<String, Found>,
    original: &BTreeMap<String, Vec<u8>>,
    declared: &Declared<'_>,
) {
    let services = service::detect(original);
    for (name, value) in original {
        if declared.origin(name).is_some()
            || services.contains_key(name.as_str())
            || name == "HOSTNAME"
        {
            continue;
        }
        let known = found.get(name);
        if known.is_none_or(|known| known.origin == Origin::Runtime && known.value != *value) {
            found.insert(name.clone(), Found::new(value.clone(), Origin::Image));
        }
    }
}

fn rewrite_services(found: &mut BTreeMap<String, Found>, services: &[LocalService]) {
    for (name, found) in found.iter_mut() {
        if !matches!(found.origin, Origin::Service { .. }) {
            continue;
        }
        let Ok(value) = std::str::from_utf8(&found.value) else { continue };
        let local = services.iter().find_map(|service| service.rewrite(name, value));
        if let Some(local) = local {
            found.rewrite(local.into_bytes());
        }
    }
}

/// A literal such as `http://$(ORDERS_SERVICE_HOST)/` follows the variables that it is made of. Done only where expanding with the cluster's values
/// gives exactly what the agent has: then nothing about it is guessed.
fn expand_literals(
    found: &mut BTreeMap<String, Found>,
    container: &Container,
    agent: &BTreeMap<String, Vec<u8>>,
) {
    let specs = || container.env.iter().flatten();
    let is_spec = |name: &str| specs().any(|variable| variable.name == name);
    // What a reference sees: those of `env` that stand before it, and all that the kubelet knows of others. Runtime and image come after the kubelet.
    let mut seen: Vec<&str> = Vec::new();
    for variable in specs() {
        let name = variable.name.as_str();
        let template = variable.value.as_deref().filter(|template| refers(template));
        if let (Some(template), Some(in_cluster)) = (template, agent.get(name)) {
            let visible = |other: &str| {
                let known = found
                    .get(other)
                    .filter(|known| !matches!(known.origin, Origin::Runtime | Origin::Image));
                known.filter(|_| !is_spec(other) || seen.contains(&other))
            };
            let cluster = expand(template.as_bytes(), |other| {
                visible(other).and_then(|_| Some(agent.get(other)?.as_slice()))
            });
            let here = expand(template.as_bytes(), |other| {
                visible(other).map(|known| known.value.as_slice())
            });
            if cluster == *in_cluster
                && let Some(found) = found.get_mut(name)
            {
                found.rewrite(here);
            }
        }
        seen.push(name);
    }
}

fn add_services(found: &mut BTreeMap<String, Found>, services: &[LocalService]) {
    for service in services {
        let added = service.added();
        // All or none: a host without its port, beside one that the pod's spec sets, would be a mixture.
        if added.iter().any(|(name, _)| found.contains_key(name)) {
            continue;
        }
        for (name, value) in added {
            found.insert(name, Found::new(value.into_bytes(), Origin::Towline));
        }
    }
}
