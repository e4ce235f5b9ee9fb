//! From the launcher's form to the core's request.

use std::time::Duration;

use towline_core::report::Code;
use towline_core::request::{
    ExternalHost, Names, PortMapping, Program, Request, TakenNames, Target, Volumes, is_subdomain,
};
use towline_project::Project;

use crate::report::failure;
use crate::view::{Files, LaunchRequest, Mode, ProgramSpec, Report};

/// The request that the form describes. `lease_seconds` is the lease of the settings; `project` says what the form has no field for.
pub(super) fn parse(
    form: &LaunchRequest,
    lease_seconds: u32,
    project: Option<&Project>,
) -> Result<Request, Report> {
    let mut request = Request::new(target(&form.target)?);
    request.namespace = given(Some(&form.namespace)).map(|name| namespace(&name)).transpose()?;
    request.container = given(form.container.as_deref());
    for port in &form.ports {
        let text = format!("{}:{}", port.remote.trim(), port.local);
        let mapping: PortMapping = text.parse().map_err(input)?;
        request.ports.push(mapping);
    }
    for name in &form.namespaces {
        request.namespaces.extend(given(Some(name)).map(|name| namespace(&name)).transpose()?);
    }
    request.agent_image = given(form.agent_image.as_deref());
    request.pull_secret = given(form.pull_secret.as_deref());
    request.lease = Duration::from_secs(form.lease_seconds.unwrap_or(lease_seconds).into());
    request.take_over = form.take_over;
    if form.without_taken_names {
        request.taken_names = TakenNames::GoWithout;
    }
    request.reconnect = form.reconnect;
    request.names = names(form.mode);
    request.program = match form.program {
        ProgramSpec::ByUser => Program::StartedByUser,
        ProgramSpec::Command { .. } => Program::StartedByTowline,
    };
    request.exclude = form.exclude.iter().filter_map(|name| given(Some(name))).collect();
    for host in &form.external_hosts {
        let host = ExternalHost::new(host.name.trim(), host.ports.clone()).map_err(input)?;
        host.add_to(&mut request.external_hosts);
    }
    if let Some(timeout) = project.and_then(|project| project.timeout) {
        request.timeout = timeout;
    }
    request.volumes = match form.files {
        Files::Small => Volumes::Small,
        Files::None => Volumes::None,
    };
    Ok(request)
}

/// How names come here in this mode.
pub(super) fn names(mode: Mode) -> Names {
    match mode {
        Mode::HostsFile => Names::HostsFile,
        Mode::NoAdministrator => Names::Variables,
    }
}

pub(super) fn target(text: &str) -> Result<Target, Report> {
    text.trim().parse().map_err(input)
}

fn namespace(name: &str) -> Result<String, Report> {
    // Namespaces are labels (RFC 1123): no dots, at most 63.
    if is_subdomain(name) && !name.contains('.') && name.len() <= 63 {
        return Ok(name.to_owned());
    }
    let message = format!("'{name}' is not the name of a namespace.");
    let hint =
        "Lower-case letters, digits and '-', at most 63, with a letter or digit at both ends.";
    Err(failure(Code::Input, message, Some(hint)))
}

fn input(error: impl std::fmt::Display) -> Report {
    failure(Code::Input, format!("{error}."), None)
}

fn given(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::launch::testing::request as form;
    use crate::view;

    #[test]
    fn a_form_becomes_a_request() {
        let mut form = form(" service/orders ");
        form.container = Some(String::new());
        form.ports = vec![view::PortMapping { remote: "http".into(), local: 9000 }];
        form.namespaces = vec!["shop".into(), " ".into(), "billing".into()];
        form.program = ProgramSpec::Command { line: "x".into(), directory: None };
        form.external_hosts =
            vec![view::ExternalHost { name: " db.example.com".into(), ports: vec![5432] }];
        let project = Project { timeout: Some(Duration::from_secs(7)), ..Project::default() };
        let request = parse(&form, 300, Some(&project)).unwrap();
        assert_eq!(request.target.to_string(), "service/orders");
        assert_eq!((request.container, request.lease.as_secs()), (None, 300));
        assert_eq!(request.namespaces, ["shop", "billing"]);
        assert_eq!(request.ports[0].local, Some(9000));
        assert_eq!(request.external_hosts[0].to_string(), "db.example.com:5432");
        assert_eq!(request.timeout.as_secs(), 7);
        assert_eq!(request.program, Program::StartedByTowline);
        assert_eq!(request.taken_names, TakenNames::Refuse);
        form.lease_seconds = Some(7);
        form.without_taken_names = true;
        let request = parse(&form, 300, None).unwrap();
        assert_eq!((request.lease.as_secs(), request.taken_names), (7, TakenNames::GoWithout));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let with = |change: fn(&mut LaunchRequest)| {
            let mut form = form("service/orders");
            change(&mut form);
            parse(&form, 120, None).unwrap_err()
        };
        let port = |form: &mut LaunchRequest| {
            form.ports = vec![view::PortMapping { remote: "0".into(), local: 1 }];
        };
        for error in [
            with(|form| form.target = "job/x".into()),
            with(|form| form.target.clear()),
            with(port),
            with(|form| form.namespaces = vec!["Shop".into()]),
            with(|form| form.namespace = "a.b".into()),
        ] {
            assert_eq!(error.code, "input");
            assert!(error.message.contains('\''), "{}", error.message);
        }
        let host = |form: &mut LaunchRequest| {
            form.external_hosts =
                vec![view::ExternalHost { name: "db.example.com".into(), ports: Vec::new() }];
        };
        assert!(with(host).message.contains("needs ports"));
    }
}
