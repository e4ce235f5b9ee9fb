//! The user's kubeconfig files, merged as kubectl merges them, with the file that each context comes from.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Cluster as ClusterEntry, Context, Kubeconfig as RawKubeconfig};
use serde::Serialize;

use super::error::ClusterError;

/// What the kubeconfig files say. Reading them contacts no cluster and runs no plugin.
#[derive(Clone, Debug)]
pub struct Kubeconfig {
    merged: RawKubeconfig,
    sources: BTreeMap<String, PathBuf>,
    broken: Vec<BrokenFile>,
}

/// A context of the kubeconfig, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContextEntry {
    /// The context's name.
    pub name: String,
    /// The name of its cluster entry.
    pub cluster: String,
    /// The name of its user entry.
    pub user: Option<String>,
    /// Its namespace, where it sets one.
    pub namespace: Option<String>,
    /// The API server's address, where the cluster entry is there and has one.
    pub server: Option<String>,
    /// Whether it is the current context.
    pub current: bool,
    /// The file that defines it.
    pub file: PathBuf,
    /// The exec plugin that gives the credentials, if one does.
    pub plugin: Option<String>,
}

/// A kubeconfig file that cannot be read or understood. The contexts of the other files can be used nevertheless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenFile {
    /// The file.
    pub file: PathBuf,
    /// Why: with line and column where the contents are wrong.
    pub reason: String,
}

/// What a context consists of.
pub(super) struct Parts {
    pub(super) name: String,
    pub(super) context: Context,
    pub(super) cluster: ClusterEntry,
    pub(super) user: AuthInfo,
    pub(super) file: PathBuf,
}

impl Kubeconfig {
    /// Reads `file`, or, where none is given, the files of `KUBECONFIG`, or else `~/.kube/config`.
    ///
    /// # Errors
    ///
    /// When there is no file at all. A broken file is no error here: see [`Self::broken`].
    pub fn load(file: Option<&Path>) -> Result<Self, ClusterError> {
        let paths = match file {
            Some(file) => vec![file.to_owned()],
            None => Self::default_files(),
        };
        Self::read(&paths)
    }

    /// The files that are read where none is named: those of `KUBECONFIG`, else `~/.kube/config`. They need not exist.
    pub fn default_files() -> Vec<PathBuf> {
        let listed: Vec<PathBuf> = env::var_os("KUBECONFIG")
            .map(|list| {
                env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect()
            })
            .unwrap_or_default();
        if !listed.is_empty() {
            return listed;
        }
        env::home_dir().map(|home| vec![home.join(".kube").join("config")]).unwrap_or_default()
    }

    /// Reads these files. Files that do not exist are passed over, as kubectl does, unless none exists.
    ///
    /// # Errors
    ///
    /// When none of the files exists.
    pub fn read(paths: &[PathBuf]) -> Result<Self, ClusterError> {
        let existing: Vec<&PathBuf> = paths.iter().filter(|path| path.exists()).collect();
        if existing.is_empty() {
            return Err(ClusterError::KubeconfigMissing { searched: paths.to_vec() });
        }
        let mut this =
            Self { merged: RawKubeconfig::default(), sources: BTreeMap::new(), broken: Vec::new() };
        for path in existing {
            if let Err(reason) = this.add(path) {
                this.broken.push(BrokenFile { file: path.clone(), reason });
            }
        }
        Ok(this)
    }

    fn add(&mut self, path: &Path) -> Result<(), String> {
        let next = RawKubeconfig::read_from(path).map_err(|error| reason(&error))?;
        let names: Vec<String> = next.contexts.iter().map(|named| named.name.clone()).collect();
        self.merged = self.merged.clone().merge(next).map_err(|error| error.to_string())?;
        for name in names {
            self.sources.entry(name).or_insert_with(|| path.to_owned());
        }
        Ok(())
    }

