//! The way to a cluster: the kubeconfig's contexts, and a client for one of them.
//!
//! [`Kubeconfig`] only reads files. A cluster is contacted, and an exec plugin run, by [`Cluster::open`] alone.

mod authorize;
mod classify;
mod connection;
mod error;
mod kubeconfig;
mod plugin;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig as RawKubeconfig};
use kube::{Client, Config};
use secrecy::ExposeSecret;

use self::authorize::PluginToken;
use self::classify::Subject;
pub use self::error::{ClusterError, Obstacle, PluginFailure};
pub(crate) use self::error::{closest, list};
use self::kubeconfig::Parts;
pub use self::kubeconfig::{BrokenFile, ContextEntry, Kubeconfig};
use self::plugin::{Credentials, Plugin};
pub use self::plugin::{Show, find_program};
use crate::plan::ClusterIdentity;

/// How long the first answer of a cluster may take, connecting included.
const FIRST_ANSWER: Duration = Duration::from_secs(20);

/// Which cluster to open, and how.
#[derive(Clone, Default)]
pub struct Options {
    /// The context; default: the current one.
    pub context: Option<String>,
    /// The kubeconfig file; default: those of `KUBECONFIG`, else `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig files where `kubeconfig` names none; empty: the default ones.
    pub files: Vec<PathBuf>,
    /// Where exec plugins are looked for, and what they find as their own `PATH`; default: this process's.
    pub path: Option<OsString>,
    /// Whom an exec plugin may ask.
    pub ask: Ask,
    /// Where to show what an exec plugin writes to standard error while it runs. With it, and a terminal, a plugin may also ask;
    /// without, it is told that it cannot. In both cases it stands in the error if the plugin fails.
    pub show: Option<Show>,
}

/// Whom an exec plugin may ask for a password or a code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ask {
    /// The terminal, if standard input is one and what the plugin says is shown.
    #[default]
    Terminal,
    /// Nobody: it is told that it cannot.
    Nobody,
}

/// A cluster that answers, and the user that it knows us as. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    subject: Subject,
    default_namespace: String,
    version: Version,
    authority: Option<Vec<Vec<u8>>>,
}

/// The API server's version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Such as `v1.20.2`; "unknown" where the cluster does not let us ask.
    pub text: String,
    /// The minor version, such as 20.
    pub minor: Option<u32>,
}

impl Cluster {
    /// Opens a context: reads the kubeconfig, runs its exec plugin, and asks the API server for its version, so that whatever is wrong
    /// on the way is found here.
    ///
    /// # Errors
    ///
    /// As [`ClusterError`] tells them apart.
    pub async fn open(options: Options) -> Result<Self, ClusterError> {
        let parts = kubeconfig(&options)?.parts(options.context.as_deref())?;
        let server = parts.cluster.server.clone().unwrap_or_default();
        let subject = Subject {
            context: parts.name.clone(),
            plugin: parts.user.exec.as_ref().and_then(|exec| exec.command.clone()),
            server,
        };
        let (config, token) = configure(parts, &options).await?;
        let default_namespace = config.default_namespace.clone();
        let authority = config.root_cert.clone();
        let doing = || format!("connect to the cluster of the context '{}'", subject.context);
        let client = connection::client(config, token)
            .map_err(|error| classify::classify(&subject, doing(), error))?;
        let asked = tokio::time::timeout(FIRST_ANSWER, client.apiserver_version()).await;
        let asked = asked.unwrap_or_else(|elapsed| Err(kube::Error::Service(elapsed.into())));
        let version = match asked {
            Ok(info) => Version::new(info.git_version, &info.minor),
            Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => Version::unknown(),
            Err(error) => return Err(classify::classify(&subject, doing(), error)),
        };
        let shared = Arc::new(Shared { options, subject, default_namespace, version, authority });
        Ok(Self { client, shared })
    }

    /// A client with the context's credentials.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The context's name.
    pub fn context(&self) -> &str {
        &self.shared.subject.context
    }

    /// The API server's address.
    pub fn server(&self) -> &str {
        &self.shared.subject.server
    }

    /// The context's namespace, else "default".
    pub fn default_namespace(&self) -> &str {
        &self.shared.default_namespace
    }

    /// The API server's version.
    pub fn version(&self) -> &Version {
        &self.shared.version
    }

    /// The certificates (DER) that the API server's is verified with, where the kubeconfig gives them; else the system's are used.
    pub fn authority(&self) -> Option<&[Vec<u8>]> {
        self.shared.authority.as_deref()
    }

