//! From a target to a session.

use std::path::Path;

use towline_core::report::Code;

use super::Controller;
use crate::launch::project;
use crate::report::failure;
use crate::view::{
    ContainerChoice, ExternalHost, Holder, LaunchRequest, Plan, Profile, ProjectFile, Report,
    StopHolder, Stopped,
};

impl Controller {
    /// Reads all that a session would change. Changes nothing.
    ///
    /// # Errors
    /// Whatever stands in the way of a plan.
    pub async fn plan(&self, request: LaunchRequest) -> Result<Plan, Report> {
        self.parts.launcher.plan(request).await
    }

    /// The containers of a target, for the picker.
    ///
    /// # Errors
    /// When the target cannot be read.
    pub async fn containers(
        &self,
        context: &str,
        namespace: &str,
        target: &str,
    ) -> Result<Vec<ContainerChoice>, Report> {
        self.parts.launcher.containers(context, namespace, target).await
    }

    /// Does what the plan says, and remembers the request as a profile. Gives the session's id.
    ///
    /// # Errors
    /// When the plan is not kept any more, or forbids to connect.
    pub async fn connect(&self, plan_id: &str) -> Result<String, Report> {
        self.parts.launcher.connect(plan_id).await
    }

    /// Who holds a port that another user's process has: asks for administrator rights.
    ///
    /// # Errors
    /// When they are not granted, or nobody holds it any more.
    pub async fn find_holders(&self, address: &str, port: u16) -> Result<Vec<Holder>, Report> {
        self.parts.machine.find_holders(address, port).await
    }

    /// Stops the process that holds a port: the user has said so for this very process.
    ///
    /// # Errors
    /// When it does not hold it any more, or cannot be stopped. Nothing has been stopped then.
    pub async fn stop_holder(&self, stop: &StopHolder) -> Result<Stopped, Report> {
        self.parts.machine.stop_holder(stop).await
    }

    /// Understands what is typed for a host outside the cluster, as `db.example.com:5432`.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn external_host(&self, typed: &str) -> Result<ExternalHost, Report> {
        let host = typed.trim().parse::<towline_core::request::ExternalHost>();
        let host = host.map_err(|error| {
            failure(Code::Input, format!("{error}."), Some("Such as db.example.com:5432."))
        })?;
        Ok(ExternalHost { name: host.name.to_string(), ports: host.ports })
    }

    /// Reads a project file, and puts what it says into the form.
    ///
    /// # Errors
    /// When it cannot be read or makes no sense; with line and column.
    pub fn read_project(&self, file: &str, request: LaunchRequest) -> Result<ProjectFile, Report> {
        project::read(file, request, &self.parts.contexts.current().files)
    }

    /// The nearest project file in a directory or above it.
    ///
    /// # Errors
    /// When that is another user's.
    pub fn find_project(&self, directory: &str) -> Result<Option<String>, Report> {
        project::find(directory)
    }

    /// Writes the form as a project file.
    ///
    /// # Errors
    /// When the form makes no sense, or the file cannot be written.
    pub fn save_project_to(&self, request: &LaunchRequest, file: &Path) -> Result<(), Report> {
        project::save(request, file)
    }

    /// Keeps a profile; one of the same id is replaced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_profile(&self, profile: Profile) -> Result<(), Report> {
        self.parts.profiles.save(profile)
    }

    /// Forgets a profile.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remove_profile(&self, id: &str) -> Result<(), Report> {
        self.parts.profiles.remove(id)
    }
}
