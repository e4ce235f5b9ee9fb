//! What may be done, asked before anything is done: one SelfSubjectAccessReview for each right of the table in [`crate::rights`].

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::{Api, PostParams};
use towline_workload::WorkloadRef;

use crate::cluster::{Cluster, ClusterError};
use crate::plan::Check;
use crate::report::Code;
use crate::request::Names;
use crate::rights::{Need, Place, rules};

/// How many questions are asked at once.
const AT_ONCE: usize = 8;

/// One right, in one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The namespace.
    pub namespace: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// The resource, with its subresource.
    pub resource: String,
    /// The one object that it is about, where it is about one.
    pub name: Option<String>,
    /// The verb.
    pub verb: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    asked: usize,
    missing: Vec<(Right, Need)>,
    /// The cluster does not let the user ask.
    mute: bool,
}

/// Asks for every right that a session on `workload` needs, with the services of `namespaces`.
///
/// # Errors
///
/// What the API server answers, but for its refusal to be asked: that is a warning in [`Rights::checks`].
pub async fn rights(
    cluster: &Cluster,
    workload: &WorkloadRef,
    namespaces: &[String],
) -> Result<Rights, ClusterError> {
    let wanted = wanted(workload, namespaces, cluster.version().minor);
    let asked = wanted.len();
    let answers: Result<Vec<_>, ClusterError> = stream::iter(wanted)
        .map(|(right, need)| async move { Ok((allowed(cluster, &right).await?, right, need)) })
        .buffered(AT_ONCE)
        .try_collect()
        .await;
    match answers {
        Ok(answers) => {
            let missing = answers
                .into_iter()
                .filter(|(allowed, ..)| !allowed)
                .map(|(_, right, need)| (right, need));
            Ok(Rights { asked, missing: missing.collect(), mute: false })
        }
        Err(ClusterError::Forbidden { .. }) => Ok(Rights { mute: true, ..Rights::default() }),
        Err(error) => Err(error),
    }
}

/// Every right, once.
fn wanted(workload: &WorkloadRef, namespaces: &[String], minor: Option<u32>) -> Vec<(Right, Need)> {
    let mut wanted: Vec<(Right, Need)> = Vec::new();
    for rule in rules(workload.kind, minor).into_iter().filter(|rule| rule.need != Need::Look) {
        let places = match rule.place {
            Place::Target => std::slice::from_ref(&workload.namespace),
            Place::Services => namespaces,
        };
        for (namespace, verb) in
            places.iter().flat_map(|place| rule.verbs.iter().map(move |verb| (place, verb)))
        {
            let right = Right {
                namespace: namespace.clone(),
                group: rule.group.to_owned(),
                resource: rule.resource.to_owned(),
                name: name(workload, rule.resource, verb),
                verb: (*verb).to_owned(),
            };
            if !wanted.iter().any(|(known, _)| *known == right) {
                wanted.push((right, rule.need));
            }
        }
    }
    wanted
}

// A role may be limited to one workload. The API server checks names for these verbs only.
fn name(workload: &WorkloadRef, resource: &str, verb: &str) -> Option<String> {
    match (resource, verb) {
        ("namespaces", "get") => Some(workload.namespace.clone()),
        ("leases", "get" | "update" | "patch" | "delete") => {
            Some(towline_workload::names::lease_name(workload))
        }
        (resource, "get" | "patch") if resource == workload.kind.plural() => {
            Some(workload.name.clone())
        }
        _ => None,
    }
}

async fn allowed(cluster: &Cluster, right: &Right) -> Result<bool, ClusterError> {
    let (resource, subresource) = match right.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (right.resource.as_str(), None),
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(right.namespace.clone()),
                verb: Some(right.verb.clone()),
                group: Some(right.group.clone()),
                resource: Some(resource.to_owned()),
                subresource,
                name: right.name.clone(),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(cluster.client());
    let answer = api.create(&PostParams::default(), &review).await;
    let answer =
        answer.map_err(|error| cluster.explain("ask the cluster what you may do", error))?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

impl Rights {
    /// Whether the cluster can be given a restorer.
    pub fn restorer(&self) -> bool {
        // The restorer's own rights are a part of the session's, so these must be held too.
        !self.missing.iter().any(|(_, need)| *need == Need::Restorer)
    }

    /// Whether the cluster did not say, so that nothing is known to be missing.
    pub fn is_mute(&self) -> bool {
        self.mute
    }

    /// The rights that are missing.
    pub fn missing(&self) -> impl Iterator<Item = &Right> {
        self.missing.iter().map(|(right, _)| right)
    }

    /// Without what matters only to another way of naming services.
    #[must_use]
    pub fn for_names(mut self, names: Names) -> Self {
        self.missing.retain(|(_, need)| names.has_addresses() || !matches!(need, Need::Names(_)));
        self
    }

    /// Those of the missing rights without which no session is possible.
    pub fn forbidding(&self) -> impl Iterator<Item = &Right> {
        self.missing.iter().filter(|(_, need)| *need == Need::Session).map(|(right, _)| right)
    }

    /// What the review shows: one check for each resource on which something is missing.
    pub fn checks(&self) -> Vec<Check> {
        if self.mute {
            return vec![Check::warning(
                "rights",
                "The cluster does not let you ask what you may do, so missing rights show only when they are needed.",
                None,
            )];
        }
        if self.missing.is_empty() {
            return vec![Check::passed(
                "rights",
                format!("You hold each of the {} rights that are needed.", self.asked),
            )];
        }
        let mut groups: BTreeMap<Group<'_>, (Need, Vec<&str>)> = BTreeMap::new();
        for (right, need) in &self.missing {
            let key = (
                rank(*need),
                right.namespace.as_str(),
                right.group.as_str(),
                right.resource.as_str(),
            );
            groups.entry(key).or_insert((*need, Vec::new())).1.push(&right.verb);
        }
        let mut checks = Vec::new();
        let mut restorer = Vec::new();
        for ((_, namespace, group, resource), (need, verbs)) in groups {
            let resource =
                if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
            let missing = format!("{} {resource}", verbs.join(", "));
            let message = format!("You may not {missing} in namespace {namespace}");
            match need {
                Need::Session => checks.push(Check::blocked(
                    Code::Forbidden,
                    "rights",
                    format!("{message}."),
                    Some(FIX.to_owned()),
                )),
                Need::Restorer => restorer.push(missing),
                Need::Optional(lost) | Need::Names(lost) => checks.push(Check::warning(
                    "rights",
                    format!("{message}: {lost}."),
                    Some(FIX.to_owned()),
                )),
                Need::Look => {}
            }
        }
        if !restorer.is_empty() {
            let message = format!(
                "The cluster will not restore the workload by itself when this machine is gone, because you may not {}.",
                restorer.join("; ")
            );
            checks.push(Check::warning("restorer", message, Some(FIX.to_owned())));
        }
        checks
    }
}

/// How bad, namespace, API group, resource.
type Group<'a> = (u8, &'a str, &'a str, &'a str);

const FIX: &str = "Ask an administrator for the role that `towline rbac` prints.";

fn rank(need: Need) -> u8 {
    match need {
        Need::Session => 0,
        Need::Restorer => 1,
        Need::Optional(_) => 2,
        Need::Names(_) => 3,
        Need::Look => 4,
    }
}

#[cfg(test)]
mod tests;
