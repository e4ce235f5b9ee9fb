//! The user's settings: which agent image a context uses. One small YAML file, written by hand or by the window.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::report::{Code, Explain, Report};

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// By context.
    #[serde(default)]
    pub contexts: BTreeMap<String, ContextSettings>,
}

/// The settings of one context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextSettings {
    /// The agent's image.
    pub agent_image: Option<String>,
    /// The secret that it is pulled with.
    pub pull_secret: Option<String>,
}

/// The settings cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("The settings {} cannot be used: {reason}", .file.display())]
pub struct SettingsError {
    file: PathBuf,
    reason: String,
}

impl Settings {
    /// Where they are: `towline/settings.yaml` below `XDG_CONFIG_HOME`, else below `~/.config`.
    pub fn path() -> Option<PathBuf> {
        let absolute = |path: PathBuf| path.is_absolute().then_some(path);
        let configured = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).and_then(absolute);
        let directory = configured.or_else(|| env::home_dir().map(|home| home.join(".config")))?;
        Some(directory.join("towline").join("settings.yaml"))
    }

    /// Reads them; the defaults where there is no file.
    ///
    /// # Errors
    ///
    /// When the file is there and cannot be read or understood.
    pub fn load() -> Result<Self, SettingsError> {
        Self::path().map_or_else(|| Ok(Self::default()), |path| Self::read(&path))
    }

    /// Reads them from `file`; the defaults where it does not exist.
    ///
    /// # Errors
    ///
    /// When the file is there and cannot be read or understood.
    pub fn read(file: &Path) -> Result<Self, SettingsError> {
        let failed = |reason: String| SettingsError { file: file.to_owned(), reason };
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(failed(error.to_string())),
        };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_yaml_ng::from_str(&text).map_err(|error| failed(error.to_string()))
    }
}

impl Explain for SettingsError {
    fn explain(&self) -> Report {
        let hint =
            "Known is: contexts, and in it, by context: agent_image, pull_secret.".to_owned();
        Report { code: Code::Input, message: format!("{self}."), hint: Some(hint), detail: None }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_context_has_its_image() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("settings.yaml");
        assert_eq!(Settings::read(&file).unwrap(), Settings::default());
        std::fs::write(&file, "contexts:\n  work:\n    agent_image: registry.example/agent:1\n")
            .unwrap();
        let settings = Settings::read(&file).unwrap();
        assert_eq!(
            settings.contexts["work"].agent_image.as_deref(),
            Some("registry.example/agent:1")
        );
        std::fs::write(&file, "contexts:\n  work: {agent-image: x}\n").unwrap();
        let error = Settings::read(&file).unwrap_err().explain();
        assert!(error.message.contains("line 2"), "{}", error.message);
    }
}
