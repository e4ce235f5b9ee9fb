//! The administrator's rights, asked for after saying what for.

use towline_core::names::HostsPlan;
use towline_core::plan::Plan;
use towline_core::request::Names;
use towline_helper::client::Helper;

use super::narrate::Narrator;
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
    fn the_user_is_told_before_the_system_asks() {
        let host = |name: &str, ports: &[u16]| PlannedHost {
            subject: Subject::service("shop", name),
            address: "127.77.1.2".parse().unwrap(),
            names: vec![name.parse().unwrap()],
            ports: ports.to_vec(),
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
