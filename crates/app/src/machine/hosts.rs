//! What sessions have in the hosts file, and taking out what they have left.

use towline_core::report::Code;
use towline_helper::client;
use towline_machine::hosts_file::{self, Block, HostsFile};

use super::Machine;
use crate::report::failure;
use crate::view::{DiagnosticAction, DiagnosticCheck, HelperState, Repaired, Report, Tone};

impl Machine {
    /// Takes lines out that sessions have left which are no more: every helper does so when it starts. Sessions that have lost their helper take up the new one,
    /// and write theirs again. Asks for administrator rights.
    ///
    /// # Errors
    ///
    /// When the rights are not granted, or the hosts file cannot be read afterwards.
    pub(crate) async fn repair_hosts(&self) -> Result<Repaired, Report> {
        let path = hosts_file::path().display();
        let before = look()?;
        let (lines, sessions) = count(before.stale());
        let lost = self.helper_state() == HelperState::Lost;
        if sessions == 0 && !lost {
            let message = format!("No session has left anything in {path}.");
            return Ok(Repaired { tone: Tone::Good, message });
        }
        let _with = self.helper().await?;
        if lost {
            let message = "The helper runs again. Sessions that had lost it take it up.".to_owned();
            return Ok(Repaired { tone: Tone::Good, message });
        }
        let left = count(look()?.stale()).1;
        Ok(match left {
            0 => {
                let message = format!("Taken out of {path}: {}.", words(lines, sessions));
                Repaired { tone: Tone::Good, message }
            }
            _ => {
                let message = format!(
                    "{path} still has lines of {left} sessions that are no more. End every Towline, and repair again ten seconds later."
                );
                Repaired { tone: Tone::Warning, message }
            }
        })
    }
}

/// What diagnostics tell of the hosts file. `here` makes a check of this machine.
pub(crate) fn check(here: fn(&str, &str, Tone, String) -> DiagnosticCheck) -> DiagnosticCheck {
    let (id, title) = ("hosts", "Hosts file");
    let path = hosts_file::path().display();
    let file = match look() {
        Ok(file) => file,
        Err(report) => {
            let check = here(id, title, Tone::Bad, report.message);
            return DiagnosticCheck { fix: report.hint, ..check };
        }
    };
    let stale = count(file.stale());
    if stale.1 > 0 {
        let message = format!("{path} has {} that no helper looks after.", words(stale.0, stale.1));
        let check = here(id, title, Tone::Warning, message);
        let fix = "Repair takes out what sessions have left that are no more. The system asks for administrator rights.".to_owned();
        return DiagnosticCheck {
            fix: Some(fix),
            action: Some(DiagnosticAction::RepairHosts),
            ..check
        };
    }
    let message = match count(file.blocks.iter()) {
        (_, 0) => format!("No session has lines in {path}."),
        (lines, sessions) => format!("{path} has {}, in use.", words(lines, sessions)),
    };
    here(id, title, Tone::Good, message)
}

/// What diagnostics tell of the helper.
pub(crate) fn helper_check(
    here: fn(&str, &str, Tone, String) -> DiagnosticCheck,
    state: &HelperState,
) -> DiagnosticCheck {
    let (id, title) = ("helper", "Helper");
    match (client::program(), state) {
        (Err(error), _) => {
            let report = super::of_helper(&error);
            let check = here(id, title, Tone::Warning, report.message);
            DiagnosticCheck { fix: report.hint, ..check }
        }
        (Ok(path), HelperState::Running) => {
            here(id, title, Tone::Good, format!("{} runs.", path.display()))
        }
        (Ok(path), HelperState::Lost) => {
            let message = format!(
                "{} has ended while a session uses it. Names and ports that the session has go on; what comes later gets none.",
                path.display()
            );
            let check = here(id, title, Tone::Warning, message);
            let fix = "Repair starts it again, and the session takes it up. The system asks for administrator rights.";
            let action = Some(DiagnosticAction::RepairHosts);
            DiagnosticCheck { fix: Some(fix.to_owned()), action, ..check }
        }
        (Ok(path), HelperState::Failed { message }) => {
            let message = format!("{} did not start: {message}.", path.display());
            let check = here(id, title, Tone::Bad, message);
            let fix = "Use the mode without administrator rights, or install the package again.";
            DiagnosticCheck { fix: Some(fix.to_owned()), ..check }
        }
        (Ok(path), _) => {
            let message = format!("{}, started when a session needs it.", path.display());
            here(id, title, Tone::Good, message)
        }
    }
}

fn look() -> Result<HostsFile, Report> {
    HostsFile::look().map_err(|error| {
        let hint = Some("Make it readable for everybody, as it usually is.");
        failure(Code::HostsFile, format!("{error}."), hint)
    })
}

/// Lines and sessions.
fn count<'a>(blocks: impl Iterator<Item = &'a Block>) -> (usize, usize) {
    blocks.fold((0, 0), |(lines, sessions), block| (lines + block.entries.len(), sessions + 1))
}

fn words(lines: usize, sessions: usize) -> String {
    let number = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    format!("{} of {}", number(lines, "line"), number(sessions, "session"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_were_left_are_told() {
        let text = "127.0.0.1 localhost\n\
            # towline begin 0123456789ab uid=1000 helper=4194305:77@00000000 (removed when the session ends)\n\
            127.77.1.2 orders orders.shop # towline 0123456789ab\n\
            127.77.1.3 redis # towline 0123456789ab\n\
            # towline end 0123456789ab\n";
        let file = HostsFile::parse(text.as_bytes());
        assert_eq!(count(file.stale()), (2, 1));
        assert_eq!(words(2, 1), "2 lines of 1 session");
    }
}
