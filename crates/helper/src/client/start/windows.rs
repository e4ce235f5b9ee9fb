//! By Windows' own prompt (User Account Control). `elevated-command` asks for it by `ShellExecuteW`, which returns as soon as the user has said yes, and
//! tells nothing of the process: only the pipe that answers tells that the helper runs.

use std::process::Command;

use super::{End, HelperError};

/// `ShellExecuteW`: numbers up to this are errors.
const LAST_ERROR: i32 = 32;

/// `ShellExecuteW`: the user said no, or a policy did (`SE_ERR_ACCESSDENIED`).
const DENIED: i32 = 5;

/// Asks, and starts the helper if the user says yes.
pub(super) fn run(command: Command) -> End {
    let failed = |detail: String| End::Failed(HelperError::NotStarted { detail });
    // It joins the arguments by blanks, which is right for what stands in a user's number.
    match elevated_command::Command::new(command).output().map(|output| output.status.code()) {
        Ok(Some(DENIED)) => {
            let detail = "Windows did not let it be started, or the user said no".to_owned();
            End::Failed(HelperError::NotGranted { detail })
        }
        Ok(Some(code)) if (0..=LAST_ERROR).contains(&code) => {
            failed(format!("Windows cannot run it (error {code} of ShellExecute)"))
        }
        Ok(_) => End::Away,
        Err(error) => failed(error.to_string()),
    }
}

/// There is none.
pub(super) struct TerminalAgent;

impl TerminalAgent {
    /// Nothing.
    pub(super) async fn start() -> Option<Self> {
        None
    }
}
