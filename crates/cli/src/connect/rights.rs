//! The administrator's rights, asked for after saying what for.

use towline_core::names::HostsPlan;
use towline_core::plan::Plan;
use towline_core::report::Code;
use towline_core::request::Names;
use towline_helper::client::Helper;

use super::narrate::Narrator;
use crate::arguments::SessionArguments;
use crate::failure::Failure;

/// Who changes the hosts file and gives low ports, where the plan needs that.
pub(super) async fn obtain(
    plan: &Plan,
    narrator: &mut Narrator,
) -> Result<Option<Helper>, Failure> {
    let Some(hosts) = plan.hosts.as_ref().filter(|_| plan.request.names == Names::HostsFile) else {
        return Ok(None);
    };
    if let Some(helper) = Helper::connect().await? {
        return Ok(Some(helper));
    }
    if !Helper::needs_no_prompt() {
        narrator.pause();
        narrator.say(&what_for(hosts));
    }
    Ok(Some(Helper::connect_or_start().await?))
}

/// What is told to a user who has refused the rights, and whose program can do without.
pub(super) const WITHOUT: &str = "The rights were not given, so nothing on this machine is changed: the command gets a hosts file of its own, as by --mount \
    --no-admin, and reaches the services by name where their ports need no rights. (With --hosts it would end here.)";

/// Whether the session goes on without rights that were refused: its command sees a hosts file of its own, unless this machine's was demanded.
pub(super) fn are_not_insisted_on(session: &SessionArguments, refusal: &Failure) -> bool {
    session.mount && !session.hosts && refusal.report.code == Code::NotGranted
}

/// What the rights are needed for.
fn what_for(hosts: &HostsPlan) -> String {
    let lines = match hosts.hosts.len() {
        1 => "a line".to_owned(),
        lines => format!("{lines} lines"),
    };
    let ports: Vec<String> = hosts.low_ports().iter().map(u16::to_string).collect();
    let listen = match ports.as_slice() {
        [] => String::new(),
        [port] => format!(" and to listen on port {port} of 127.77.0.0/16"),
        ports => format!(" and to listen on ports {} of 127.77.0.0/16", ports.join(", ")),
    };
    format!(
        "Administrator's rights are needed to put {lines} into the hosts file{listen}, until the session ends.\n\
         The system asks for them now. --no-admin does without."
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use towline_core::names::{PlannedHost, Subject};

    use super::*;

    #[test]
    fn only_a_command_with_a_hosts_file_of_its_own_does_without_rights_that_were_refused() {
        use clap::Parser;
        #[derive(Parser)]
        struct Words {
            #[command(flatten)]
            session: SessionArguments,
        }
        let refusal = Failure::new(Code::NotGranted, "no");
        let goes_on = |words: &[&str], refusal: &Failure| {
            let words = ["towline", "orders"].iter().chain(words);
            are_not_insisted_on(&Words::parse_from(words).session, refusal)
        };
        assert!(goes_on(&["--mount"], &refusal));
        for words in [&[][..], &["--hosts"], &["--mount", "--hosts"]] {
            assert!(!goes_on(words, &refusal), "{words:?}");
        }
        // What is broken is told, and not gone around.
        assert!(!goes_on(&["--mount"], &Failure::new(Code::Helper, "not installed")));
    }

    #[test]
    fn the_user_is_told_before_the_system_asks() {
        let host = |name: &str, ports: &[u16]| PlannedHost {
            subject: Subject::service("shop", name),
            address: "127.77.1.2".parse().unwrap(),
            names: vec![name.parse().unwrap()],
            ports: ports.to_vec(),
            udp_ports: Vec::new(),
        };
        let mut plan = HostsPlan { hosts: vec![host("redis", &[60_000])], ..HostsPlan::default() };
        assert!(what_for(&plan).starts_with(
            "Administrator's rights are needed to put a line into the hosts file, until"
        ));
        plan.hosts.push(host("web", &[1]));
        let text = what_for(&plan);
        assert!(
            plan.low_ports().is_empty() || text.contains("on port 1 of 127.77.0.0/16"),
            "{text}"
        );
    }
}
