//! A program that has been started.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::process::Child;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use towline_core::environment::Environment;

use super::command::Command;
use super::group::Group;
use super::output;
use crate::logs::LogWriter;
use crate::own_variables::own_variables;
use crate::view::LogSource;

/// How long a program that was told to end may take.
const GRACE: Duration = Duration::from_secs(10);

/// What a program has written last arrives within this time after its end, if nobody else holds its outputs.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// A pipe is no terminal, and Python keeps what it prints to a pipe until there is a lot of it.
const UNBUFFERED: (&str, &str) = ("PYTHONUNBUFFERED", "1");

pub(super) struct Running {
    pub(super) pid: u32,
    child: Child,
    group: Group,
    /// Read both of its outputs, to their ends.
    readers: JoinSet<()>,
    /// How its first process ended.
    ended: Option<ExitStatus>,
    /// When its time is over: to end, after it was told to; else, after it has ended, for what it has written to arrive.
    deadline: Option<Instant>,
    pub(super) told: bool,
    killed: bool,
}

impl Running {
    /// Starts `command` with `environment` on top of this process's, and `path` as its `PATH`.
    pub(super) fn start(
        command: &Command,
        file: &std::path::Path,
        environment: &Environment,
        path: Option<&OsStr>,
        log: &LogWriter,
    ) -> io::Result<Self> {
        let [name, arguments @ ..] = command.words() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut process = tokio::process::Command::new(file);
        process.arg0(name).args(arguments).current_dir(command.place());
        process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it starts is ended with it, and a Ctrl-C in a terminal that the window was started from is not for it.
        process.process_group(0).kill_on_drop(true);
        for name in own_variables() {
            process.env_remove(name);
        }
        if let Some(path) = path {
            process.env("PATH", path);
        }
        if std::env::var_os(UNBUFFERED.0).is_none() {
            process.env(UNBUFFERED.0, UNBUFFERED.1);
        }
        for (name, value) in environment.for_program() {
            process.env(name, OsStr::from_bytes(value));
        }
        let mut child = process.spawn()?;
        let pid = child.id().ok_or(io::ErrorKind::NotFound)?;
        let group = Group::of(pid).ok_or(io::ErrorKind::InvalidData)?;
        let mut readers = JoinSet::new();
        if let Some(out) = child.stdout.take() {
            readers.spawn(output::read(out, LogSource::ProgramOut, log.clone()));
        }
        if let Some(err) = child.stderr.take() {
            readers.spawn(output::read(err, LogSource::ProgramErr, log.clone()));
        }
        let (ended, deadline) = (None, None);
        Ok(Self { pid, child, group, readers, ended, deadline, told: false, killed: false })
    }

    /// Tells it to end. After [`GRACE`] it is killed, with all that it has started.
    pub(super) fn tell_to_end(&mut self) {
        if !self.told {
            self.told = true;
            self.deadline = Some(Instant::now() + GRACE);
            self.group.end();
        }
    }

    /// Waits for the end of its first process, and for what it has written; of one that was told to end also for whatever it has started and still
    /// has its outputs. Can be called again after it was cancelled.
    pub(super) async fn ended(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.ended
                && (self.killed || self.readers.is_empty())
            {
                return status;
            }
            let deadline = self.deadline;
            let late = async move {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = self.child.wait(), if self.ended.is_none() => {
                    self.ended = Some(ended.unwrap_or_else(|error| {
                        tracing::error!(%error, "the program's end cannot be awaited");
                        ExitStatus::from_raw(1 << 8)
                    }));
                    self.deadline = self.deadline.or_else(|| Some(Instant::now() + LAST_WORDS));
                }
                Some(_) = self.readers.join_next() => {}
                () = late => {
                    self.deadline = None;
                    match self.ended {
                        Some(status) if !self.told => return status,
                        // While its outputs are open somebody of the group is there, so its number cannot be another's.
                        _ => self.group.kill(),
                    }
                    self.killed = true;
                }
            }
        }
    }

    /// Ends what its first process has left running.
    pub(super) fn sweep(mut self) {
        while self.readers.try_join_next().is_some() {}
        if self.ended.is_none() || !self.readers.is_empty() {
            self.group.end();
        }
        // What they still have to say is read on.
        self.readers.detach_all();
    }
}

/// How a program ended, in words.
pub(super) fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => match Signal::try_from(signal) {
            Ok(signal) => signal.as_str().to_owned(),
            Err(_) => format!("signal {signal}"),
        },
        (None, None) => status.to_string(),
    }
}
