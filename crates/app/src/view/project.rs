//! A project file in the launcher.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::LaunchRequest;

/// What a project file means to the launcher's form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProjectFile {
    /// Its path.
    pub file: String,
    /// The form with what the file gives in it.
    pub request: LaunchRequest,
    /// The fields of the form that the file gives, by their names in it.
    pub gives: Vec<String>,
    /// Variables on top of the container's, in the file's order.
    pub variables: Vec<ProjectVariable>,
    /// Where the environment is written once the session is connected.
    pub env_file: Option<String>,
    /// How long the agent's pods may take, in seconds.
    pub timeout_seconds: Option<u32>,
    /// What of the file has no effect here, and what to do instead; a sentence each.
    pub warnings: Vec<String>,
}

/// A variable of a project file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProjectVariable {
    /// Its name.
    pub name: String,
    /// Its value with the tokens as they are written; null: this machine's own stays.
    pub value: Option<String>,
}
