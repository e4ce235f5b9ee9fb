//! A session's environment on screen and on the clipboard.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A variable of the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value for the local program; null for a secret that was not asked for. Bytes that are no UTF-8 are shown replaced.
    pub value: Option<String>,
    /// Whether it comes from a secret.
    pub secret: bool,
    /// Where it comes from, such as `config map shop, key greeting`.
    pub origin: String,
    /// `literal`, `configMap`, `secret`, `field`, `resource`, `image`, `service`, `runtime`, `towline`, `oneOf`, `file`.
    pub origin_kind: String,
    /// The value in the cluster where it was rewritten for this machine; null where not, and for secrets.
    pub cluster_value: Option<String>,
    /// Whether the program keeps this machine's own value.
    pub stays_local: bool,
    /// How it compares with this machine's own environment.
    pub here: Here,
}

/// How a variable compares with this machine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Here {
    /// This machine has none of that name.
    Absent,
    /// The same value.
    Same,
    /// Another value.
    Different,
}

/// The forms in which the environment can be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum EnvironmentFormat {
    /// A dotenv file.
    Dotenv,
    /// `export NAME='value'` lines for sh.
    Shell,
    /// `$env:NAME = 'value'` lines.
    PowerShell,
    /// A file for `docker run --env-file`; values with line breaks cannot stand there and are told in comments.
    Docker,
    /// A configuration for VS Code's `launch.json`.
    LaunchJson,
}
