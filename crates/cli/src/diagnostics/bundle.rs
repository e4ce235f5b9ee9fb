//! The report for an issue: one text, redacted as a whole.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use towline_core::cluster::{ContextEntry, Kubeconfig};
use towline_core::journal::Journal;
use towline_core::logs;
use towline_core::redact::Redactor;
use towline_core::report::Code;

use super::Findings;
use crate::LOG_FILE;
use crate::failure::Failure;

/// How many lines of each log it has.
const LOG_LINES: usize = 500;

/// The window's log and ours.
const LOGS: [&str; 2] = ["towline.log", LOG_FILE];

/// Writes it to a new file, for this user only.
pub(super) fn write(
    file: &Path,
    findings: &Findings,
    kubeconfig: Option<&Path>,
) -> Result<(), Failure> {
    let text = redactor(findings, kubeconfig).redact(&text(findings));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AlreadyExists => "name a file that is not there yet",
            _ => "name a file in a directory of yours",
        };
        Failure::new(
            Code::Input,
            format!("the report cannot be written to {}: {error}", file.display()),
        )
        .with_hint(hint)
    })
}

fn text(findings: &Findings) -> String {
    let mut text = format!(
        "Towline {} on {} ({})\nmade at {}\n\n## Checks\n\n",
        findings.version,
        std::env::consts::OS,
        std::env::consts::ARCH,
        jiff::Timestamp::now()
    );
    text += &super::text(findings, false);
    for session in &findings.sessions {
        text += &format!("\n## Environment of session {}\n\n", session.session);
        for variable in &session.environment {
            let how = match (variable.rewritten, variable.stays_local) {
                (_, true) => ", stays this machine's",
                (true, _) => ", rewritten",
                _ => "",
            };
            // No values: one may be a secret without being known for one.
            text += &format!("{} ({}{how})\n", variable.name, variable.from);
        }
    }
    for name in LOGS {
        let lines = logs::last_lines(&logs::directory(), name, LOG_LINES);
        text += &format!("\n## {name}, the last {} lines\n\n", lines.len());
        lines.iter().for_each(|line| text.extend([line.as_str(), "\n"]));
    }
    text
}

fn redactor(findings: &Findings, kubeconfig: Option<&Path>) -> Redactor {
    let journal = Journal::of_user().read_all().unwrap_or_default();
    // Sessions may have been begun with other files.
    let mut files: Vec<Option<&Path>> =
        journal.iter().map(|entry| entry.kubeconfig.as_deref()).chain([kubeconfig]).collect();
    files.sort_unstable();
    files.dedup();
    let contexts: Vec<ContextEntry> = files
        .into_iter()
        .filter_map(|file| Kubeconfig::load(file).ok())
        .flat_map(|kubeconfig| kubeconfig.contexts())
        .collect();
    let servers = contexts.iter().filter_map(|context| context.server.as_deref());
    let named =
        contexts.iter().flat_map(|context| [context.name.as_str(), context.cluster.as_str()]);
    let of_journal = journal.iter().map(|entry| entry.context.as_str());
    let of_sessions = findings.sessions.iter().map(|session| session.context.as_str());
    Redactor::new(servers, named.chain(of_journal).chain(of_sessions))
}
