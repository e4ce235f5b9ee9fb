//! The login shell's `PATH`.
//!
//! A desktop starts programs with a short `PATH`; what the user's shell adds (`~/.local/bin`, the SDK of a cloud) is where exec plugins are. So the
//! shell is asked once, at the start. It runs the user's own start-up files, which may do anything: it gets a limit, no terminal and no input, and
//! whatever goes wrong, the process's own `PATH` is what counts.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::watch;

/// How long the shell may take. People wait for their first cluster meanwhile.
const LIMIT: Duration = Duration::from_secs(3);

/// Start-up files print greetings; these stand around what is meant.
const BEFORE: &str = "<towline-path>";
const AFTER: &str = "</towline-path>";

/// Whether the login shell is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginShell {
    /// Unless the process was started from a terminal, and so has its `PATH` already.
    UnlessInTerminal,
    /// Never.
    Ignored,
}

/// Where programs are looked for. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SearchPath {
    own: Option<OsString>,
    answer: watch::Receiver<Option<Answer>>,
}

/// What the shell said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was not asked, and why.
    NotAsked(&'static str),
    /// Its `PATH`.
    Path(OsString),
    /// It did not say, and why.
    Silent(String),
}

impl SearchPath {
    /// Begins to ask the shell, in the background. `own` stands in for this process's `PATH`.
    ///
    /// Needs to be called within a tokio runtime.
    pub fn begin(own: Option<OsString>, shell: LoginShell) -> Self {
        let (sender, answer) = watch::channel(None);
        match (shell, env::var_os("SHELL").filter(|shell| !shell.is_empty())) {
            (LoginShell::Ignored, _) => {
                sender.send_replace(Some(Answer::NotAsked("it is switched off")));
            }
            (LoginShell::UnlessInTerminal, _) if has_terminal() => {
                sender.send_replace(Some(Answer::NotAsked("Towline was started in a terminal")));
            }
            (LoginShell::UnlessInTerminal, None) => {
                sender.send_replace(Some(Answer::NotAsked("SHELL is not set")));
            }
            (LoginShell::UnlessInTerminal, Some(shell)) => {
                tokio::spawn(async move {
                    let answer = ask(&shell, LIMIT).await;
                    if let Answer::Silent(reason) = &answer {
                        tracing::warn!(shell = %shell.display(), reason, "the login shell's PATH");
                    }
                    sender.send_replace(Some(answer));
                });
            }
        }
        Self { own, answer }
    }

    /// The `PATH` to look in, once the shell has answered or had its time; `None`: this process's.
    pub async fn get(&self) -> Option<OsString> {
        let mut answer = self.answer.clone();
        // The sender is gone without an answer only when the runtime ends.
        let _ = answer.wait_for(Option::is_some).await;
        self.now()
    }

    /// The same as far as it is known now.
    pub fn now(&self) -> Option<OsString> {
        match &*self.answer.borrow() {
            Some(Answer::Path(shell)) => {
                let own = self.own.clone().or_else(|| env::var_os("PATH")).unwrap_or_default();
                Some(join(&own, shell))
            }
            _ => self.own.clone(),
        }
    }

    /// [`Self::now`] for those who need a function.
    pub fn as_function(&self) -> Arc<dyn Fn() -> Option<OsString> + Send + Sync> {
        let this = self.clone();
        Arc::new(move || this.now())
    }

    pub(crate) fn answer(&self) -> Option<Answer> {
        self.answer.borrow().clone()
    }
}

/// The process's own directories, then those that only the shell knows.
fn join(own: &OsStr, shell: &OsStr) -> OsString {
    let mut all: Vec<PathBuf> = Vec::new();
    for directory in env::split_paths(own).chain(env::split_paths(shell)) {
        if !directory.as_os_str().is_empty() && !all.contains(&directory) {
            all.push(directory);
        }
    }
    // What was split can be joined again.
    env::join_paths(all).unwrap_or_else(|_| own.to_owned())
}

fn has_terminal() -> bool {
    cfg!(unix) && File::open("/dev/tty").is_ok()
}

async fn ask(shell: &OsStr, limit: Duration) -> Answer {
    // Asked from the environment and not from the shell: in fish PATH is a list.
    let line = format!("echo '{BEFORE}'; /usr/bin/env; echo '{AFTER}'");
    let mut command = Command::new(shell);
    command
        .args(["-i", "-l", "-c", &line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // For start-up files that begin a multiplexer or a banner, and want to leave that out here.
        .env("TOWLINE_RESOLVING_PATH", "1")
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Answer::Silent(format!("it could not be started: {error}")),
    };
    let group = child.id();
    let answer = tokio::time::timeout(limit, output(child)).await;
    // Also when it has answered: what its start-up files left in the background would stay with us.
    end(group);
    match answer {
        Ok(Ok(output)) => parse(&output),
        Ok(Err(error)) => Answer::Silent(format!("its output could not be read: {error}")),
        Err(_) => Answer::Silent(format!("it took longer than {} s", limit.as_secs_f32())),
    }
}

/// What it wrote until the closing mark: whoever holds its output open after that is not waited for.
async fn output(mut child: Child) -> std::io::Result<Vec<u8>> {
    use tokio::io::AsyncReadExt;
    let mut output = Vec::new();
    let Some(mut stdout) = child.stdout.take() else { return Ok(output) };
    let closed =
        |output: &[u8]| output.windows(AFTER.len()).any(|window| window == AFTER.as_bytes());
    while stdout.read_buf(&mut output).await? > 0 && !closed(&output) {}
    Ok(output)
}

fn parse(output: &[u8]) -> Answer {
    let between = || {
        let start = position(output, BEFORE)? + BEFORE.len();
        let rest = &output[start..];
        Some(&rest[..position(rest, AFTER)?])
    };
    let Some(environment) = between() else {
        return Answer::Silent("it did not print its environment".to_owned());
    };
    let mut lines = environment.split(|byte| *byte == b'\n');
    match lines.find_map(|line| line.strip_prefix(b"PATH=")) {
        Some(path) if !path.is_empty() => Answer::Path(os_string(path)),
        _ => Answer::Silent("its environment has no PATH".to_owned()),
    }
}

fn position(text: &[u8], mark: &str) -> Option<usize> {
    text.windows(mark.len()).position(|window| window == mark.as_bytes())
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

#[cfg(unix)]
fn end(group: Option<u32>) {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;
    let group = group.and_then(|id| i32::try_from(id).ok());
    if let Some(group) = group {
        // It may be over already.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
}

#[cfg(not(unix))]
fn end(_group: Option<u32>) {}

#[cfg(test)]
mod tests;
