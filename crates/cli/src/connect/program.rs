//! The user's command, in a process group of its own: started, told signals, awaited.
//!
//! Where `towline` has the terminal, the command's group gets it, as a shell does it: Ctrl-C then reaches the command once, from the terminal itself,
//! and the command can read what is typed. Elsewhere signals for `towline` are passed on.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::sync::oneshot;
use towline_core::environment::Environment;
use towline_core::program::{self, ProgramError};
use towline_core::report::Code;

use super::terminal::Terminal;
use crate::failure::Failure;

/// Shells answer with these where a command is not there, or is there and cannot be run (XCU 2.8.2).
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

/// Where the command's standard output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Where `towline`'s goes.
    Inherited,
    /// To standard error, because standard output carries the events.
    ToStandardError,
}

/// A command that is running.
pub(super) struct Program {
    group: Pid,
    ended: oneshot::Receiver<Ended>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself, with this status.
    Exited(u8),
    /// By a signal.
    Killed(Signal),
}

impl Ended {
    /// The status as shells count it.
    pub(super) fn status(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Killed(signal) => 128 + signal as u8,
        }
    }
}

/// Finds the file that `command` would start, so that a command which is not there is told before anything is changed.
pub(super) fn find(command: &[OsString], directory: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
        let message = format!("the working directory {} is no directory", directory.display());
        return Err(Failure::new(Code::Input, message));
    }
    let [name, ..] = command else {
        return Err(Failure::new(Code::Input, "there is no command after --"));
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    program::find(name, &path, directory.unwrap_or(Path::new(""))).map_err(|error| {
        let status = match error {
            ProgramError::NotFound(_) => NOT_FOUND,
            ProgramError::NotExecutable { .. } => NOT_EXECUTABLE,
        };
        Failure::from(error).with_status(status)
    })
}

impl Program {
    /// Starts `command` with `environment` on top of this process's.
    pub(super) fn start(
        command: &[OsString],
        directory: Option<&Path>,
        environment: &Environment,
        output: Output,
    ) -> Result<Self, Failure> {
        let [name, arguments @ ..] = command else {
            return Err(Failure::new(Code::Input, "there is no command after --"));
        };
        let mut process = Command::new(name);
        process.args(arguments).process_group(0);
        if let Some(directory) = directory {
            process.current_dir(directory);
        }
        for (name, value) in environment.for_program() {
            process.env(name, std::ffi::OsStr::from_bytes(value));
        }
        if output == Output::ToStandardError {
            process.stdout(Stdio::from(io::stderr()));
        }
        let child = process.spawn().map_err(|error| {
            let status =
                if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE };
            let message = format!("cannot start {}: {error}", Path::new(name).display());
            Failure::new(Code::Program, message).with_status(status)
        })?;
        let number = i32::try_from(child.id())
            .expect("process numbers are positive 32-bit numbers on every Unix");
        let group = Pid::from_raw(number);
        let (tell, ended) = oneshot::channel();
        // A thread and not the runtime's own waiting, because that does not tell of a command that the user has stopped with Ctrl-Z.
        thread::Builder::new()
            .name("program".to_owned())
            .spawn(move || {
                let end = attend(group);
                // Nobody listens any more only while towline itself is ending.
                let _ = tell.send(end);
            })
            .map_err(|error| {
                Failure::new(Code::Internal, format!("cannot wait for the command: {error}"))
            })?;
        Ok(Self { group, ended })
    }

    /// Sends a signal to the command and what it has started.
    pub(super) fn signal(&self, signal: Signal) {
        if let Err(error) = killpg(self.group, signal) {
            tracing::debug!(%error, %signal, "the command is gone already");
        }
    }

    /// Waits for the end. To be called once more only after it was cancelled.
    pub(super) async fn ended(&mut self) -> Ended {
        (&mut self.ended).await.expect("the thread sends before it ends")
    }
}

/// Waits for the end of `group`'s first process, and passes the terminal to and fro meanwhile.
fn attend(group: Pid) -> Ended {
    let terminal = Terminal::of_foreground();
    if let Some(terminal) = &terminal {
        terminal.give(group);
    }
    loop {
        match waitpid(group, Some(WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Exited(_, status)) => {
                take_back(terminal.as_ref());
                return Ended::Exited(u8::try_from(status & 0xff).unwrap_or(u8::MAX));
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                take_back(terminal.as_ref());
                return Ended::Killed(signal);
            }
            Ok(WaitStatus::Stopped(..)) => {
                if let Some(terminal) = &terminal {
                    terminal.stop_together(group);
                }
            }
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => {
                tracing::error!(%error, "the command's end cannot be awaited");
                take_back(terminal.as_ref());
                return Ended::Exited(1);
            }
        }
    }
}

fn take_back(terminal: Option<&Terminal>) {
    if let Some(terminal) = terminal {
        terminal.take_back();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use towline_core::environment::{Bytes, EnvironmentVariable, Origin};

    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    fn environment(value: &[u8]) -> Environment {
        let value = Bytes::from(value.to_vec());
        let variable = |stays_local, name: &str| EnvironmentVariable {
            name: name.into(),
            value: value.clone(),
            origin: Origin::Literal,
            cluster_value: None,
            stays_local,
        };
        Environment { variables: vec![variable(true, "PATH"), variable(false, "VALUE")] }
    }

    #[tokio::test]
    async fn the_command_has_the_environment_and_its_own_group() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("out");
        let script = "printf '%s' \"$VALUE\" > \"$0\"; ps -o pgid= -p $$ | tr -d ' ' > \"$0.group\"; echo $$ > \"$0.pid\"; exit 3";
        let mut command = words(&["sh", "-c", script]);
        command.push(file.clone().into());
        let mut program =
            Program::start(&command, None, &environment(b"a\n$\xff'"), Output::ToStandardError)
                .unwrap();
        assert_eq!(program.ended().await, Ended::Exited(3));
        assert_eq!(std::fs::read(&file).unwrap(), b"a\n$\xff'");
        let read =
            |suffix: &str| std::fs::read_to_string(format!("{}{suffix}", file.display())).unwrap();
        assert_eq!(read(".group").trim(), read(".pid").trim());
    }

    #[tokio::test]
    async fn signals_reach_it() {
        let command = words(&["sleep", "60"]);
        let mut program =
            Program::start(&command, None, &Environment::default(), Output::Inherited).unwrap();
        program.signal(Signal::SIGTERM);
        let ended = program.ended().await;
        assert_eq!((ended, ended.status()), (Ended::Killed(Signal::SIGTERM), 143));
    }

    #[test]
    fn what_cannot_be_started() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("data");
        std::fs::write(&file, "x").unwrap();
        assert_eq!(find(&words(&["towline-has-no-such-command"]), None).unwrap_err().status(), 127);
        assert_eq!(find(&[file.clone().into()], None).unwrap_err().status(), 126);
        assert!(find(&words(&["sh"]), None).unwrap().ends_with("sh"));
        let started =
            Program::start(&[file.into()], None, &Environment::default(), Output::Inherited);
        assert_eq!(started.err().unwrap().status(), 126);
    }
}
