//! Exec plugins: the program that a kubeconfig names for the credentials, run by us so that what it says on standard error is not lost,
//! and run once only (kube's client runs it a second time for a client certificate).
//!
//! The protocol: <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::config::{ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::Ask;
use super::error::{ClusterError, PluginFailure};

/// Shows what a plugin writes to standard error, as it comes: a login may need it ("open this page and enter this code").
pub type Show = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// A login in the browser takes a person this long at most.
const LIMIT: Duration = Duration::from_secs(300);

/// How much of the standard error is kept for a report.
const KEPT_STDERR: usize = 16 * 1024;

/// A plugin as the kubeconfig sets it up.
#[derive(Clone)]
pub(super) struct Plugin {
    pub(super) config: ExecConfig,
    pub(super) cluster: Option<ExecAuthCluster>,
    pub(super) show: Option<Show>,
    pub(super) ask: Ask,
    pub(super) path: Option<OsString>,
}

/// What a plugin gave.
pub(super) struct Credentials {
    pub(super) token: Option<SecretString>,
    /// Certificate and key, PEM.
    pub(super) identity: Option<(String, SecretString)>,
    pub(super) expires: Option<Timestamp>,
}

/// A plugin gave nothing. It passes through the HTTP client as a boxed error, so it does not know its context.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the exec plugin '{command}' gave no credentials")]
pub(super) struct PluginError {
    command: String,
    reason: Reason,
    stderr: String,
}

#[derive(Clone, Debug)]
enum Reason {
    Missing { searched: Vec<PathBuf>, install_hint: Option<String> },
    Start(Arc<std::io::Error>),
    Exit(ExitStatus),
    TimedOut,
    Output(String),
}

impl PluginError {
    pub(super) fn to_cluster_error(&self, context: &str) -> ClusterError {
        let context = context.to_owned();
        let command = self.command.clone();
        let failure = match &self.reason {
            Reason::Missing { searched, install_hint } => {
                let (searched, install_hint) = (searched.clone(), install_hint.clone());
                return ClusterError::PluginMissing { context, command, searched, install_hint };
            }
            Reason::Start(error) => {
                PluginFailure::Start(std::io::Error::new(error.kind(), error.clone()))
            }
            Reason::Exit(status) => PluginFailure::Exit(*status),
            Reason::TimedOut => PluginFailure::TimedOut(LIMIT.as_secs()),
            Reason::Output(message) => PluginFailure::Output(message.clone()),
        };
        ClusterError::PluginFailed { context, command, failure, stderr: self.stderr.clone() }
    }
}

impl Plugin {
    fn command(&self) -> &str {
        self.config.command.as_deref().unwrap_or_default()
    }

    fn error(&self, reason: Reason, stderr: String) -> PluginError {
        PluginError { command: self.command().to_owned(), reason, stderr }
    }

    /// Runs it.
    pub(super) async fn run(&self) -> Result<Credentials, PluginError> {
        let path = self.path.clone().or_else(|| env::var_os("PATH")).unwrap_or_default();
        let program = find(self.command(), env::split_paths(&path)).map_err(|searched| {
            self.error(
                Reason::Missing { searched, install_hint: self.config.install_hint.clone() },
                String::new(),
            )
        })?;
        let never = self.config.interactive_mode == Some(ExecInteractiveMode::Never);
        let interactive = self.show.is_some()
            && self.ask == Ask::Terminal
            && !never
            && std::io::stdin().is_terminal();

        let mut command = Command::new(program);
        command.args(self.config.args.iter().flatten()).kill_on_drop(true);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        for variable in self.config.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                command.env(name, value);
            }
        }
        command.env("KUBERNETES_EXEC_INFO", self.request(interactive));
        command.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| self.error(Reason::Start(Arc::new(error)), String::new()))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let all = async {
            tokio::join!(read(stdout, None), read(stderr, self.show.as_ref()), child.wait())
        };
        let Ok((stdout, stderr, status)) = tokio::time::timeout(LIMIT, all).await else {
            return Err(self.error(Reason::TimedOut, String::new()));
        };
        let stderr = tail(&stderr);
        match status {
            Err(error) => Err(self.error(Reason::Start(Arc::new(error)), stderr)),
            Ok(status) if !status.success() => Err(self.error(Reason::Exit(status), stderr)),
            Ok(_) => parse(&stdout).map_err(|message| self.error(Reason::Output(message), stderr)),
        }
    }

    fn request(&self, interactive: bool) -> String {
        let cluster = self.config.provide_cluster_info.then(|| self.cluster.clone()).flatten();
        let request = Request {
            api_version: self
                .config
                .api_version
                .as_deref()
                .unwrap_or("client.authentication.k8s.io/v1"),
            kind: "ExecCredential",
            spec: Spec { interactive, cluster },
        };
        serde_json::to_string(&request).expect("names, flags and strings are always JSON")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    api_version: &'a str,
    kind: &'a str,
    spec: Spec,
}

