//! Why a cluster cannot be used, or refused a request.

use std::path::PathBuf;
use std::process::ExitStatus;

use crate::report::{Code, Explain, Report, causes};

/// A cluster cannot be opened, or a request to it failed.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is no kubeconfig file.
    #[error("There is no kubeconfig; looked for {}", list(.searched.iter().map(|path| path.display())))]
    KubeconfigMissing {
        /// The files that were looked for.
        searched: Vec<PathBuf>,
    },
    /// A kubeconfig file cannot be read or understood.
    #[error("The kubeconfig {} cannot be used: {reason}", .file.display())]
    KubeconfigBroken {
        /// The file.
        file: PathBuf,
        /// Why, with line and column where that can be told.
        reason: String,
    },
    /// No context was asked for, and the kubeconfig has no current one.
    #[error("No context was named, and the kubeconfig sets no current-context")]
    NoCurrentContext {
        /// The contexts that exist.
        known: Vec<String>,
    },
    /// The kubeconfig has no such context.
    #[error("The kubeconfig has no context '{name}'")]
    ContextUnknown {
        /// What was asked for.
        name: String,
        /// The one that is spelt most like it.
        closest: Option<String>,
        /// The contexts that exist.
        known: Vec<String>,
    },
    /// The context's exec plugin is not on this machine.
    #[error("The exec plugin '{command}' of the context '{context}' was not found; looked in {}", list(.searched.iter().map(|path| path.display())))]
    PluginMissing {
        /// The context.
        context: String,
        /// The command, as the kubeconfig names it.
        command: String,
        /// The directories of `PATH`, or the one file that the kubeconfig names.
        searched: Vec<PathBuf>,
        /// The kubeconfig's `installHint`.
        install_hint: Option<String>,
    },
    /// The context's exec plugin could not be run, or gave no credentials.
    #[error("The exec plugin '{command}' of the context '{context}' {failure}")]
    PluginFailed {
        /// The context.
        context: String,
        /// The command, as the kubeconfig names it.
        command: String,
        /// How it failed.
        failure: PluginFailure,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// The API server does not answer.
    #[error("Could not {doing}: {server} {cause}")]
    Unreachable {
        /// What was being done.
        doing: String,
        /// The API server's address, or the proxy's.
        server: String,
        /// What is in the way.
        cause: Obstacle,
        /// The error of the network.
        #[source]
        source: Box<kube::Error>,
    },
    /// The API server does not accept the credentials.
    #[error(
        "Could not {doing}: the cluster does not accept the credentials of the context '{context}' ({message})"
    )]
    Unauthorized {
        /// What was being done.
        doing: String,
        /// The context.
        context: String,
        /// The exec plugin that gave the credentials, if one did.
        plugin: Option<String>,
        /// What the API server says.
        message: String,
    },
    /// A right is missing.
    #[error("Could not {doing}: {message}")]
    Forbidden {
        /// What was being done.
        doing: String,
        /// What the API server says: user, verb, resource, namespace.
        message: String,
    },
    /// The API server answered with another error.
    #[error("Could not {doing}: {}", status_message(.status))]
    Api {
        /// What was being done.
        doing: String,
        /// Its answer.
        #[source]
        status: Box<kube::core::Status>,
    },
    /// The request could not be made, or its answer not be understood.
    #[error("Could not {doing}: {source}")]
    Client {
        /// What was being done.
        doing: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
}

/// What is between this machine and the API server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Nothing listens there.
    #[error("refuses connections")]
    Refused,
    /// No answer in time.
    #[error("does not answer")]
    TimedOut,
    /// The name is not known.
    #[error("has a host name that cannot be resolved")]
    Name,
    /// There is no route.
    #[error("cannot be reached from this machine's network")]
    Route,
    /// The server's certificate is signed by somebody that is not trusted.
    #[error("has a certificate of an authority that is not trusted")]
    UnknownAuthority,
    /// The server's certificate is not to be trusted for another reason.
    #[error("has a certificate that is not valid: {0}")]
    Certificate(String),
    /// TLS could not be agreed on.
    #[error("does not agree on TLS: {0}")]
    Tls(String),
    /// The connection broke.
    #[error("broke the connection: {0}")]
    Broken(String),
}

/// How an exec plugin failed.
#[derive(Debug, thiserror::Error)]
pub enum PluginFailure {
    /// The system could not start it.
    #[error("could not be started: {0}")]
    Start(#[source] std::io::Error),
    /// It ended with an error.
    #[error("failed ({0})")]
    Exit(ExitStatus),
    /// It took too long.
    #[error("did not end within {0} seconds")]
    TimedOut(u64),
    /// Its output is not what the protocol wants.
    #[error("gave no credentials: {0}")]
    Output(String),
}

impl ClusterError {
    pub(super) fn context_unknown(name: &str, known: Vec<String>) -> Self {
        let closest = closest(name, &known);
        Self::ContextUnknown { name: name.to_owned(), closest, known }
    }

