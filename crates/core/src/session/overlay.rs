//! What the caller of a session puts over the container's environment, such as the variables of a project file.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::actor::Actor;
use super::error::SessionError;
use crate::environment::{Environment, Variable, as_bytes, write_env_file};
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
type Check = dyn Fn(&Plan, &BTreeSet<&str>) -> Result<(), Report> + Send + Sync;

/// Makes the environment that the program gets out of the session's. What it refuses ends the session, and the workload is put back. Called again when
/// the session connects again.
#[derive(Clone)]
pub struct Overlay {
    make: Arc<Make>,
    check: Option<Arc<Check>>,
}

impl Overlay {
    /// One that does this.
    pub fn new(
        make: impl Fn(&Laid<'_>) -> Result<Environment, Report> + Send + Sync + 'static,
    ) -> Self {
        Self { make: Arc::new(make), check: None }
    }

    /// The same, which also looks at the names of the variables of the container that runs, where these can be read before the workload is touched.
    /// What it refuses then has changed nothing.
    #[must_use]
    pub fn checked_by(
        mut self,
        check: impl Fn(&Plan, &BTreeSet<&str>) -> Result<(), Report> + Send + Sync + 'static,
    ) -> Self {
        self.check = Some(Arc::new(check));
        self
    }
}

impl fmt::Debug for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overlay").finish_non_exhaustive()
    }
}

impl Actor {
    /// Whether the caller wants to see the variables of the container that runs.
    pub(super) fn overlay_wants_variables(&self) -> bool {
        self.overlay.as_ref().is_some_and(|overlay| overlay.check.is_some())
    }

    /// Sees that the caller's variables can be made of those that the container has, as far as these could be read.
    pub(super) fn check_overlay(&self, original: Option<&[Variable]>) -> Result<(), SessionError> {
        let check = self.overlay.as_ref().and_then(|overlay| overlay.check.as_ref());
        let (Some(check), Some(original)) = (check, original) else { return Ok(()) };
        let names = original
            .iter()
            .filter_map(|variable| std::str::from_utf8(as_bytes(&variable.name)).ok());
        check(&self.plan, &names.collect()).map_err(SessionError::Overlay)
    }

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
        let made = (overlay.make)(&laid).map_err(SessionError::Overlay)?;
        let directory = self.directory.as_ref().expect("made at the begin of the way in");
        write_env_file(&directory.env_file(), &made).map_err(SessionError::from)?;
        made.keep(directory.path()).map_err(SessionError::from)?;
        self.environment.send_replace(Some(made));
        Ok(())
    }
}