#[derive(Serialize)]
struct Spec {
    interactive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<ExecAuthCluster>,
}

#[derive(Deserialize)]
struct Answer {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<Timestamp>,
    token: Option<SecretString>,
    client_certificate_data: Option<String>,
    client_key_data: Option<SecretString>,
}

// client-go takes YAML too, and some plugins rely on it; JSON is a part of YAML. What was read is never repeated in a message: it holds
// the token.
fn parse(stdout: &[u8]) -> Result<Credentials, String> {
    if stdout.iter().all(u8::is_ascii_whitespace) {
        return Err("it wrote nothing to its standard output".to_owned());
    }
    let answer: Answer =
        serde_yaml_ng::from_slice(stdout).map_err(|error| match error.location() {
            Some(at) => format!(
                "its output is not an ExecCredential (line {}, column {})",
                at.line(),
                at.column()
            ),
            None => "its output is not an ExecCredential".to_owned(),
        })?;
    let status = answer.status.ok_or("its output has no status")?;
    let identity = status.client_certificate_data.zip(status.client_key_data);
    if status.token.is_none() && identity.is_none() {
        return Err("its output has neither a token nor a client certificate".to_owned());
    }
    Ok(Credentials { token: status.token, identity, expires: status.expiration_timestamp })
}

/// Where a program is that a kubeconfig names, looking in `path` (default: this process's `PATH`) as when it is run.
pub fn find_program(command: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    let own = || env::var_os("PATH").unwrap_or_default();
    let path = path.map(OsStr::to_owned).unwrap_or_else(own);
    find(command, env::split_paths(&path)).ok()
}

/// Where the program is, or the places that were looked at. A name with a separator is a path; kube has made it absolute already.
fn find(command: &str, path: impl Iterator<Item = PathBuf>) -> Result<PathBuf, Vec<PathBuf>> {
    if command.contains(std::path::MAIN_SEPARATOR) {
        let file = PathBuf::from(command);
        return if is_program(&file) { Ok(file) } else { Err(vec![file]) };
    }
    let directories: Vec<PathBuf> =
        path.filter(|directory| !directory.as_os_str().is_empty()).collect();
    let candidates = directories.iter().map(|directory| directory.join(command));
    candidates.filter(|_| !command.is_empty()).find(|file| is_program(file)).ok_or(directories)
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file() || file.with_extension("exe").is_file()
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, show: Option<&Show>) -> Vec<u8> {
    let Some(mut pipe) = pipe else { return Vec::new() };
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    // A pipe that breaks has ended: what has come is what there is.
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        if let Some(show) = show {
            show(&buffer[..count]);
        }
        all.extend_from_slice(&buffer[..count]);
    }
    all
}

fn tail(stderr: &[u8]) -> String {
    let start = stderr.len().saturating_sub(KEPT_STDERR);
    String::from_utf8_lossy(&stderr[start..]).into_owned()
}
