//! Sessions as the cluster knows them: which there are, and putting back what a session without an owner has left.
//!
//! A session shows by its lease and by the annotation on its workload. Usually both are there; one alone is a leftover.

mod find;
mod restore;

use serde::Serialize;
use towline_workload::{SessionRecord, WorkloadRef};

pub use self::find::status;
pub use self::restore::{Became, RestoreResult, Which, restore};
use crate::lease::LeaseState;

/// A session in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionStatus {
    /// The workload that it has redirected.
    pub workload: WorkloadRef,
    /// Whether the workload exists.
    pub workload_exists: bool,
    /// Whose session it is: as the workload says, else as the lease says.
    pub record: Option<SessionRecord>,
    /// The session whose agent the workload has, if it has one.
    pub installed: Option<String>,
    /// The lease, if there is one.
    pub lease: Option<LeaseState>,
    /// The state of the restorer's pod, such as `Running`; `None` where there is no restorer.
    pub restorer: Option<String>,
}

impl SessionStatus {
    /// Whether a client keeps the session alive.
    pub fn is_live(&self) -> bool {
        self.lease.as_ref().is_some_and(|lease| !lease.lapsed)
    }

    /// The ids of the sessions that have left something: one, but for a take-over that broke off in the middle.
    pub fn sessions(&self) -> Vec<String> {
        let holder = self.lease.as_ref().map(|lease| lease.holder.clone());
        let mut ids: Vec<String> = self.installed.clone().into_iter().chain(holder).collect();
        ids.dedup();
        ids
    }
}
