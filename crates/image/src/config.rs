use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Serialize, Serializer};

use crate::Digest;

/// A processor architecture, by Go's names for them, which images use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Architecture {
    /// x86-64.
    #[default]
    Amd64,
    /// 64-bit ARM.
    Arm64,
}

impl Architecture {
    /// `amd64` or `arm64`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Architecture {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Not an architecture that Towline's agent is built for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown architecture `{0}`; choose amd64 or arm64")]
pub struct UnknownArchitecture(String);

impl FromStr for Architecture {
    type Err = UnknownArchitecture;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "amd64" | "x86_64" => Ok(Self::Amd64),
            "arm64" | "aarch64" => Ok(Self::Arm64),
            _ => Err(UnknownArchitecture(name.to_owned())),
        }
    }
}

/// What an image is called and how its program is started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageConfig {
    /// `NAME:TAG`, under which an archive's reader knows the image, for instance `towline.dev/agent:0.1.0`.
    pub reference: String,
    /// What the programs in the layers run on. The operating system is Linux.
    pub architecture: Architecture,
    /// The program, with its fixed arguments.
    pub entrypoint: Vec<String>,
    /// Arguments that a pod's `args` replace.
    pub command: Vec<String>,
    /// The environment, each as `NAME=value`.
    pub env: Vec<String>,
    /// The program's working directory; none means `/`.
    pub working_dir: Option<String>,
    /// The user, as `UID`, `UID:GID` or a name of the image's `/etc/passwd`; none means root unless the pod says otherwise.
    pub user: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// When the image was made, in RFC 3339; none means the epoch, so that the digest does not depend on the day.
    pub created: Option<String>,
}

impl ImageConfig {
    pub(crate) fn to_document<'a>(&'a self, diff_ids: &'a [Digest]) -> ConfigDocument<'a> {
        let created = self.created.as_deref().unwrap_or("1970-01-01T00:00:00Z");
        ConfigDocument {
            created,
            architecture: self.architecture,
            os: "linux",
            config: Execution {
                user: self.user.as_deref(),
                env: &self.env,
                entrypoint: &self.entrypoint,
                cmd: &self.command,
                working_dir: self.working_dir.as_deref(),
                labels: &self.labels,
            },
            rootfs: RootFs { kind: "layers", diff_ids },
            history: diff_ids
                .iter()
                .map(|_| History { created, created_by: "towline-image" })
                .collect(),
        }
    }
}

/// `config.md`; empty fields are left out, as Docker does.
#[derive(Serialize)]
pub(crate) struct ConfigDocument<'a> {
    created: &'a str,
    architecture: Architecture,
    os: &'static str,
    config: Execution<'a>,
    rootfs: RootFs<'a>,
    history: Vec<History<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Execution<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    env: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    entrypoint: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    cmd: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct RootFs<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: &'a [Digest],
}

#[derive(Serialize)]
struct History<'a> {
    created: &'a str,
    created_by: &'static str,
}
