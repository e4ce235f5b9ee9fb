//! Checks, the report, and what earlier runs have left.

use std::path::Path;

use super::Controller;
use crate::view::{DiagnosticCheck, Repaired, Report};

impl Controller {
    /// Runs the checks of this machine and of the clusters that are connected.
    ///
    /// # Errors
    /// None at present: what cannot be checked is a check that came out badly.
    pub async fn diagnose(&self) -> Result<Vec<DiagnosticCheck>, Report> {
        Ok(self.parts.diagnosis.checks(&self.app(), self.parts.profiles.problem()).await)
    }

    /// The redacted report, for an issue.
    ///
    /// # Errors
    /// None at present.
    pub async fn diagnostic_report(&self) -> Result<String, Report> {
        let app = self.app();
        let checks = self.parts.diagnosis.checks(&app, self.parts.profiles.problem()).await;
        let events = |session: &str| {
            let count = app.sessions.iter().find(|known| known.id == session)?.events;
            self.parts.sessions.events(session, count.saturating_sub(50).max(1), 50).ok()
        };
        let variables = |session: &str| self.parts.sessions.environment(session).ok();
        Ok(self.parts.diagnosis.report(&app, &checks, &events, &variables))
    }

    /// Restores what a leftover session changed: opens its cluster, because the user asked for that.
    ///
    /// # Errors
    /// When the cluster cannot be opened, or the workload not be put back.
    pub async fn repair(&self, leftover: &str) -> Result<Repaired, Report> {
        self.parts.leftovers.repair(leftover, &self.parts.explorer).await
    }

    /// Takes lines of the hosts file out that sessions have left which are no more: asks for administrator rights.
    ///
    /// # Errors
    /// When they are not granted, or the hosts file cannot be read.
    pub async fn repair_hosts(&self) -> Result<Repaired, Report> {
        self.parts.machine.repair_hosts().await
    }

    /// Where the log files stand.
    pub fn log_directory(&self) -> &Path {
        &self.parts.directories.logs
    }
}
