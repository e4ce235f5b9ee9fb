//! The smallest role, as YAML for an administrator.

use std::collections::BTreeSet;
use std::fmt::Write;

use towline_workload::Kind;

use crate::rights::{Place, Rule, rules};

/// Where the role is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Workloads of one namespace may be redirected; services of the others may be reached.
    Namespace {
        /// The workloads' namespace.
        namespace: String,
        /// Further namespaces whose services may be reached.
        services: Vec<String>,
    },
    /// Workloads of every namespace may be redirected.
    Cluster,
}

/// Who gets the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user.
    User(String),
    /// A group of users.
    Group(String),
    /// A service account: namespace, name.
    ServiceAccount(String, String),
}

/// The role's name.
pub const NAME: &str = "towline";

/// The role and its binding, as YAML documents with comments.
pub fn role(extent: &Extent, subject: &Subject) -> String {
    let all = every_rule();
    let mut text = String::from(
        "# What a developer needs to redirect workloads with Towline, and nothing more.\n\
         # Rules are grouped by what they are for; those that Towline can do without say so. Those in comments are for pods that belong to\n\
         # no controller: they let a developer read every secret and create any pod, so they are left to you.\n",
    );
    match extent {
        Extent::Cluster => {
            document(&mut text, "ClusterRole", None, &all);
            binding(&mut text, "ClusterRole", None, subject);
        }
        Extent::Namespace { namespace, services } => {
            let own: Vec<Rule> =
                all.iter().filter(|rule| rule.place == Place::Target).cloned().collect();
            document(&mut text, "Role", Some(namespace), &own);
            binding(&mut text, "Role", Some(namespace), subject);
            let far: Vec<Rule> =
                all.into_iter().filter(|rule| rule.place == Place::Services).collect();
            for other in
                services.iter().filter(|other| *other != namespace).collect::<BTreeSet<_>>()
            {
                text.push_str("---\n");
                document(&mut text, "Role", Some(other), &far);
                binding(&mut text, "Role", Some(other), subject);
            }
        }
    }
    text
}

/// The rules of every kind, each resource and purpose once; those of bare pods last.
fn every_rule() -> Vec<Rule> {
    let mut all: Vec<Rule> = Vec::new();
    for rule in Kind::ALL.into_iter().flat_map(|kind| rules(kind, None)) {
        if !all.contains(&rule) {
            all.push(rule);
        }
    }
    // What serves one purpose stands together.
    let purposes: Vec<&str> = all.iter().map(|rule| rule.purpose).collect();
    let first = |rule: &Rule| purposes.iter().position(|purpose| *purpose == rule.purpose);
    all.sort_by_key(|rule| (is_for_bare_pods(rule), first(rule)));
    all
}

// To read any secret and to create any pod is more than most want to give, and few need it: an administrator has to choose it.
fn is_for_bare_pods(rule: &Rule) -> bool {
    rules(Kind::Pod, None).contains(rule) && !rules(Kind::Deployment, None).contains(rule)
}

fn document(text: &mut String, kind: &str, namespace: Option<&str>, rules: &[Rule]) {
    head(text, kind, namespace);
    text.push_str("rules:\n");
    let mut purpose = "";
    for (rule, optional) in smallest(rules) {
        if rule.purpose != purpose {
            purpose = rule.purpose;
            let optional = if optional { " (optional)" } else { "" };
            writeln!(text, "  # {purpose}{optional}").expect("a string takes all");
        }
        let off = if is_for_bare_pods(rule) { "# " } else { "" };
        let verbs: Vec<String> = rule.verbs.iter().map(|verb| quoted(verb)).collect();
        writeln!(
            text,
            "  {off}- {{apiGroups: [{}], resources: [{}], verbs: [{}]}}",
            quoted(rule.group),
            quoted(rule.resource),
            verbs.join(", ")
        )
        .expect("a string takes all");
    }
}

/// The rules that no earlier one contains; with whether Towline can do without.
fn smallest(rules: &[Rule]) -> Vec<(&Rule, bool)> {
    let contains = |outer: &Rule, inner: &Rule| {
        !is_for_bare_pods(outer)
            && (outer.group, outer.resource) == (inner.group, inner.resource)
            && inner.verbs.iter().all(|verb| outer.verbs.contains(verb))
    };
    let needless = |(at, rule): &(usize, &Rule)| {
        rules.iter().enumerate().any(|(other_at, other)| {
            other_at != *at && contains(other, rule) && (!contains(rule, other) || other_at < *at)
        })
    };
    let optional = |rule: &Rule| {
        !matches!(rule.need, crate::rights::Need::Session | crate::rights::Need::Look)
    };
    rules
        .iter()
        .enumerate()
        .filter(|entry| !needless(entry))
        .map(|(_, rule)| (rule, optional(rule)))
        .collect()
}

fn binding(text: &mut String, role: &str, namespace: Option<&str>, subject: &Subject) {
    text.push_str("---\n");
    head(text, &format!("{role}Binding"), namespace);
    let subject = match subject {
        Subject::User(name) => {
            format!("{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {}}}", quoted(name))
        }
        Subject::Group(name) => {
            format!("{{apiGroup: rbac.authorization.k8s.io, kind: Group, name: {}}}", quoted(name))
        }
        Subject::ServiceAccount(namespace, name) => {
            format!(
                "{{kind: ServiceAccount, namespace: {}, name: {}}}",
                quoted(namespace),
                quoted(name)
            )
        }
    };
    writeln!(
        text,
        "roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {role}, name: {NAME}}}\nsubjects:\n  - {subject}"
    )
    .expect("a string takes all");
}

fn head(text: &mut String, kind: &str, namespace: Option<&str>) {
    let namespace =
        namespace.map(|name| format!("\n  namespace: {}", quoted(name))).unwrap_or_default();
    writeln!(text, "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {NAME}{namespace}")
        .expect("a string takes all");
}

// A JSON string is a YAML string, whatever is in it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[test]
    fn a_role_for_one_namespace() {
        let extent = Extent::Namespace {
            namespace: "shop".into(),
            services: vec!["shop".into(), "bank".into()],
        };
        insta::assert_snapshot!(role(&extent, &Subject::Group("developers".into())));
    }

    #[test]
    fn a_role_for_the_cluster_is_valid_yaml() {
        let text = role(&Extent::Cluster, &Subject::User("a\": b\n# c".into()));
        let documents: Vec<serde_json::Value> = serde_yaml_ng::Deserializer::from_str(&text)
            .map(|document| serde_json::Value::deserialize(document).unwrap())
            .collect();
        let kinds: Vec<&str> =
            documents.iter().map(|document| document["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["ClusterRole", "ClusterRoleBinding"]);
        assert_eq!(documents[1]["subjects"][0]["name"], "a\": b\n# c");
    }
}
