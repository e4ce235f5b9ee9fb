//! By the system's own dialog. Never run. `elevated-command` joins the arguments unquoted into a script, so a path that a shell would read in another way is
//! refused.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Output};

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
    command.name("Towline".to_owned());
    match command.output() {
        Ok(output) => ended(&as_waited_for(output)),
        // The dialog was dismissed, or the script could not be run: the error does not tell.
        Err(error) => End::Failed(HelperError::NotGranted { detail: error.to_string() }),
    }
}

/// `elevated-command` takes the number that the helper ended with for one of wait(2), which has that number in its second byte.
fn as_waited_for(output: Output) -> Output {
    Output { status: ExitStatus::from_raw(output.status.into_raw() << 8), ..output }
}

/// There is none.
pub(super) struct TerminalAgent;

impl TerminalAgent {
    /// Nothing.
    pub(super) async fn start() -> Option<Self> {
        None
    }
}
