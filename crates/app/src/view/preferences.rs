//! The settings.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Mode;

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Preferences {
    /// Light, dark, or as the system.
    pub theme: Theme,
    /// The mode that the launcher begins with.
    pub mode: Mode,
    /// How long a cluster waits before it restores by itself, in seconds (5 to 3600).
    pub lease_seconds: u32,
    /// Kubeconfig files; empty: those of `KUBECONFIG`, else `~/.kube/config`.
    pub kubeconfig_files: Vec<String>,
    /// Whether the system's notifications are used.
    pub notifications: bool,
    /// How much is written to the log files.
    pub log_level: LogLevel,
    /// By context.
    pub contexts: Vec<ContextPreferences>,
    /// Where the settings stand.
    pub file: String,
    /// Where the log files stand.
    pub log_directory: String,
    /// What was wrong with the settings' file, which is left as it is until the settings are saved.
    pub problem: Option<String>,
}

/// The settings of a context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ContextPreferences {
    /// The context.
    pub context: String,
    /// The agent's image.
    pub agent_image: Option<String>,
    /// The secret that it is pulled with.
    pub pull_secret: Option<String>,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// As the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// How much is written to the log files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum LogLevel {
    /// Only what went wrong.
    Error,
    /// And what may have.
    Warn,
    /// And what is done.
    #[default]
    Info,
    /// And how.
    Debug,
    /// Everything.
    Trace,
}
