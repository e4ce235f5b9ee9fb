//! The application's log: `towline.log` and its predecessors (`towline_core::logs`). What is written can be changed while it runs.

use std::io;
use std::path::Path;

use tokio::sync::watch;
use towline_core::logs::{self, LogFiles};
use towline_core::report::Code;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt, reload};

use crate::directories::Directories;
use crate::report::failure;
use crate::view::{LogLevel, Preferences, Report};

const NAME: &str = "towline.log";

/// Changes what is written.
#[derive(Clone, Debug)]
pub struct LogHandle {
    filter: reload::Handle<EnvFilter, Registry>,
}

/// Begins to write what the program does to the log files. Call it first, and once: there is one log a process.
///
/// # Errors
/// When the directory cannot be made or the file not be written. The program can go on without.
pub fn init_logging(directories: &Directories, level: LogLevel) -> Result<LogHandle, Report> {
    let failed = |error: io::Error| {
        let message =
            format!("The log files in {} cannot be written: {error}.", directories.logs.display());
        let hint = "Make the directory writable for yourself, or make room on its disk.";
        failure(Code::Input, message, Some(hint))
    };
    let files = LogFiles::open(&directories.logs, NAME).map_err(failed)?;
    let (filter, handle) = reload::Layer::new(filter(level));
    let lines = fmt::layer().with_ansi(false).with_writer(move || files.clone());
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()
        .map_err(|error| failed(io::Error::other(error)))?;
    Ok(LogHandle { filter: handle })
}

impl LogHandle {
    /// Writes this much from now on.
    pub fn set(&self, level: LogLevel) {
        if let Err(error) = self.filter.reload(filter(level)) {
            tracing::warn!(%error, "the log's level");
        }
    }

    /// Writes as much as the settings say, also when they change. Needs to be called within a tokio runtime.
    pub fn follow(&self, mut settings: watch::Receiver<Preferences>) {
        let this = self.clone();
        this.set(settings.borrow_and_update().log_level);
        tokio::spawn(async move {
            while settings.changed().await.is_ok() {
                this.set(settings.borrow_and_update().log_level);
            }
        });
    }
}

/// Towline itself as the user wants it. What is below tells of requests and their headers when it tells much, so that never says more than what
/// went wrong.
fn filter(level: LogLevel) -> EnvFilter {
    let level = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let directives = ["towline", "towline_app", "towline_core", "towline_wire", "towline_workload"]
        .map(|name| format!("{name}={level}"))
        .join(",");
    let below = if level == "error" { "error" } else { "warn" };
    EnvFilter::builder().parse_lossy(format!("{below},{directives}"))
}

/// The last lines of the log.
pub(super) fn last_lines(directory: &Path, count: usize) -> Vec<String> {
    logs::last_lines(directory, NAME, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_never_says_more_than_warnings() {
        let text = filter(LogLevel::Trace).to_string();
        assert!(text.contains("towline_core=trace") && text.contains("warn"), "{text}");
        assert!(!text.contains("kube"), "{text}");
    }
}
