//! Plans between review and connecting.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use towline_core::report::Code;

use crate::report::name;
use crate::sessions::Launch;
use crate::view::{self, Report, Tone};

/// A plan that is older is not carried out: what it shows may not be so any more.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// A plan that may be carried out.
pub(super) struct Kept {
    id: String,
    made: Instant,
    pub(super) launch: Launch,
    /// What the plan itself says against it.
    pub(super) blocker: Option<Report>,
}

/// The plans, one a target.
#[derive(Default)]
pub(super) struct Plans(Mutex<Vec<Kept>>);

impl Kept {
    pub(super) fn new(launch: Launch, review: &view::Plan) -> Self {
        let bad = review.checks.iter().find(|check| check.tone == Tone::Bad);
        let blocker = bad.cloned().map(|check| Report {
            code: check.code.unwrap_or_else(|| name(Code::Internal)),
            message: check.message,
            hint: check.fix,
            detail: None,
        });
        Self { id: review.id.clone(), made: Instant::now(), launch, blocker }
    }

    fn same_target(&self, other: &Self) -> bool {
        let place = |kept: &Self| {
            let form = &kept.launch.form;
            (form.context.clone(), form.namespace.clone(), form.target.clone())
        };
        place(self) == place(other)
    }
}

impl Plans {
    pub(super) fn keep(&self, plan: Kept) {
        let mut all = self.lock();
        all.retain(|other| !other.same_target(&plan));
        all.push(plan);
    }

    /// The plan, which is not kept then any more.
    pub(super) fn take(&self, id: &str) -> Option<Kept> {
        let mut all = self.lock();
        let found = all.iter().position(|plan| plan.id == id)?;
        Some(all.remove(found))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|plan| plan.made.elapsed() < KEPT);
        all
    }
}