    /// Every context, by name.
    pub fn contexts(&self) -> Vec<ContextEntry> {
        let mut entries: Vec<ContextEntry> = self
            .merged
            .contexts
            .iter()
            .map(|named| self.entry(&named.name, named.context.as_ref()))
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries
    }

    /// The files that could not be used.
    pub fn broken(&self) -> &[BrokenFile] {
        &self.broken
    }

    /// The name of the current context, where one is set.
    pub fn current(&self) -> Option<&str> {
        self.merged.current_context.as_deref().filter(|name| !name.is_empty())
    }

    fn entry(&self, name: &str, context: Option<&Context>) -> ContextEntry {
        let cluster = context.map(|context| context.cluster.clone()).unwrap_or_default();
        let user = context.and_then(|context| context.user.clone());
        ContextEntry {
            name: name.to_owned(),
            server: self.cluster(&cluster).and_then(|cluster| cluster.server),
            plugin: user.as_deref().and_then(|user| self.user(user)?.exec?.command),
            cluster,
            user,
            namespace: context.and_then(|context| context.namespace.clone()),
            current: self.current() == Some(name),
            file: self.sources.get(name).cloned().unwrap_or_default(),
        }
    }

    fn cluster(&self, name: &str) -> Option<ClusterEntry> {
        self.merged.clusters.iter().find(|named| named.name == name)?.cluster.clone()
    }

    fn user(&self, name: &str) -> Option<AuthInfo> {
        self.merged.auth_infos.iter().find(|named| named.name == name)?.auth_info.clone()
    }

    /// What `context` (default: the current one) consists of.
    pub(super) fn parts(&self, context: Option<&str>) -> Result<Parts, ClusterError> {
        let Some(name) = context.or_else(|| self.current()) else {
            return Err(self.broken_or(ClusterError::NoCurrentContext { known: self.names() }));
        };
        let found = self.merged.contexts.iter().find(|named| named.name == name);
        let Some(context) = found.and_then(|named| named.context.clone()) else {
            return Err(self.broken_or(ClusterError::context_unknown(name, self.names())));
        };
        let file = self.sources.get(name).cloned().unwrap_or_default();
        let broken = |reason: String| ClusterError::KubeconfigBroken { file: file.clone(), reason };
        let Some(cluster) = self.cluster(&context.cluster) else {
            let reason = format!(
                "the context '{name}' names the cluster '{}', which is not there",
                context.cluster
            );
            return Err(self.broken_or(broken(reason)));
        };
        if cluster.server.as_deref().is_none_or(str::is_empty) {
            return Err(broken(format!("the cluster '{}' has no server", context.cluster)));
        }
        let user = match context.user.as_deref().filter(|user| !user.is_empty()) {
            None => AuthInfo::default(),
            Some(user) => self.user(user).ok_or_else(|| {
                self.broken_or(broken(format!(
                    "the context '{name}' names the user '{user}', which is not there"
                )))
            })?,
        };
        Ok(Parts { name: name.to_owned(), context, cluster, user, file })
    }

    fn names(&self) -> Vec<String> {
        self.contexts().into_iter().map(|entry| entry.name).collect()
    }

    // What is missed may stand in the file that could not be read: then that is what has to be mended.
    fn broken_or(&self, error: ClusterError) -> ClusterError {
        match self.broken.first() {
            Some(broken) => ClusterError::KubeconfigBroken {
                file: broken.file.clone(),
                reason: broken.reason.clone(),
            },
            None => error,
        }
    }
}

// kube's messages repeat the path, and its parser's show an excerpt of the file: a kubeconfig holds secrets, so only the first line
// (the position and the cause) is kept.
fn reason(error: &kube::config::KubeconfigError) -> String {
    let text = match error {
        kube::config::KubeconfigError::ReadConfig(source, _) => source.to_string(),
        kube::config::KubeconfigError::Parse(source) => source.without_snippet().to_string(),
        other => other.to_string(),
    };
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
