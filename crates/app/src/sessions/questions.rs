//! What the window asks of a session.

use towline_core::report::Code;

use super::{Sessions, entry, environment, traffic};
use crate::debugger;
use crate::report::failure;
use crate::view::{
    Connection, Debuggees, EnvironmentFormat, ListenerTest, Protocol, Report, SessionEvent,
    Variable,
};

impl Sessions {
    /// The variables by name, secrets masked; none before the session is connected.
    ///
    /// # Errors
    ///
    /// When there is no such session.
    pub fn environment(&self, id: &str) -> Result<Vec<Variable>, Report> {
        let environment = self.find(id)?.core.environment().unwrap_or_default();
        Ok(environment::variables(&environment))
    }

    /// The value of a variable, secret or not: the user asked for it.
    ///
    /// # Errors
    ///
    /// When there is no such session, or no such variable.
    pub fn reveal(&self, id: &str, name: &str) -> Result<String, Report> {
        let environment = self.find(id)?.core.environment().unwrap_or_default();
        environment::reveal(&environment, name)
    }

    /// The environment, secrets included, as text to take elsewhere.
    ///
    /// # Errors
    ///
    /// When there is no such session, or it is not connected yet.
    pub fn environment_text(&self, id: &str, format: EnvironmentFormat) -> Result<String, Report> {
        let entry = self.find(id)?;
        let environment = entry.core.environment().ok_or_else(entry::not_connected)?;
        Ok(environment::text(&environment, format, &entry.fixed.title))
    }

    /// The processes of the session's program, and how a debugger is attached to each: those that Towline has started, and those that listen on the
    /// session's local ports.
    ///
    /// # Errors
    ///
    /// When there is no such session, or the system does not tell.
    pub async fn debuggees(&self, id: &str) -> Result<Debuggees, Report> {
        let entry = self.find(id)?;
        let tcp = entry.fixed.inbound.iter().filter(|port| port.protocol == Protocol::Tcp);
        let ports: Vec<u16> = tcp.map(|port| port.local).collect();
        let found = debugger::debuggees(&entry.fixed.title, entry.program_pid(), &ports).await;
        found.map_err(|error| {
            let message =
                format!("The processes of {} cannot be told: {error}.", entry.fixed.title);
            failure(Code::Internal, message, Some("Look yourself: ps -ef"))
        })
    }

    /// The connections that are open and the last 500 that have ended, the newest first.
    ///
    /// # Errors
    ///
    /// When there is no such session.
    pub fn connections(&self, id: &str) -> Result<Vec<Connection>, Report> {
        Ok(traffic::connections(&self.find(id)?.core))
    }

    /// Tries whether the service behind a listener takes a connection.
    ///
    /// # Errors
    ///
    /// When there is no such session, or no such listener.
    pub async fn test_listener(
        &self,
        id: &str,
        namespace: &str,
        service: &str,
        port: u16,
    ) -> Result<ListenerTest, Report> {
        let core = self.find(id)?.core.clone();
        traffic::test(&core, namespace, service, port).await
    }

    /// The events from number `from` on (the first is 1), at most `limit`.
    ///
    /// # Errors
    ///
    /// When there is no such session.
    pub fn events(&self, id: &str, from: u64, limit: u32) -> Result<Vec<SessionEvent>, Report> {
        Ok(self.find(id)?.events(from, limit))
    }
}
