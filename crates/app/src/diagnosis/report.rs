//! The report for an issue.

use std::fmt::Write;

use jiff::Timestamp;

use super::redact::redactor;
use crate::view::{
    App, ClusterPhase, DiagnosticCheck, Session, SessionEvent, SessionPhase, TableKind, TableState,
    Tone, Variable,
};

/// How many lines of the log it has.
pub(super) const LOG_LINES: usize = 200;

/// Put together, and then redacted as a whole.
pub(super) fn text(
    app: &App,
    checks: &[DiagnosticCheck],
    events: &dyn Fn(&str) -> Option<Vec<SessionEvent>>,
    variables: &dyn Fn(&str) -> Option<Vec<Variable>>,
    log: &[String],
) -> String {
    let mut text = String::new();
    head(&mut text, app);
    section(&mut text, "Checks");
    for check in checks {
        line(
            &mut text,
            &format!("{} {}: {}: {}", tone(check.tone), check.group, check.title, check.message),
        );
    }
    section(&mut text, "Clusters");
    for cluster in &app.clusters {
        let tables = cluster
            .tables
            .iter()
            .map(|table| format!("{} {} {}", table.total, kind(table.table), state(&table.state)));
        let tables: Vec<String> = tables.collect();
        let version = cluster.version.as_deref().unwrap_or("version unknown");
        line(
            &mut text,
            &format!(
                "{} ({version}): {}; {}",
                cluster.context,
                phase(&cluster.phase),
                tables.join(", ")
            ),
        );
    }
    for session in &app.sessions {
        self::session(&mut text, session, events, variables);
    }
    section(&mut text, "Leftovers");
    for leftover in &app.leftovers {
        line(
            &mut text,
            &format!("{} in {}: {}", leftover.workload, leftover.namespace, leftover.message),
        );
    }
    section(&mut text, &format!("Log, the last {} lines", log.len()));
    for entry in log {
        line(&mut text, entry);
    }
    redactor(app).redact(&text)
}

fn head(text: &mut String, app: &App) {
    line(
        text,
        &format!("Towline {} on {} ({})", app.version, app.platform, std::env::consts::ARCH),
    );
    line(text, &format!("made at {}", Timestamp::now()));
    line(
        text,
        &format!(
            "{} contexts, {} kubeconfig files ({} broken)",
            app.contexts.contexts.len(),
            app.contexts.files.len(),
            app.contexts.broken.len()
        ),
    );
    let lease = app.preferences.lease_seconds;
    line(
        text,
        &format!(
            "{} profiles, lease {lease} s, log level {:?}",
            app.profiles.len(),
            app.preferences.log_level
        ),
    );
}

fn session(
    text: &mut String,
    session: &Session,
    events: &dyn Fn(&str) -> Option<Vec<SessionEvent>>,
    variables: &dyn Fn(&str) -> Option<Vec<Variable>>,
) {
    section(text, &format!("Session {} on {}", session.id, session.workload));
    line(text, &format!("state: {}", session_phase(&session.phase)));
    if let Some(attention) = &session.attention {
        line(text, &format!("attention: {attention}"));
    }
    // Names only: a value may be a secret without being known for one.
    let names: Vec<String> =
        variables(&session.id).unwrap_or_default().into_iter().map(|it| it.name).collect();
    line(text, &format!("environment: {}", names.join(" ")));
    for event in events(&session.id).unwrap_or_default() {
        let time = Timestamp::from_millisecond(event.time).unwrap_or_default();
        line(text, &format!("{time} {} {} {}", event.seq, event.title, event.detail));
    }
}

fn section(text: &mut String, title: &str) {
    writeln!(text, "\n## {title}").expect("a string takes all");
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes all");
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Neutral => "-",
        Tone::Good => "ok",
        Tone::Warning => "WARNING",
        Tone::Bad => "BAD",
    }
}

fn kind(table: TableKind) -> &'static str {
    match table {
        TableKind::Services => "services",
        TableKind::Workloads => "workloads",
        TableKind::Pods => "pods",
    }
}

fn state(state: &TableState) -> String {
    match state {
        TableState::Loading => "loading".to_owned(),
        TableState::Live => "live".to_owned(),
        TableState::Stale { report, .. } => format!("stale ({})", report.message),
        TableState::Forbidden { report } => format!("forbidden ({})", report.message),
    }
}

fn phase(phase: &ClusterPhase) -> String {
    match phase {
        ClusterPhase::Connecting { .. } => "connecting".to_owned(),
        ClusterPhase::Connected => "connected".to_owned(),
        ClusterPhase::Unreachable { report, .. } => format!("unreachable ({})", report.message),
        ClusterPhase::Failed { report } => format!("failed ({})", report.message),
    }
}

fn session_phase(phase: &SessionPhase) -> String {
    match phase {
        SessionPhase::Connecting { step } => format!("connecting ({step})"),
        SessionPhase::Connected => "connected".to_owned(),
        SessionPhase::Reconnecting { reason } => format!("reconnecting ({reason})"),
        SessionPhase::Lapsed => "lapsed".to_owned(),
        SessionPhase::Stopping { step } => format!("stopping ({step})"),
        SessionPhase::Ended { message, report, .. } => {
            let detail = report.as_ref().and_then(|report| report.detail.as_deref());
            format!("ended: {message} {}", detail.unwrap_or_default())
        }
    }
}