    /// The kubeconfig file that was named to [`Self::open`], if one was.
    pub fn kubeconfig(&self) -> Option<&Path> {
        self.shared.options.kubeconfig.as_deref()
    }

    /// What it was opened with; the context is the one that it stands for, even where none was named.
    pub fn options(&self) -> Options {
        Options { context: Some(self.context().to_owned()), ..self.shared.options.clone() }
    }

    /// For a plan.
    pub fn identity(&self) -> ClusterIdentity {
        ClusterIdentity {
            context: self.context().to_owned(),
            server: self.server().to_owned(),
            version: self.version().text.clone(),
        }
    }

    /// What an error of a request means. `doing` completes "Could not …".
    pub fn explain(&self, doing: impl Into<String>, error: kube::Error) -> ClusterError {
        classify::classify(&self.shared.subject, doing.into(), error)
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("context", &self.context())
            .field("server", &self.server())
            .finish()
    }
}

impl Version {
    // Providers add a plus sign to the minor version.
    fn new(text: String, minor: &str) -> Self {
        let digits: String = minor.chars().take_while(char::is_ascii_digit).collect();
        Self { text, minor: digits.parse().ok() }
    }

    fn unknown() -> Self {
        Self { text: "unknown".to_owned(), minor: None }
    }
}

fn kubeconfig(options: &Options) -> Result<Kubeconfig, ClusterError> {
    match options.kubeconfig.as_deref() {
        None if !options.files.is_empty() => Kubeconfig::read(&options.files),
        file => Kubeconfig::load(file),
    }
}

async fn configure(
    mut parts: Parts,
    options: &Options,
) -> Result<(Config, Option<PluginToken>), ClusterError> {
    let mut token = None;
    if let Some(exec) = parts.user.exec.take()
        && !has_other_credentials(&parts.user)
    {
        let cluster = (&parts.cluster).try_into().map_err(|error| broken(&parts.file, &error))?;
        let plugin = Plugin {
            config: exec,
            cluster: Some(cluster),
            show: options.show.clone(),
            ask: options.ask,
            path: options.path.clone(),
        };
        let credentials =
            plugin.run().await.map_err(|error| error.to_cluster_error(&parts.name))?;
        use_identity(&mut parts.user, &credentials);
        token = PluginToken::new(plugin, &credentials);
    }
    // client-go takes an empty name for none.
    parts.cluster.tls_server_name =
        parts.cluster.tls_server_name.take().filter(|name| !name.is_empty());
    let raw = RawKubeconfig {
        clusters: vec![named_cluster(&parts)],
        auth_infos: vec![named_user(&parts)],
        contexts: vec![named_context(&parts)],
        current_context: Some(parts.name.clone()),
        ..RawKubeconfig::default()
    };
    let config = Config::from_custom_kubeconfig(raw, &KubeConfigOptions::default())
        .await
        .map_err(|error| broken(&parts.file, &error))?;
    Ok((config, token))
}

// The order of precedence is kube's, which is client-go's.
fn has_other_credentials(user: &AuthInfo) -> bool {
    user.auth_provider.is_some()
        || (user.username.is_some() && user.password.is_some())
        || user.token.is_some()
        || user.token_file.is_some()
}

fn use_identity(user: &mut AuthInfo, credentials: &Credentials) {
    use base64::Engine;
    let Some((certificate, key)) = &credentials.identity else { return };
    let base64 = base64::engine::general_purpose::STANDARD;
    user.client_certificate_data = Some(base64.encode(certificate));
    user.client_key_data = Some(base64.encode(key.expose_secret()).into());
}

fn named_cluster(parts: &Parts) -> kube::config::NamedCluster {
    kube::config::NamedCluster {
        name: parts.context.cluster.clone(),
        cluster: Some(parts.cluster.clone()),
        ..Default::default()
    }
}

fn named_user(parts: &Parts) -> kube::config::NamedAuthInfo {
    kube::config::NamedAuthInfo {
        name: parts.context.user.clone().unwrap_or_default(),
        auth_info: Some(parts.user.clone()),
        ..Default::default()
    }
}

fn named_context(parts: &Parts) -> kube::config::NamedContext {
    kube::config::NamedContext {
        name: parts.name.clone(),
        context: Some(parts.context.clone()),
        ..Default::default()
    }
}

fn broken(file: &Path, error: &kube::config::KubeconfigError) -> ClusterError {
    ClusterError::KubeconfigBroken { file: file.to_owned(), reason: error.to_string() }
}
