//! From a target to a session.

use super::Controller;
use crate::view::{
    ContainerChoice, Holder, LaunchRequest, Plan, Profile, Report, StopHolder, Stopped,
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
