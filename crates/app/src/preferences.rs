//! The settings: those of contexts, which the command line uses too, and those of the window, in one file.

mod desktop;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use towline_core::report::{Code, Explain};
use towline_core::request::Names;
use towline_core::settings::{ContextSettings, Settings};

use self::desktop::Desktop;
use crate::publish::Publish;
use crate::report::{explained, failure};
use crate::view::{self, Change, ContextPreferences, Mode, Report};

/// Leases that make sense, in seconds.
const LEASES: std::ops::RangeInclusive<u32> = 5..=3600;

/// The settings and their file. Cheap to clone.
#[derive(Clone)]
pub struct Preferences {
    shared: Arc<Shared>,
}

struct Shared {
    publish: Arc<dyn Publish>,
    file: Option<PathBuf>,
    /// One save at a time.
    saving: Mutex<()>,
    current: watch::Sender<view::Preferences>,
}

impl Preferences {
    /// Reads the settings from `file`, usually [`Settings::path`]. What is wrong with it is told as [`view::Preferences::problem`], and the defaults
    /// are used; nothing is written.
    pub fn open(publish: Arc<dyn Publish>, file: Option<PathBuf>, log_directory: PathBuf) -> Self {
        let read = file.as_deref().map_or_else(|| Ok(Settings::default()), Settings::read);
        let (settings, mut problem) = match read {
            Ok(settings) => (settings, None),
            Err(error) => (Settings::default(), Some(error.explain().message)),
        };
        let desktop = Desktop::of(&settings.desktop).unwrap_or_else(|error| {
            problem = Some(format!("The settings of the window cannot be used: {error}."));
            Desktop::default()
        });
        let names = settings.names;
        let contexts = settings.contexts.into_iter().map(|(context, settings)| {
            let ContextSettings { agent_image, pull_secret } = settings;
            ContextPreferences { context, agent_image, pull_secret }
        });
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let preferences = view::Preferences {
            theme: desktop.theme,
            mode: mode(names),
            lease_seconds: desktop.lease_seconds,
            kubeconfig_files: desktop.kubeconfig_files,
            notifications: desktop.notifications,
            log_level: desktop.log_level,
            contexts: contexts.collect(),
            file: file.as_deref().map(text).unwrap_or_default(),
            log_directory: text(&log_directory),
            problem,
        };
        let current = watch::Sender::new(preferences);
        Self { shared: Arc::new(Shared { publish, file, saving: Mutex::new(()), current }) }
    }

    /// The settings.
    pub fn current(&self) -> view::Preferences {
        self.shared.current.borrow().clone()
    }

    /// The settings, now and after each change.
    pub fn subscribe(&self) -> watch::Receiver<view::Preferences> {
        self.shared.current.subscribe()
    }

    /// The settings of a context.
    pub fn of_context(&self, context: &str) -> Option<ContextPreferences> {
        let current = self.shared.current.borrow();
        current.contexts.iter().find(|settings| settings.context == context).cloned()
    }

    /// Takes `wanted` for the settings and writes them. What the file holds besides, and this version does not know, stays in it; a file that makes
    /// no sense is kept beside the new one, as `settings.yaml.broken`.
    ///
    /// # Errors
    ///
    /// When a value makes no sense, or the file cannot be written; the settings are as they were then.
    pub fn save(&self, wanted: view::Preferences) -> Result<(), Report> {
        let wanted = valid(wanted)?;
        let _one = self.shared.saving.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &self.shared.file {
            write(file, &wanted)?;
        }
        let before = self.current();
        let (file, log_directory) = (before.file, before.log_directory);
        let saved = view::Preferences { file, log_directory, problem: None, ..wanted };
        self.shared.current.send_replace(saved.clone());
        self.shared.publish.put(Change::Preferences { preferences: saved });
        Ok(())
    }
}

/// What the launcher begins with.
fn mode(names: Option<Names>) -> Mode {
    match names.unwrap_or_default() {
        Names::HostsFile => Mode::HostsFile,
        Names::Variables | Names::OwnHostsFile => Mode::NoAdministrator,
    }
}

fn valid(mut wanted: view::Preferences) -> Result<view::Preferences, Report> {
    if !LEASES.contains(&wanted.lease_seconds) {
        let message = format!("A lease of {} seconds makes no sense.", wanted.lease_seconds);
        let hint = Some("5 to 3600 seconds can be set; 120 is usual.");
        return Err(failure(Code::Input, message, hint));
    }
    let given = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    for settings in &mut wanted.contexts {
        settings.agent_image = given(&settings.agent_image);
        settings.pull_secret = given(&settings.pull_secret);
        let image = settings.agent_image.as_deref().unwrap_or("x");
        if !image.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!("'{image}' is not the reference of an image.");
            let hint = Some("Such as registry.example/towline/agent:1.");
            return Err(failure(Code::Input, message, hint));
        }
    }
    wanted.contexts.sort_by(|a, b| a.context.cmp(&b.context));
    wanted.contexts.dedup_by(|a, b| a.context == b.context);
    wanted
        .contexts
        .retain(|settings| settings.agent_image.is_some() || settings.pull_secret.is_some());
    wanted.kubeconfig_files.retain(|file| !file.trim().is_empty());
    Ok(wanted)
}

fn write(file: &Path, wanted: &view::Preferences) -> Result<(), Report> {
    let mut settings = match Settings::read(file) {
        Ok(settings) => settings,
        Err(error) => {
            keep_broken(file).map_err(|_| explained(&error))?;
            Settings::default()
        }
    };
    let contexts = wanted.contexts.iter().cloned().map(|settings| {
        let ContextPreferences { context, agent_image, pull_secret } = settings;
        (context, ContextSettings { agent_image, pull_secret })
    });
    settings.contexts = contexts.collect();
    // The default is not written: it may be another one in a later version.
    let was = mode(settings.names);
    if was != wanted.mode {
        settings.names = Some(match wanted.mode {
            Mode::HostsFile => Names::HostsFile,
            Mode::NoAdministrator => Names::Variables,
        });
    }
    Desktop::from(wanted).put_into(&mut settings.desktop).map_err(|error| {
        failure(Code::Internal, format!("The settings cannot be written as YAML: {error}."), None)
    })?;
    settings.write(file).map_err(|error| explained(&error))
}

/// Puts a file that makes no sense aside, for its author.
fn keep_broken(file: &Path) -> std::io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".broken");
    std::fs::copy(file, file.with_file_name(name)).map(drop)
}

#[cfg(test)]
mod tests;
