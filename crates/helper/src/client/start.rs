//! Starting the helper.

#[cfg_attr(target_os = "linux", path = "start/linux.rs")]
#[cfg_attr(target_os = "macos", path = "start/macos.rs")]
#[cfg_attr(windows, path = "start/windows.rs")]
mod elevated;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use tokio::sync::oneshot;

use super::HelperError;
use crate::server::MADE_WAY;
use crate::system::{self, Place};

/// The helper's first argument; the second is the user, where nobody else tells the helper whose it is.
const SERVE: &str = "serve";

/// The most of what the helper said that is passed on, in bytes.
const DETAIL_LIMIT: usize = 2000;

/// How a helper ended that was not spoken with.
pub(super) enum End {
    /// Nothing more is heard of it: another of this user was first, or the system does not tell how it fares (Windows). One answers soon, or none will.
    Away,
    /// It did not start.
    Failed(HelperError),
}

/// A helper that has been asked for. Dropping this leaves it alone.
pub(super) struct Started {
    program: PathBuf,
    place: Place,
    end: oneshot::Receiver<End>,
    /// Asks the user in the terminal, where nothing else does.
    agent: Option<elevated::TerminalAgent>,
}

impl Started {
    /// Why it ended, if it has. It is not known to run before its socket answers: where a prompt comes first, this waits for that too.
    pub(super) fn ended(&mut self) -> Option<End> {
        match self.end.try_recv() {
            Ok(end) => Some(end),
            Err(oneshot::error::TryRecvError::Empty) => None,
            // It has been told before.
            Err(oneshot::error::TryRecvError::Closed) => Some(End::Away),
        }
    }

    /// Asks once more, in this process's terminal. False: there is none, or that has been tried.
    pub(super) async fn ask_in_terminal(&mut self) -> Result<bool, HelperError> {
        if self.agent.is_some() {
            return Ok(false);
        }
        self.agent = elevated::TerminalAgent::start().await;
        if self.agent.is_none() {
            return Ok(false);
        }
        let command = command(&self.program, &self.place);
        self.end = in_thread(move || elevated::run(command))?;
        Ok(true)
    }
}

/// Starts `program` with the superuser's rights.
pub(super) fn helper(program: &Path, place: &Place) -> Result<Started, HelperError> {
    let command = command(program, place);
    let end = if system::is_elevated() {
        in_thread(move || directly(command))?
    } else {
        in_thread(move || elevated::run(command))?
    };
    Ok(Started { program: program.to_owned(), place: place.clone(), end, agent: None })
}

fn command(program: &Path, place: &Place) -> Command {
    let mut command = Command::new(program);
    command.arg(SERVE).args(place.argument());
    command
}

/// A thread of its own, since waiting for the helper takes as long as it lives, and a runtime waits for its own threads before it ends.
fn in_thread(
    run: impl FnOnce() -> End + Send + 'static,
) -> Result<oneshot::Receiver<End>, HelperError> {
    let (tell, end) = oneshot::channel();
    let spawned = thread::Builder::new().name("towline-helper".to_owned()).spawn(move || {
        // Nobody may want to know any more.
        let _ = tell.send(run());
    });
    match spawned {
        Ok(_) => Ok(end),
        Err(error) => Err(HelperError::NotStarted { detail: error.to_string() }),
    }
}

/// With this process's own rights.
fn directly(mut command: Command) -> End {
    system::apart(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    match command.spawn().and_then(std::process::Child::wait_with_output) {
        Ok(output) => ended(&output),
        Err(error) => {
            let program = command.get_program().to_string_lossy();
            End::Failed(HelperError::NotStarted { detail: format!("{program}: {error}") })
        }
    }
}

/// What it means that the helper itself ended.
fn ended(output: &Output) -> End {
    if output.status.code() == Some(MADE_WAY.into()) {
        return End::Away;
    }
    let detail = said(output);
    let detail =
        if detail.is_empty() { format!("it ended with {}", output.status) } else { detail };
    End::Failed(HelperError::NotStarted { detail })
}

/// What a program wrote to its standard error.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.trim().chars().take(DETAIL_LIMIT).collect()
}
