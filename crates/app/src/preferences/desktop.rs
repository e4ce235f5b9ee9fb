//! What the window keeps in the settings' file, under `desktop`.

use serde::{Deserialize, Serialize};
use serde_yaml_ng::{Mapping, Value};
use towline_core::request::Request;

use crate::view::{LogLevel, Preferences, Theme};

/// The window's settings. What is missing has its default; what is not known is left where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Desktop {
    pub(super) theme: Theme,
    pub(super) lease_seconds: u32,
    pub(super) kubeconfig_files: Vec<String>,
    pub(super) notifications: bool,
    pub(super) log_level: LogLevel,
}

impl Default for Desktop {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            lease_seconds: u32::try_from(Request::LEASE.as_secs()).unwrap_or(120),
            kubeconfig_files: Vec::new(),
            notifications: true,
            log_level: LogLevel::default(),
        }
    }
}

impl Desktop {
    pub(super) fn of(mapping: &Mapping) -> Result<Self, serde_yaml_ng::Error> {
        serde_yaml_ng::from_value(Value::Mapping(mapping.clone()))
    }

    /// Puts these over what is there.
    pub(super) fn put_into(&self, mapping: &mut Mapping) -> Result<(), serde_yaml_ng::Error> {
        // Once the mode's place; it is what the command line goes by too.
        mapping.remove("mode");
        if let Value::Mapping(ours) = serde_yaml_ng::to_value(self)? {
            mapping.extend(ours);
        }
        Ok(())
    }
}

impl From<&Preferences> for Desktop {
    fn from(preferences: &Preferences) -> Self {
        Self {
            theme: preferences.theme,
            lease_seconds: preferences.lease_seconds,
            kubeconfig_files: preferences.kubeconfig_files.clone(),
            notifications: preferences.notifications,
            log_level: preferences.log_level,
        }
    }
}