    /// Whether the same request may succeed in a while without anybody doing anything: the network, a busy or restarting API server.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { cause, .. } => !matches!(
                cause,
                Obstacle::UnknownAuthority | Obstacle::Certificate(_) | Obstacle::Tls(_)
            ),
            Self::Api { status, .. } => matches!(status.code, 408 | 409 | 429 | 500..=599),
            _ => false,
        }
    }

    /// Whether the API server says that the object is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api { status, .. } if status.code == 404)
    }

    /// The sort of error.
    pub fn code(&self) -> Code {
        match self {
            Self::KubeconfigMissing { .. } => Code::KubeconfigMissing,
            Self::KubeconfigBroken { .. } => Code::KubeconfigBroken,
            Self::NoCurrentContext { .. } | Self::ContextUnknown { .. } => Code::ContextUnknown,
            Self::PluginMissing { .. } | Self::PluginFailed { .. } => Code::ExecPlugin,
            Self::Unreachable { .. } => Code::Unreachable,
            Self::Unauthorized { .. } => Code::Unauthorized,
            Self::Forbidden { .. } => Code::Forbidden,
            Self::Api { .. } | Self::Client { .. } => Code::Api,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::KubeconfigMissing { .. } => {
                "Set KUBECONFIG to the file that your cluster's administrator or provider gave you, or put it at ~/.kube/config.".to_owned()
            }
            Self::KubeconfigBroken { .. } => "Mend the file, or leave it out of KUBECONFIG.".to_owned(),
            Self::NoCurrentContext { known } => format!("Name one with --context: {}.", list(known)),
            Self::ContextUnknown { closest, known, .. } => match closest {
                Some(closest) => format!("Did you mean '{closest}'? Known contexts: {}.", list(known)),
                None => format!("Known contexts: {}.", list(known)),
            },
            Self::PluginMissing { install_hint, .. } => match install_hint {
                Some(hint) => hint.trim().to_owned(),
                None => "Install it, or add the directory where it is to PATH.".to_owned(),
            },
            Self::PluginFailed { command, .. } => {
                format!("Run '{command}' in a terminal to see what it wants; often it is a login that has expired.")
            }
            Self::Unreachable { cause, .. } => cause.hint().to_owned(),
            Self::Unauthorized { plugin: Some(plugin), .. } => {
                format!("Log in again with the tool that belongs to the plugin '{plugin}'.")
            }
            Self::Unauthorized { .. } => {
                "The token or certificate has expired, or is of another cluster: get a new kubeconfig, or log in again.".to_owned()
            }
            Self::Forbidden { .. } => {
                "Ask an administrator of the cluster for the right; `towline rbac` prints the smallest role.".to_owned()
            }
            Self::Api { .. } | Self::Client { .. } => return None,
        })
    }
}

impl Obstacle {
    fn hint(&self) -> &'static str {
        match self {
            Self::Refused => {
                "Is the cluster running, and is the address in the kubeconfig the right one?"
            }
            Self::TimedOut | Self::Route | Self::Name => {
                "Are you connected to the network or VPN from which the cluster can be reached, and is a proxy set where one is needed?"
            }
            Self::UnknownAuthority => {
                "Is certificate-authority in the kubeconfig the one of this cluster? A proxy that inspects TLS needs its own authority there."
            }
            Self::Certificate(_) | Self::Tls(_) => {
                "Check the address, tls-server-name and this machine's clock; the kubeconfig may be of a cluster that was made anew."
            }
            Self::Broken(_) => {
                "Try again; if it happens each time, look at proxies between this machine and the cluster."
            }
        }
    }
}

impl Explain for ClusterError {
    fn explain(&self) -> Report {
        let detail = match self {
            Self::PluginFailed { stderr, .. } if !stderr.trim().is_empty() => {
                Some(stderr.trim().to_owned())
            }
            _ => causes(self),
        };
        Report { code: self.code(), message: format!("{self}."), hint: self.hint(), detail }
    }
}

fn status_message(status: &kube::core::Status) -> String {
    match (status.message.is_empty(), status.reason.is_empty()) {
        (false, _) => status.message.clone(),
        (true, false) => status.reason.clone(),
        (true, true) => format!("the API server answered with status {}", status.code),
    }
}

/// The items, separated by commas; "nothing" when there are none.
pub(crate) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}

/// The one of `known` that is spelt most like `name`, if one is alike at all.
pub(crate) fn closest(name: &str, known: &[String]) -> Option<String> {
    let alike =
        |candidate: &String| strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase());
    let best = known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)))?;
    (alike(best) >= 0.8).then(|| best.clone())
}
