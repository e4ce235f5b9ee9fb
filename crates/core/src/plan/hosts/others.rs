//! What stands in the hosts file already.
//!
//! A name leads to one place on this machine, and whoever has it first keeps it. A program that does not know that would reach the other session's
//! services without an error; so a plan refuses, unless the user has said to do without those names.

use std::collections::BTreeSet;

use towline_machine::HostName;

use super::{kubernetes, listed};
use crate::names::{HostsPlan, Standing};
use crate::plan::Check;
use crate::report::Code;
use crate::request::TakenNames;

/// Takes out of the plan what is somebody else's and can be done without, and says what was found.
pub(super) fn settle(plan: &mut HostsPlan, found: Standing, taken: TakenNames) -> Vec<Check> {
    match found {
        Standing::Line { number, address, names } => {
            let message = format!(
                "{} stands in the hosts file already: line {number} leads to {address}, and the first line wins.",
                texts(&names)
            );
            let fix = "Remove that line to reach the cluster under that name, or use a longer one."
                .to_owned();
            vec![Check::warning("names", message, Some(fix))]
        }
        Standing::Same { session } => {
            let message = format!(
                "Names are shared with {session}: they lead to the same services of the same cluster."
            );
            vec![Check::passed("names", message)]
        }
        Standing::Other { session, mut names } => {
            let of_kubernetes = plan.hosts.iter().find(|host| host.subject == kubernetes());
            let api_server: BTreeSet<HostName> = of_kubernetes
                .map(|host| {
                    host.names.iter().filter(|name| names.contains(*name)).cloned().collect()
                })
                .unwrap_or_default();
            names.retain(|name| !api_server.contains(name));
            let api_server = (!api_server.is_empty()).then(|| {
                plan.hosts.retain(|host| host.subject != kubernetes());
                without_api_server(&session)
            });
            let services = (!names.is_empty()).then(|| match taken {
                TakenNames::Refuse => refused(plan, &session, &names),
                TakenNames::GoWithout => go_without(plan, &session, names),
            });
            services.into_iter().chain(api_server).collect()
        }
    }
}

/// The API server is in the environment whatever else there is, and can do without its names.
fn without_api_server(session: &str) -> Check {
    let message = format!(
        "kubernetes.default leads to another cluster's API server, for {session}: this session's is reached by KUBERNETES_SERVICE_HOST and \
         KUBERNETES_SERVICE_PORT only."
    );
    Check::warning("names", message, None)
}

fn refused(plan: &HostsPlan, session: &str, names: &BTreeSet<HostName>) -> Check {
    let leads = if names.len() == 1 { "leads" } else { "lead" };
    let message = format!("{} already {leads} somewhere else, for {session}.", texts(names));
    let others = reached(plan, names);
    let without = match others.as_slice() {
        [] => "by its variables only".to_owned(),
        others => format!("by its other names, such as {}", listed(others)),
    };
    let fix = format!(
        "Whoever has a name first keeps it. Do without these names and reach each {without} (--without-taken-names), do without any and reach \
         services on 127.0.0.1 (--no-admin), start the program with a hosts file of its own (--mount --no-admin), or end that session."
    );
    Check::blocked(Code::NameTaken, "names", message, Some(fix)).about_names(TakenNames::Refuse)
}

fn go_without(plan: &mut HostsPlan, session: &str, names: BTreeSet<HostName>) -> Check {
    let others = reached(plan, &names);
    let (leads, stays) = if names.len() == 1 { ("leads", "stays") } else { ("lead", "stay") };
    let here = match others.as_slice() {
        [] => "by the service variables only".to_owned(),
        others => format!("as {}", listed(others)),
    };
    let message = format!(
        "{} already {leads} somewhere else, for {session}, and {stays} so: this session's services are reached {here}.",
        texts(&names)
    );
    for host in &mut plan.hosts {
        host.names.retain(|name| !names.contains(name));
    }
    // What has neither is the local program itself.
    plan.hosts.retain(|host| !host.names.is_empty() || !host.is_program());
    plan.without.extend(names);
    Check::warning("names", message, None).about_names(TakenNames::GoWithout)
}

