//! By polkit: `elevated-command` runs `pkexec --disable-internal-agent env … towline-helper serve`. That waits as long as the helper lives, and what it
//! ends with says little: 126 and 127 are those of pkexec(1), of `env` and of a shell alike. So only the socket tells that the helper runs, and the words
//! of pkexec tell why it does not.

use std::io::{IsTerminal, Read};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::{End, HelperError, ended, said};

/// Runs the command and waits for its end.
pub(super) fn run(command: Command) -> End {
    match elevated_command::Command::new(command).output() {
        Ok(output) => classify(&output),
        Err(error) => {
            let detail = format!("polkit's pkexec cannot be run: {error}");
            End::Failed(HelperError::NoPrompt { detail })
        }
    }
}

fn classify(output: &Output) -> End {
    let detail = said(output);
    let has = |words: &str| detail.contains(words);
    End::Failed(match output.status.code() {
        Some(126 | 127) if has("No authentication agent found") => {
            let detail = "polkit has no authentication agent for this session".to_owned();
            HelperError::NoPrompt { detail }
        }
        // The bus or polkitd is not there.
        Some(126 | 127) if has("Error getting authority") => HelperError::NoPrompt { detail },
        // pkexec(1): 126, the dialog was dismissed; 127, not authorized.
        Some(126 | 127) if has("Request dismissed") || has("Not authorized") => {
            HelperError::NotGranted { detail }
        }
        Some(126) if !has("env: ") => HelperError::NotGranted { detail },
        // The prompt was ended together with us, by Ctrl-C for instance.
        None => HelperError::NotGranted { detail: format!("pkexec ended with {}", output.status) },
        _ => return ended(output),
    })
}

/// polkit's agent for terminals, as long as it is needed. It comes before a desktop's agent, and so is started only where there is none: the one that is asked
/// last by its own words (`--fallback`) is not found for a single process.
pub(super) struct TerminalAgent(Child);

/// It registers at once, or never.
const REGISTRATION: Duration = Duration::from_secs(5);

impl TerminalAgent {
    /// Nothing, where this process has no terminal or there is no such program.
    pub(super) async fn start() -> Option<Self> {
        if !std::io::stdin().is_terminal() {
            return None;
        }
        let mut agent = Command::new("pkttyagent");
        agent.args(["--notify-fd", "1", "--process"]).arg(std::process::id().to_string());
        // It speaks to the terminal itself, not by these.
        let streams = agent.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut agent = Self(streams.spawn().ok()?);
        let mut registered = agent.0.stdout.take()?;
        // It closes this when it is registered, or ends; and it ends when it is dropped here.
        let wait = spawn_blocking(move || registered.read_to_end(&mut Vec::new()));
        timeout(REGISTRATION, wait).await.ok()?.ok()?.ok()?;
        Some(agent)
    }
}

impl Drop for TerminalAgent {
    fn drop(&mut self) {
        // Not SIGKILL: it may have to switch the echo on again.
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn of(code: i32, said: &str) -> HelperError {
        let output = Output {
            status: ExitStatus::from_raw(code << 8),
            stdout: Vec::new(),
            stderr: said.as_bytes().to_vec(),
        };
        match classify(&output) {
            End::Failed(error) => error,
            End::Away => panic!("{said}"),
        }
    }

    /// What Debian 12's pkexec says.
    #[test]
    fn what_pkexec_says_is_told_apart() {
        let dismissed = "Error executing command as another user: Request dismissed\n";
        assert!(matches!(of(126, dismissed), HelperError::NotGranted { .. }));
        let refused = "Error executing command as another user: Not authorized\n\nThis incident has been reported.\n";
        assert!(matches!(of(127, refused), HelperError::NotGranted { .. }));
        let nobody = "Error executing command as another user: No authentication agent found.\n";
        assert!(matches!(of(127, nobody), HelperError::NoPrompt { .. }));
        let absent = "Error getting authority: Error initializing authority: Could not connect: No such file or directory\n";
        assert!(matches!(of(127, absent), HelperError::NoPrompt { .. }));
        let broken = "env: '/usr/lib/towline/towline-helper': Permission denied\n";
        assert!(matches!(of(126, broken), HelperError::NotStarted { .. }));
        let own = of(1, "towline-helper: cannot make /run/towline: Read-only file system\n");
        assert_eq!(
            own.to_string(),
            "the helper did not start: towline-helper: cannot make /run/towline: Read-only file system"
        );
    }
}
