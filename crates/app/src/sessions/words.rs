//! What is said of a session, in words.

use towline_core::Protocol;
use towline_core::event::{End, Step, What};

use super::course::WorkloadIs;
use crate::view::{Ending, Tone};

/// The step's name for the window.
pub(super) fn step(step: Step) -> &'static str {
    match step {
        Step::Names => "names",
        Step::Lease => "lease",
        Step::Restorer => "restorer",
        Step::Patch => "patch",
        Step::Pods => "pods",
        Step::Environment => "environment",
        Step::Listeners => "listeners",
        Step::Restore => "restore",
        Step::Rollback => "rollback",
        Step::Sweep => "sweep",
    }
}

/// What a step does, for the list of events.
fn step_sentence(step: Step) -> &'static str {
    match step {
        Step::Names => "The names and ports of this machine are made ready",
        Step::Lease => "The lease is taken",
        Step::Restorer => "The restorer is started and awaited",
        Step::Patch => "The workload is changed",
        Step::Pods => "The agent's pods are awaited",
        Step::Environment => "The environment is read",
        Step::Listeners => "The services' listeners are opened",
        Step::Restore => "The workload is put back",
        Step::Rollback => "The workload's own pods are awaited",
        Step::Sweep => "The session's objects are removed",
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{:.1} s", milliseconds as f64 / 1000.0)
}

/// An event: how bad it is, its title, the rest.
pub(super) fn event(what: &What) -> (Tone, &'static str, String) {
    match what {
        What::Step { step } => (Tone::Neutral, "Step", step_sentence(*step).to_owned()),
        What::TunnelUp { pod, release } => {
            (Tone::Good, "Tunnel stands", format!("{pod}, agent {release}"))
        }
        What::TunnelDown { pod, reason } => {
            (Tone::Warning, "Tunnel lost", format!("{pod}: {reason}"))
        }
        What::TunnelResumed { pod, after_ms } => {
            let time = seconds(*after_ms);
            let detail = format!(
                "{pod}: its connection was lost and replaced after {time}; what was open goes on"
            );
            (Tone::Good, "Tunnel resumed", detail)
        }
        What::Connected { pods, .. } => (Tone::Good, "Connected", pods.join(", ")),
        What::Reconnecting { reason } => (Tone::Warning, "Reconnecting", reason.clone()),
        What::Reconnected { after_ms } => {
            (Tone::Good, "Reconnected", format!("after {}", seconds(*after_ms)))
        }
        What::ServiceAdded { service, port, protocol, local } => {
            let detail = format!("{service}:{port}{} on {local}", protocol.suffix());
            (Tone::Neutral, "Service added", detail)
        }
        What::ServiceRemoved { service, port, protocol } => {
            (Tone::Neutral, "Service removed", format!("{service}:{port}{}", protocol.suffix()))
        }
        What::NamesChanged { names } => {
            (Tone::Neutral, "Hosts file", format!("It has {names} names of this session"))
        }
        What::LocalPortSilent { remote, protocol, local, reason } => {
            let what = match protocol {
                Protocol::Tcp => "Connections to",
                Protocol::Udp => "Datagrams to UDP",
            };
            let detail = format!(
                "{what} port {remote} found nothing on port {local} of this machine: {reason}"
            );
            (Tone::Warning, "Local port silent", detail)
        }
        What::LocalPortAnswers { remote, protocol, local } => {
            let detail = format!("port {remote}{} on port {local}", protocol.suffix());
            (Tone::Good, "Local port answers", detail)
        }
        What::DialFailed { to, reason } => {
            (Tone::Warning, "Connection failed", format!("{to}: {reason}"))
        }
        What::PortNotServed { pod, port, protocol, reason } => {
            let port = format!("{port}{}", protocol.suffix());
            let detail = format!("The agent in {pod} cannot listen on port {port}: {reason}");
            (Tone::Warning, "Port not served", detail)
        }
        What::VolumeRefreshed { mount, .. } => (Tone::Good, "Volume refreshed", mount.clone()),
        What::VolumeFailed { mount, reason } => {
            (Tone::Warning, "Volume not copied", format!("{mount}: {reason}"))
        }
        What::Warning { message } => (Tone::Warning, "Warning", message.clone()),
        What::Overwritten { by, fields } => {
            let who = by.as_deref().unwrap_or("somebody");
            (Tone::Bad, "Workload changed", format!("by {who}: {}", fields.join(", ")))
        }
        What::TakenOver { by } => {
            let who = by.as_ref().map(|by| format!("by {} on {}", by.user, by.host));
            (Tone::Bad, "Taken over", who.unwrap_or_default())
        }
        What::Lapsed => {
            let detail = "The cluster has put the workload back by itself, because this machine was away for longer than the lease";
            (Tone::Bad, "Lapsed", detail.to_owned())
        }
        What::Restored { kept } if kept.is_empty() => (Tone::Good, "Restored", String::new()),
        What::Restored { kept } => (
            Tone::Warning,
            "Restored",
            format!("left as somebody else has set them: {}", kept.join(", ")),
        ),
        What::Ended { end } => match end {
            End::Stopped => (Tone::Neutral, "Ended", "as asked".to_owned()),
            End::Overwritten => (Tone::Warning, "Ended", "the workload was changed".to_owned()),
            End::TakenOver => (Tone::Warning, "Ended", "the workload was taken over".to_owned()),
            End::Lapsed => (Tone::Warning, "Ended", "the session had lapsed".to_owned()),
            End::Deleted => (Tone::Warning, "Ended", "the workload was deleted".to_owned()),
            End::Failed { error } => (Tone::Bad, "Ended", error.message.clone()),
        },
    }
}

/// How a session ended: for the window's code, how bad it is, the sentence.
pub(super) fn ending(
    end: &End,
    workload: &str,
    kept: &[String],
    rival: Option<&str>,
) -> (Ending, Tone, String) {
    let rival = rival.unwrap_or("somebody");
    match end {
        End::Stopped if kept.is_empty() => {
            (Ending::Stopped, Tone::Good, format!("{workload} is what it was."))
        }
        End::Stopped => {
            let kept = kept.join(", ");
            let message = format!(
                "{workload} is put back; what somebody else had set meanwhile is left: {kept}."
            );
            (Ending::Stopped, Tone::Warning, message)
        }
        End::Overwritten => {
            let message = format!(
                "{workload} was changed by {rival}; theirs stays, and the session is over."
            );
            (Ending::Overwritten, Tone::Warning, message)
        }
        End::TakenOver => {
            let message = format!("{workload} was taken over by {rival}; this session is over.");
            (Ending::TakenOver, Tone::Warning, message)
        }
        End::Lapsed => {
            let message = format!(
                "The cluster had put {workload} back by itself, because this machine was away for longer than the lease."
            );
            (Ending::Lapsed, Tone::Warning, message)
        }
        End::Deleted => (Ending::Deleted, Tone::Warning, format!("{workload} was deleted.")),
        End::Failed { error } => (Ending::Failed, Tone::Bad, error.message.clone()),
    }
}

/// What a session that failed means for the workload.
pub(super) fn failed(workload: &str, workload_is: WorkloadIs) -> String {
    match workload_is {
        WorkloadIs::Untouched => {
            format!("The session did not come about. {workload} was not touched.")
        }
        WorkloadIs::PutBack => format!("The session broke off. {workload} is what it was."),
        WorkloadIs::Changed => {
            format!("The session broke off, and {workload} is not known to be what it was.")
        }
    }
}
