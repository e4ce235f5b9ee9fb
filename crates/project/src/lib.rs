//! The project file: what a session of this project is, kept beside the project's sources.
//!
//! Two forms are read. `towline.yaml` is Towline's own ([`docs/project-file.md`](../../../docs/project-file.md) tells users about it, and
//! `docs/towline.schema.json` tells editors). `KubernetesLocalProcessConfig.yaml` is Bridge to Kubernetes', read as it is ([`bridge`]).
//!
//! A file is read in three steps, each of which refuses what makes no sense with the place where it stands: YAML into `raw`, that into a [`Project`],
//! and once there is a plan, [`Project::check`] sees that its tokens lead to something. When the session is connected, [`Project::environment`] puts
//! the file's variables on top of the container's.

pub mod bridge;
mod convert;
mod discover;
mod error;
mod merge;
mod raw;
mod resolve;
mod schema;
mod time;
mod token;
mod write;
mod yaml;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use towline_core::request::{ExternalHost, Names, PortMapping, Target, Volumes};

pub use self::discover::{NAMES, discover};
pub use self::error::{Place, ProjectError};
pub use self::resolve::Here;
pub use self::schema::schema;
pub use self::time::{lease, time};
pub use self::token::{Part, Piece, Template, Token, TokenError, VolumeRef};

/// A longer file is no project file.
const LONGEST: u64 = 1024 * 1024;

/// What a project file says. What it does not say is none or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// The file.
    pub file: PathBuf,
    /// Whose form it has.
    pub form: Form,
    /// What to stand in for.
    pub target: Option<Target>,
    /// The target's namespace.
    pub namespace: Option<String>,
    /// The kubeconfig's context.
    pub context: Option<String>,
    /// The kubeconfig; absolute.
    pub kubeconfig: Option<PathBuf>,
    /// Which container of the pod.
    pub container: Option<String>,
    /// Where ports of the container go.
    pub ports: Vec<PortMapping>,
    /// Whose services can be reached; empty: the target's namespace.
    pub namespaces: Vec<String>,
    /// Hosts outside the cluster that are reached through it.
    pub external_hosts: Vec<ExternalHost>,
    /// Services that are left out.
    pub exclude: Vec<String>,
    /// How the program finds services.
    pub names: Option<Names>,
    /// What of the volumes comes here.
    pub volumes: Option<Volumes>,
    /// What to run.
    pub program: Option<Program>,
    /// Variables on top of the container's, in the file's order.
    pub environment: Vec<Variable>,
    /// Where the environment is written; absolute.
    pub env_file: Option<PathBuf>,
    /// Whether to connect again when the cluster has put the workload back during a long loss.
    pub reconnect: Option<bool>,
    /// How long the agent's pods may take.
    pub timeout: Option<Duration>,
    /// How long the cluster waits for a vanished client.
    pub lease: Option<Duration>,
    /// The agent's image.
    pub agent_image: Option<String>,
    /// The secret that it is pulled with.
    pub pull_secret: Option<String>,
    /// What of the file has no effect here, and what to do instead; a sentence each.
    pub warnings: Vec<String>,
}

/// The forms of project files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `towline.yaml`.
    #[default]
    Towline,
    /// `KubernetesLocalProcessConfig.yaml`.
    Bridge,
}

/// The local program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The command and its arguments; not empty.
    pub command: Vec<String>,
    /// Where it runs; absolute.
    pub working_directory: Option<PathBuf>,
}

/// A variable of the project file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; none: the program keeps this machine's own, or has none.
    pub value: Option<Template>,
    /// Where the value stands in the file.
    pub place: Place,
}

// A process gets its variables as zero-terminated texts, `NAME=value` (environ(7)).
impl Variable {
    /// Sees that a variable can have this name. The error is a sentence.
    fn possible_name(name: &str) -> Result<(), String> {
        match name.is_empty() || name.contains(['=', '\0']) {
            true => Err(format!("{name:?} is no name of a variable")),
            false => Ok(()),
        }
    }

    /// Sees that a variable can have this value. The error is a sentence.
    fn possible_value(value: &str) -> Result<(), String> {
        match value.contains('\0') {
            true => Err("a variable cannot have zero bytes".to_owned()),
            false => Ok(()),
        }
    }
}

impl Project {
    /// Reads a file. Its name tells which form it has: Bridge's, or Towline's for every other.
    ///
    /// # Errors
    /// When it cannot be read, or makes no sense; with line and column.
    pub fn read(file: &Path) -> Result<Self, ProjectError> {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let failed = |source| ProjectError::Read { file: file.clone(), source };
        let length = std::fs::metadata(&file).map_err(failed)?.len();
        if length > LONGEST {
            return Err(ProjectError::TooLong { file, length });
        }
        let bytes = std::fs::read(&file).map_err(failed)?;
        Self::parse(&file, &bytes)
    }

    /// Understands the bytes of a file. `file` is its absolute path; relative paths in it are below its directory.
    ///
    /// # Errors
    /// When it makes no sense; with line and column.
    pub fn parse(file: &Path, bytes: &[u8]) -> Result<Self, ProjectError> {
        let text = yaml::text(file, bytes)?;
        match Form::of(file) {
            Form::Bridge => bridge::parse(file, text),
            Form::Towline => convert::project(file, yaml::parse(file, text)?),
        }
    }

    /// The file's directory.
    pub fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }
}

impl Form {
    /// Which form a file of this name has.
    pub fn of(file: &Path) -> Self {
        let name =
            file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        if name.starts_with("kuberneteslocalprocessconfig") { Self::Bridge } else { Self::Towline }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
