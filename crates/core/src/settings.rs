//! The user's settings: which agent image a context uses, and what the window keeps. One small YAML file, written by hand or by the window.

mod write;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_yaml_ng::Mapping;

pub use self::write::write_private;
use crate::report::{Code, Explain, Report};
use crate::request::Names;

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How sessions make services known to programs on this machine, where neither the command line nor the project says it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "names")]
    pub names: Option<Names>,
    /// By context.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, ContextSettings>,
    /// What the window keeps: its own business, kept as it is by everybody else.
    #[serde(default, skip_serializing_if = "Mapping::is_empty")]
    pub desktop: Mapping,
}

/// The settings of one context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextSettings {
    /// The agent's image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_image: Option<String>,
    /// The secret that it is pulled with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_secret: Option<String>,
}

/// In the file as `hosts-file` and `variables`, which users write; inside as the request has it.
mod names {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::request::Names;

    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Written {
        HostsFile,
        Variables,
    }

    pub(super) fn serialize<S: Serializer>(
        names: &Option<Names>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match names {
            None => serializer.serialize_none(),
            Some(Names::HostsFile) => serializer.serialize_str("hosts-file"),
            // Whether a program has a hosts file of its own is said by its command, and never by the settings.
            Some(Names::Variables | Names::OwnHostsFile) => serializer.serialize_str("variables"),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Names>, D::Error> {
        let written = Option::<Written>::deserialize(deserializer)?;
        Ok(written.map(|written| match written {
            Written::HostsFile => Names::HostsFile,
            Written::Variables => Names::Variables,
        }))
    }
}

/// The settings cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// They are there and make no sense.
    #[error("The settings {} cannot be used: {reason}", .file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The system refuses.
    #[error("The settings cannot be written to {}: {source}", .file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
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
        let broken = |reason: String| SettingsError::Broken { file: file.to_owned(), reason };
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(broken(error.to_string())),
        };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_yaml_ng::from_str(&text).map_err(|error| broken(error.to_string()))
    }

    /// Writes them to `file`, for this user only; a reader sees the old ones or the new ones. Comments of the old file are lost.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn write(&self, file: &Path) -> Result<(), SettingsError> {
        let failed = |source| SettingsError::Write { file: file.to_owned(), source };
        let text = serde_yaml_ng::to_string(self)
            .map_err(|error| failed(std::io::Error::other(error.to_string())))?;
        write_private(file, text.as_bytes()).map_err(failed)
    }
}

impl Explain for SettingsError {
    fn explain(&self) -> Report {
        let hint = match self {
            Self::Broken { .. } => {
                "Known are: names (hosts-file or variables), and contexts, in it, by context: agent_image, pull_secret.".to_owned()
            }
            Self::Write { file, .. } => {
                format!("See that {} and its directory are yours.", file.display())
            }
        };
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

    #[test]
    fn the_names_are_of_two_kinds() {
        let names = |text: &str| serde_yaml_ng::from_str::<Settings>(text);
        assert_eq!(names("names: hosts-file").unwrap().names, Some(Names::HostsFile));
        let settings = names("names: variables").unwrap();
        assert_eq!(settings.names, Some(Names::Variables));
        assert_eq!(serde_yaml_ng::to_string(&settings).unwrap(), "names: variables\n");
        assert!(names("names: dns").unwrap_err().to_string().contains("hosts-file"));
        assert_eq!(Settings::default().names, None);
    }

    #[test]
    fn what_is_written_is_read_and_the_windows_part_is_nobody_elses_business() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("new/settings.yaml");
        let text = "contexts:\n  work:\n    agent_image: a:1\ndesktop:\n  theme: dark\n  later: [1, {x: y}]\n";
        let settings: Settings = serde_yaml_ng::from_str(text).unwrap();
        settings.write(&file).unwrap();
        let read = Settings::read(&file).unwrap();
        assert_eq!(read, settings);
        assert_eq!(read.desktop["later"][1]["x"], "y");
        Settings::default().write(&file).unwrap();
        assert_eq!(Settings::read(&file).unwrap(), Settings::default());
    }
}
