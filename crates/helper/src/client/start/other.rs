//! By the system's own dialog (macOS). Untested. `elevated-command` joins the arguments unquoted into a script there, so a path that a shell would read in
//! another way is refused.

use std::process::Command;

use super::{End, HelperError, ended};

/// Runs the command and waits for its end.
pub(super) fn run(command: Command) -> End {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let program = command.get_program().to_string_lossy().into_owned();
    if !program.bytes().all(plain) {
        let detail =
            format!("the path {program:?} has characters that a shell does not take literally");
        return End::Failed(HelperError::NotStarted { detail });
    }
    let mut command = elevated_command::Command::new(command);
    #[cfg(target_os = "macos")]
    command.name("Towline".to_owned());
    match command.output() {
        Ok(output) => ended(&output),
        // The dialog was dismissed, or the script could not be run: the error does not tell.
        Err(error) => End::Failed(HelperError::NotGranted { detail: error.to_string() }),
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
