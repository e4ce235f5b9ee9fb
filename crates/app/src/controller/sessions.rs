//! Sessions and their programs.

use std::path::PathBuf;

use super::Controller;
use crate::view::{
    Connection, Debuggees, EnvironmentFormat, IfChanged, ListenerTest, Report, SessionEvent,
    Variable, VolumeListing, VolumeSize, WriteOutcome,
};

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

    /// The processes of the session's program, and how a debugger is attached to each.
    ///
    /// # Errors
    /// When there is no such session, or the system does not tell.
    pub async fn debuggees(&self, id: &str) -> Result<Debuggees, Report> {
        self.parts.sessions.debuggees(id).await
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

    /// Counts files and bytes of a volume in the cluster.
    ///
    /// # Errors
    /// When there is no such session or volume, or it cannot be read.
    pub async fn measure_volume(&self, id: &str, volume: &str) -> Result<VolumeSize, Report> {
        self.parts.sessions.measure_volume(id, volume).await
    }

    /// What a directory of a volume has; the top is the empty string.
    ///
    /// # Errors
    /// When there is no such session, volume or directory, or it cannot be read.
    pub async fn list_volume(
        &self,
        id: &str,
        volume: &str,
        directory: &str,
    ) -> Result<VolumeListing, Report> {
        self.parts.sessions.list_volume(id, volume, directory).await
    }

    /// Begins to copy paths of a volume to this machine; none: everything. Returns at once; frames tell.
    ///
    /// # Errors
    /// When there is no such session or volume, or files of it are being copied already.
    pub fn fetch_volume(&self, id: &str, volume: &str, paths: Vec<String>) -> Result<(), Report> {
        self.parts.sessions.fetch_volume(id, volume, paths)
    }

    /// Ends a copy that is under way; what has come stays.
    ///
    /// # Errors
    /// When there is no such session.
    pub fn cancel_fetch(&self, id: &str, volume: &str) -> Result<(), Report> {
        self.parts.sessions.cancel_fetch(id, volume)
    }

    /// Takes a volume's files from this pod from now on.
    ///
    /// # Errors
    /// When there is no such session, volume or pod.
    pub fn choose_volume_pod(&self, id: &str, volume: &str, pod: &str) -> Result<(), Report> {
        self.parts.sessions.choose_volume_pod(id, volume, pod)
    }

    /// Writes files of this machine back to a volume; those that were changed in the cluster since they were copied are in the answer.
    ///
    /// # Errors
    /// When there is no such session or volume, or the agent does not take them.
    pub async fn write_back(
        &self,
        id: &str,
        volume: &str,
        paths: Vec<String>,
        if_changed: IfChanged,
    ) -> Result<WriteOutcome, Report> {
        self.parts.sessions.write_back(id, volume, paths, if_changed).await
    }

    /// Files of this machine's copy that are not as they came, by path.
    ///
    /// # Errors
    /// When there is no such session or copy.
    pub fn changed_files(&self, id: &str, volume: &str) -> Result<Vec<String>, Report> {
        self.parts.sessions.changed_files(id, volume)
    }

    /// Where this machine's copy of a volume stands.
    ///
    /// # Errors
    /// When there is no such session or copy.
    pub fn volume_directory(&self, id: &str, volume: &str) -> Result<PathBuf, Report> {
        self.parts.sessions.volume_directory(id, volume)
    }

    /// The session's events from number `from` on (the first is 1), at most `limit`.
    ///
    /// # Errors
    /// When there is no such session.
    pub fn events(&self, id: &str, from: u64, limit: u32) -> Result<Vec<SessionEvent>, Report> {
        self.parts.sessions.events(id, from, limit)
    }
}
