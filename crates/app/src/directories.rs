//! Where this application keeps what it keeps.

use std::path::PathBuf;

use towline_core::journal::Journal;

/// The directories. Tests give their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directories {
    /// Settings and profiles.
    pub config: PathBuf,
    /// The journal of sessions.
    pub state: PathBuf,
    /// The log files.
    pub logs: PathBuf,
}

impl Directories {
    /// This user's: `towline` below `XDG_CONFIG_HOME` and `XDG_STATE_HOME` (else below `~/.config` and `~/.local/state`), and the core's
    /// directory of log files.
    pub fn of_user() -> Self {
        let below = |variable: &str, usual: &str| {
            let named = std::env::var_os(variable).map(PathBuf::from);
            let home = || Some(std::env::home_dir()?.join(usual));
            named
                .filter(|path| path.is_absolute())
                .or_else(home)
                .unwrap_or_else(std::env::temp_dir)
                .join("towline")
        };
        Self {
            config: below("XDG_CONFIG_HOME", ".config"),
            state: below("XDG_STATE_HOME", ".local/state"),
            logs: towline_core::logs::directory(),
        }
    }

    /// The settings, which the command line reads too.
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("settings.yaml")
    }

    /// The remembered profiles.
    pub fn profiles_file(&self) -> PathBuf {
        self.config.join("profiles.yaml")
    }

    /// The journal of this user's sessions, which the command line writes and reads too.
    pub fn journal(&self) -> Journal {
        Journal::at(self.state.join("sessions"))
    }
}
