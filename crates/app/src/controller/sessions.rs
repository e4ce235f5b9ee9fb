//! Sessions and their programs.

use super::Controller;
use crate::view::{Connection, EnvironmentFormat, ListenerTest, Report, SessionEvent, Variable};

/// Each of these fails when there is no such session.
impl Controller {
    /// Restores the workload and ends. Returns at once; frames tell.
    ///
    /// # Errors
    /// See [`Controller`]'s sessions.
    pub fn stop_session(&self, id: &str) -> Result<(), Report> {
        self.parts.sessions.stop(id)
    }

    /// Connects again after the cluster has restored during a long loss.
    ///
    /// # Errors
    /// When there is no such session.
    pub fn reconnect_session(&self, id: &str) -> Result<(), Report> {
        self.parts.sessions.reconnect(id)
    }

    /// Takes an ended session off the list.
    ///
    /// # Errors
    /// When there is no such session, or it has not ended.
    pub fn dismiss_session(&self, id: &str) -> Result<(), Report> {
        self.parts.sessions.dismiss(id)
    }

    /// Starts the local program.
    ///
    /// # Errors
    /// When there is no such session, or its program cannot be started now.
    pub fn start_program(&self, id: &str) -> Result<(), Report> {
        self.parts.sessions.start_program(id)
    }

    /// Stops the local program.
    ///
    /// # Errors
    /// When there is no such session.
    pub fn stop_program(&self, id: &str) -> Result<(), Report> {
        self.parts.sessions.stop_program(id)
    }

    /// Stops the local program and starts it again.
    ///
    /// # Errors
    /// When there is no such session, or its program cannot be started now.
    pub fn restart_program(&self, id: &str) -> Result<(), Report> {
        self.parts.sessions.restart_program(id)
    }

    /// The variables by name, secrets masked. Empty before the session is connected.
    ///
    /// # Errors
    /// When there is no such session.
    pub fn environment(&self, id: &str) -> Result<Vec<Variable>, Report> {
        self.parts.sessions.environment(id)
    }

    /// The value of one secret variable: the user asked for it.
    ///
    /// # Errors
    /// When there is no such session or variable.
    pub fn reveal(&self, id: &str, name: &str) -> Result<String, Report> {
        self.parts.sessions.reveal(id, name)
    }

    /// The environment, secrets included, for the clipboard.
    ///
    /// # Errors
    /// When there is no such session.
    pub fn environment_text(&self, id: &str, format: EnvironmentFormat) -> Result<String, Report> {
        self.parts.sessions.environment_text(id, format)
    }

    /// Open connections and the last 500 closed ones, the newest first.
    ///
    /// # Errors
    /// When there is no such session.
    pub fn connections(&self, id: &str) -> Result<Vec<Connection>, Report> {
        self.parts.sessions.connections(id)
    }

    /// Tries whether the service behind a listener takes a connection.
    ///
    /// # Errors
    /// When there is no such session or listener.
    pub async fn test_listener(
        &self,
        id: &str,
        namespace: &str,
        service: &str,
        port: u16,
    ) -> Result<ListenerTest, Report> {
        self.parts.sessions.test_listener(id, namespace, service, port).await
    }

    /// The session's events from number `from` on (the first is 1), at most `limit`.
    ///
    /// # Errors
    /// When there is no such session.
    pub fn events(&self, id: &str, from: u64, limit: u32) -> Result<Vec<SessionEvent>, Report> {
        self.parts.sessions.events(id, from, limit)
    }
}
