//! A session's events: one a line for programs, in words for people.

use std::time::{Duration, Instant};

use console::{Style, pad_str};
use jiff::tz::TimeZone;
use towline_core::Protocol;
use towline_core::event::{Event, Step, What};
use towline_core::plan::{Outcome, Plan};
use towline_core::request::Names;

use crate::arguments::Format;
use crate::output;
use crate::progress::{Progress, seconds};

/// How many services are listed when the session is connected.
const SERVICES: usize = 20;

/// Tells what happens.
pub(super) struct Narrator {
    format: Format,
    progress: Progress,
    since: Instant,
    inbound: Vec<String>,
    services: Vec<(String, String)>,
    /// A name in the hosts file, where there are any.
    example: Option<String>,
    /// Who finds the names.
    names_for: &'static str,
    target: String,
    /// While it is connected, and has not begun to end: only then is news of single pods worth a line.
    steady: bool,
}

impl Narrator {
    pub(super) fn new(format: Format) -> Self {
        let progress = Progress::new(format);
        Self {
            format,
            progress,
            since: Instant::now(),
            inbound: Vec::new(),
            services: Vec::new(),
            example: None,
            names_for: "",
            target: String::new(),
            steady: false,
        }
    }

    /// Something before there is a session.
    pub(super) fn step(&mut self, text: &str) {
        self.progress.step(text);
    }

    /// What was being done waits for the user.
    pub(super) fn pause(&mut self) {
        self.progress.done();
    }

    /// What is about to happen.
    pub(super) fn begin(&mut self, plan: &Plan) {
        self.progress.done();
        let services = |services: &[String]| match services {
            [] => String::new(),
            services => format!("  for {}", services.join(", ")),
        };
        self.inbound = plan
            .inbound
            .iter()
            .map(|port| {
                format!(
                    "port {}{} → localhost:{}{}",
                    port.remote,
                    port.protocol.suffix(),
                    port.local,
                    services(&port.services)
                )
            })
            .collect();
        let host = plan.hosts.iter().flat_map(|hosts| &hosts.hosts).find(|host| {
            // The first of the target's own namespace: its shortest name is its service's own.
            host.subject.namespace() == plan.workload.namespace
        });
        // What the program will not find where it looks for it.
        let lost = plan
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Warning && check.title == "names");
        for check in lost {
            let fix = check.fix.as_ref().map(|fix| format!(" {fix}")).unwrap_or_default();
            self.say(&format!(
                "{} {}{fix}",
                Style::new().for_stderr().yellow().apply_to("warning:"),
                check.message
            ));
        }
        self.example = host.and_then(|host| host.names.first()).map(ToString::to_string);
        self.names_for = match plan.request.names {
            Names::HostsFile => "for every program on this machine",
            Names::OwnHostsFile => "for your program only, in its own hosts file",
            Names::Variables => "",
        };
        self.target = format!("{}, container {}", plan.workload, plan.container);
    }

    /// A line outside the events, for people; on standard error in both forms.
    pub(super) fn say(&mut self, line: &str) {
        match self.format {
            Format::Json => output::complain(line),
            Format::Text => self.progress.note(line),
        }
    }

    /// The session told something.
    pub(super) fn event(&mut self, event: &Event) {
        if self.format == Format::Json {
            return output::json_line(event);
        }
        match &event.what {
            What::Step { step } => {
                self.steady = false;
                self.progress.step(words(*step));
            }
            What::Connected { pods, env_file } => {
                self.progress.done();
                let summary = self.summary(pods, &env_file.display().to_string());
                self.progress.note(&summary);
                self.services.clear();
                self.steady = true;
            }
            What::ServiceAdded { service, port, protocol, local } if !self.steady => {
                let service = format!("{service}:{port}{}", protocol.suffix());
                self.services.push((service, local.to_string()));
            }
            What::TunnelUp { .. }
            | What::TunnelDown { .. }
            | What::TunnelResumed { .. }
            | What::ServiceRemoved { .. }
            | What::NamesChanged { .. }
                if !self.steady => {}
            What::Restored { .. } | What::Ended { .. } => {
                self.progress.done();
                if let Some(line) = line(&event.what) {
                    self.progress.note(&line);
                }
            }
            what => {
                if let Some(line) = line(what) {
                    let time = event.time.to_zoned(TimeZone::system()).strftime("%H:%M:%S");
                    let time = Style::new().for_stderr().dim().apply_to(time);
                    self.progress.note(&format!("{time}  {line}"));
                }
            }
        }
    }

    fn summary(&self, pods: &[String], env_file: &str) -> String {
        let bold = Style::new().for_stderr().bold();
        let dim = Style::new().for_stderr().dim();
        let time = seconds(self.since.elapsed().max(Duration::from_millis(1)));
        let mut lines = vec![
            format!("{} in {time}: {}", bold.apply_to("Connected").green(), self.target),
            format!("  {}  {}", dim.apply_to("pods       "), pods.join(", ")),
        ];
        let mut rows = |label: &str, rows: Vec<String>| {
            for (index, row) in rows.into_iter().enumerate() {
                let label = pad_str(
                    if index == 0 { label } else { "" },
                    11,
                    console::Alignment::Left,
                    None,
                )
                .into_owned();
                lines.push(format!("  {}  {row}", dim.apply_to(label)));
            }
        };
        rows("inbound", self.inbound.clone());
        let shown = &self.services[..self.services.len().min(SERVICES)];
        let width = shown.iter().map(|(service, _)| service.chars().count()).max().unwrap_or(0);
        let mut services: Vec<String> =
            shown.iter().map(|(service, local)| format!("{service:width$} → {local}")).collect();
        if let more @ 1.. = self.services.len() - shown.len() {
            services.push(format!("and {more} more: towline dns"));
        }
        rows("outbound", services);
        if let Some(name) = &self.example {
            rows(
                "names",
                vec![format!("{}, such as {name}; all of them: towline dns", self.names_for)],
            );
        }
        rows("environment", vec![format!("set -a; . {env_file}; set +a")]);
        lines.join("\n")
    }
}

