//! What the caller of a session puts over the container's environment, such as the variables of a project file.

use std::fmt;
use std::sync::Arc;

use super::actor::Actor;
use super::error::SessionError;
use crate::environment::{Environment, write_env_file};
use crate::names::SessionNames;
use crate::plan::Plan;
use crate::report::Report;
use crate::volumes::Volume;

/// The session as it is when its environment is known.
#[derive(Clone, Copy, Debug)]
pub struct Laid<'a> {
    /// Its plan.
    pub plan: &'a Plan,
    /// The environment that it has so far.
    pub environment: &'a Environment,
    /// Its names on this machine.
    pub names: &'a SessionNames,
    /// Its volumes.
    pub volumes: &'a [Volume],
}

type Make = dyn Fn(&Laid<'_>) -> Result<Environment, Report> + Send + Sync;

/// Makes the environment that the program gets out of the session's. What it refuses ends the session, and the workload is put back. Called again when
/// the session connects again.
#[derive(Clone)]
pub struct Overlay(Arc<Make>);

impl Overlay {
    /// One that does this.
    pub fn new(
        make: impl Fn(&Laid<'_>) -> Result<Environment, Report> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(make))
    }
}

impl fmt::Debug for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overlay").finish_non_exhaustive()
    }
}

impl Actor {
    /// Puts the caller's variables over the environment, wherever that has been told.
    pub(super) fn lay_over(&self) -> Result<(), Box<SessionError>> {
        let Some(overlay) = &self.overlay else { return Ok(()) };
        let Some(environment) = self.environment.borrow().clone() else { return Ok(()) };
        let laid = Laid {
            plan: &self.plan,
            environment: &environment,
            names: &self.register.current(),
            volumes: &self.shelf.volumes(),
        };
        let made = (overlay.0)(&laid).map_err(SessionError::Overlay)?;
        let directory = self.directory.as_ref().expect("made at the begin of the way in");
        write_env_file(&directory.env_file(), &made).map_err(SessionError::from)?;
        made.keep(directory.path()).map_err(SessionError::from)?;
        self.environment.send_replace(Some(made));
        Ok(())
    }
}
