//! `towline rbac`. Contacts no cluster.

use towline_core::rbac::{self, Extent, Subject};

use crate::arguments::RbacArguments;
use crate::output;

pub(crate) fn run(arguments: &RbacArguments) {
    let extent = if arguments.all_namespaces {
        Extent::Cluster
    } else {
        Extent::Namespace {
            namespace: arguments.namespace.clone(),
            services: arguments.namespaces.clone(),
        }
    };
    output::print(rbac::role(&extent, &subject(arguments)).as_bytes());
}

fn subject(arguments: &RbacArguments) -> Subject {
    if let Some(group) = &arguments.group {
        return Subject::Group(group.clone());
    }
    if let Some((namespace, name)) = &arguments.service_account {
        return Subject::ServiceAccount(namespace.clone(), name.clone());
    }
    Subject::User(arguments.user.clone())
}