fn words(step: Step) -> &'static str {
    match step {
        Step::Names => "making names and ports ready",
        Step::Lease => "taking the workload's lease",
        Step::Restorer => "starting the restorer",
        Step::Patch => "putting the agent in place",
        Step::Pods => "waiting for the agent's pods",
        Step::Environment => "reading the environment",
        Step::Listeners => "opening the local ports",
        Step::Restore => "putting the workload back",
        Step::Rollback => "waiting for the workload's own pods",
        Step::Sweep => "removing the session's objects",
    }
}

/// The event in words; none where it is not worth a line.
fn line(what: &What) -> Option<String> {
    let colour = |style: Style, text: &str| style.for_stderr().apply_to(text).to_string();
    let warning = || colour(Style::new().yellow(), "warning:");
    let line = match what {
        What::Step { .. } | What::Connected { .. } => return None,
        What::TunnelUp { pod, .. } => format!("agent in pod {pod} connected"),
        What::TunnelDown { pod, reason } => format!("agent in pod {pod} lost: {reason}"),
        What::TunnelResumed { pod, after_ms } => {
            let time = seconds(Duration::from_millis(*after_ms));
            format!("the connection to pod {pod} was lost and replaced after {time}; what was open goes on")
        }
        What::Reconnecting { reason } => {
            format!("{} the cluster cannot be reached, trying again: {reason}", colour(Style::new().yellow(), "reconnecting:"))
        }
        What::Reconnected { after_ms } => {
            let time = seconds(Duration::from_millis(*after_ms));
            format!("{} after {time}", colour(Style::new().green(), "reconnected"))
        }
        What::ServiceAdded { service, port, protocol, local } => {
            format!("service {service}:{port}{} → {local}", protocol.suffix())
        }
        What::ServiceRemoved { service, port, protocol } => {
            format!("service {service}:{port}{} is gone", protocol.suffix())
        }
        What::NamesChanged { names: 0 } => "the hosts file has no names of this session".to_owned(),
        What::NamesChanged { names } => format!("the hosts file has {names} names of this session"),
        What::LocalPortSilent { remote, protocol: Protocol::Udp, local, reason } => {
            format!("{} nothing takes datagrams on localhost:{local}, so those to UDP port {remote} are lost: {reason}", warning())
        }
        What::LocalPortSilent { remote, local, reason, .. } => {
            format!("{} nothing takes connections on localhost:{local}, so callers of port {remote} are refused: {reason}", warning())
        }
        What::LocalPortAnswers { remote, protocol, local } => {
            format!("localhost:{local} answers for port {remote}{}", protocol.suffix())
        }
        What::DialFailed { to, reason } => format!("{} no connection to {to}: {reason}", warning()),
        What::PortNotServed { pod, port, protocol, reason } => {
            let port = format!("{port}{}", protocol.suffix());
            format!("{} the agent in pod {pod} cannot listen on port {port}: {reason}", warning())
        }
        What::VolumeRefreshed { mount, files, .. } => {
            format!("{mount} is refreshed: {files} file{}", if *files == 1 { "" } else { "s" })
        }
        What::VolumeFailed { mount, reason } => format!("{} {mount} is not here: {reason}", warning()),
        What::Warning { message } => format!("{} {message}", warning()),
        What::Overwritten { by, fields } => {
            let by = by.as_deref().map_or_else(|| "somebody".to_owned(), |by| format!("'{by}'"));
            format!("{by} has changed the workload ({}); theirs stays, the session ends", fields.join(", "))
        }
        What::TakenOver { by: Some(by) } => format!("{} on {} has taken the workload over; this session ends", by.user, by.host),
        What::TakenOver { by: None } => "another session has taken the workload over; this one ends".to_owned(),
        What::Lapsed => "the cluster has put the workload back by itself, because it had no sign of this session for longer than the lease".to_owned(),
        What::Restored { kept } if kept.is_empty() => {
            format!("{} the workload is what it was", colour(Style::new().green(), "Restored:"))
        }
        What::Restored { kept } => format!(
            "{} what others have changed meanwhile is left as it is: {}",
            colour(Style::new().green(), "Restored:"),
            kept.join(", ")
        ),
        What::Ended { .. } => return None,
    };
    Some(line)
}
