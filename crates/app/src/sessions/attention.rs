//! What the user is to know, and at once.

use towline_core::event::{End, What};

use crate::view::{Ending, ProgramState, SessionPhase, Tone};

/// What needs the user.
pub(super) fn attention(
    phase: &SessionPhase,
    program: &ProgramState,
    workload: &str,
) -> Option<String> {
    let runs = matches!(program, ProgramState::Running { .. });
    match phase {
        SessionPhase::Ended { how: Ending::Stopped, tone: Tone::Good, .. } => None,
        SessionPhase::Ended { message, .. } if runs => {
            Some(format!("{message} The program still runs, without the cluster."))
        }
        SessionPhase::Ended { message, .. } => Some(message.clone()),
        SessionPhase::Lapsed => Some(format!(
            "The cluster has put {workload} back, because this machine was away for longer than the lease. Connect again, or stop."
        )),
        SessionPhase::Reconnecting { reason } => {
            Some(format!("The cluster cannot be reached at the moment: {reason}."))
        }
        SessionPhase::Stopping { .. } => None,
        SessionPhase::Connecting { .. } | SessionPhase::Connected => program_attention(program),
    }
}

pub(super) fn program_attention(program: &ProgramState) -> Option<String> {
    match program {
        ProgramState::Exited { how, well: false, .. } => {
            Some(format!("The program ended with {how}."))
        }
        ProgramState::Failed { report } => Some(report.message.clone()),
        _ => None,
    }
}

/// What the user is told in a corner, for events that need them.
pub(super) fn notice(
    what: &What,
    workload: &str,
    connected: bool,
) -> Option<(Tone, &'static str, String)> {
    match what {
        What::Overwritten { by, .. } => {
            let who = by.as_deref().unwrap_or("Somebody");
            let message =
                format!("{who} has changed {workload}; theirs stays, and the session ends.");
            Some((Tone::Warning, "Workload changed", message))
        }
        What::TakenOver { by } => {
            let who = by.as_ref().map(|by| format!("{} on {}", by.user, by.host));
            let who = who.unwrap_or_else(|| "Another session".to_owned());
            Some((Tone::Warning, "Taken over", format!("{who} has taken {workload} over.")))
        }
        What::Lapsed => {
            let message = format!(
                "The cluster has put {workload} back, because this machine was away for longer than the lease."
            );
            Some((Tone::Bad, "Session lapsed", message))
        }
        What::Ended { end: End::Deleted } => {
            Some((Tone::Warning, "Workload deleted", format!("{workload} was deleted.")))
        }
        What::Ended { end: End::Failed { error } } => {
            let title = if connected { "Session lost" } else { "Not connected" };
            Some((Tone::Bad, title, error.message.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::ending;
    use super::*;

    #[test]
    fn what_needs_the_user_is_said_in_a_sentence() {
        let exited = |well| ProgramState::Exited { how: "exit status 1".into(), well, at: 0 };
        let attention = |phase: &SessionPhase, program: &ProgramState| {
            attention(phase, program, "deployment/orders")
        };
        let bad = attention(&SessionPhase::Connected, &exited(false));
        assert_eq!(bad.as_deref(), Some("The program ended with exit status 1."));
        assert_eq!(attention(&SessionPhase::Connected, &exited(true)), None);
        let stopping = SessionPhase::Stopping { step: "restore".into() };
        assert_eq!(attention(&stopping, &exited(false)), None);
        let (how, tone, message) =
            ending(&End::Overwritten, "deployment/orders", &[], Some("kubectl"));
        let ended = SessionPhase::Ended { how, tone, message, report: None };
        let running = ProgramState::Running { pid: 1, since: 0 };
        let sentence = attention(&ended, &running).unwrap_or_default();
        assert!(sentence.contains("by kubectl") && sentence.ends_with("without the cluster."));
        assert!(attention(&SessionPhase::Lapsed, &running).is_some());
    }
}
