//! Logs of sessions and of pods.

use std::path::Path;

use super::Controller;
use crate::view::{LogPage, LogQuery, PodLogQuery, Report};

impl Controller {
    /// A part of a log.
    ///
    /// # Errors
    /// When there is no such log.
    pub fn logs(&self, query: &LogQuery) -> Result<LogPage, Report> {
        self.parts.logs.page(query)
    }

    /// Begins to follow the logs of pods; gives the log's id.
    ///
    /// # Errors
    /// When the pods cannot be found.
    pub async fn open_pod_log(&self, query: PodLogQuery) -> Result<String, Report> {
        self.parts.logs.open_pod_log(query).await
    }

    /// Ends to follow them.
    ///
    /// # Errors
    /// None at present.
    pub fn close_pod_log(&self, log: &str) -> Result<(), Report> {
        self.parts.logs.close_pod_log(log);
        Ok(())
    }

    /// Writes the lines that the query shows to a file.
    ///
    /// # Errors
    /// When there is no such log, or the file cannot be written.
    pub fn export_log_to(&self, query: &LogQuery, file: &Path) -> Result<(), Report> {
        self.parts.logs.export(query, file)
    }
}