/// For each service that has one of `names`, the shortest of its others.
fn reached(plan: &HostsPlan, names: &BTreeSet<HostName>) -> Vec<String> {
    let losers =
        plan.hosts.iter().filter(|host| host.names.iter().any(|name| names.contains(name)));
    let other = losers.filter_map(|host| host.names.iter().find(|name| !names.contains(*name)));
    other.map(ToString::to_string).collect()
}

fn texts(names: &BTreeSet<HostName>) -> String {
    listed(&names.iter().map(HostName::to_string).collect::<Vec<_>>())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::names::{PlannedHost, Subject};
    use crate::plan::Outcome;

    const SESSION: &str = "your session on deployment/orders (namespace a) in context work";

    fn host(subject: Subject, names: &[&str], ports: &[u16]) -> PlannedHost {
        PlannedHost {
            subject,
            address: "127.77.1.2".parse().unwrap(),
            names: names.iter().map(|name| name.parse().unwrap()).collect(),
            ports: ports.to_vec(),
            udp_ports: Vec::new(),
        }
    }

    fn plan() -> HostsPlan {
        let hosts = vec![
            host(Subject::service("b", "redis"), &["redis", "redis.b"], &[6379]),
            host(Subject::service("b", "web"), &["web"], &[80]),
            host(Subject::service("b", "orders"), &["orders"], &[]),
            host(kubernetes(), &["kubernetes.default", "kubernetes.default.svc"], &[443]),
        ];
        HostsPlan { hosts, ..HostsPlan::default() }
    }

    fn other(names: &[&str]) -> Standing {
        let names = names.iter().map(|name| name.parse().unwrap()).collect();
        Standing::Other { session: SESSION.into(), names }
    }

    #[test]
    fn a_name_of_another_session_forbids_to_connect_and_says_what_there_is_instead() {
        let mut plan = plan();
        let checks = settle(&mut plan, other(&["redis"]), TakenNames::Refuse);
        let [check] = checks.as_slice() else { panic!("{checks:?}") };
        assert_eq!((check.outcome, check.code), (Outcome::Blocked, Some(Code::NameTaken)));
        assert_eq!(check.taken_names, Some(TakenNames::Refuse));
        assert_eq!(check.message, format!("redis already leads somewhere else, for {SESSION}."));
        let fix = check.fix.as_ref().unwrap();
        assert!(fix.contains("such as redis.b (--without-taken-names)"), "{fix}");
        assert_eq!(plan, self::plan(), "nothing is taken out unasked");
    }

    #[test]
    fn without_the_taken_names_the_others_stay() {
        let mut plan = plan();
        let checks = settle(&mut plan, other(&["redis", "web", "orders"]), TakenNames::GoWithout);
        let [check] = checks.as_slice() else { panic!("{checks:?}") };
        assert_eq!(check.outcome, Outcome::Warning);
        assert_eq!(check.taken_names, Some(TakenNames::GoWithout));
        assert_eq!(
            check.message,
            format!(
                "orders, redis, web already lead somewhere else, for {SESSION}, and stay so: this session's services are reached as redis.b."
            )
        );
        let left: Vec<String> = plan.hosts.iter().map(|host| host.subject.to_string()).collect();
        assert_eq!(left, ["redis.b", "web.b", "kubernetes.default"], "the program's own is gone");
        assert_eq!((plan.names(), plan.without.len()), (3, 3));
        let only = settle(&mut plan, other(&["redis.b"]), TakenNames::GoWithout);
        assert!(only[0].message.ends_with("by the service variables only."), "{only:?}");
    }

    #[test]
    fn another_clusters_api_server_is_no_obstacle() {
        let mut plan = plan();
        let taken = other(&["kubernetes.default.svc", "kubernetes.default"]);
        let checks = settle(&mut plan, taken, TakenNames::Refuse);
        assert_eq!(checks.len(), 1);
        assert!(checks[0].outcome == Outcome::Warning, "{checks:?}");
        assert_eq!(checks[0].taken_names, None, "nothing that could be decided otherwise");
        assert!(checks[0].message.contains("KUBERNETES_SERVICE_HOST"), "{checks:?}");
        assert!(plan.hosts.iter().all(|host| host.subject != kubernetes()));
    }
}
