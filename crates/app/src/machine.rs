//! This machine's side of sessions: the helper with administrator rights, and who holds ports.

mod holders;
mod hosts;
mod reports;

use std::sync::{Arc, Mutex, PoisonError};

use towline_helper::client::{Helper, HelperError};

pub(crate) use self::holders::{taken, unprivileged_from};
pub(crate) use self::hosts::{check as hosts_check, helper_check};
pub(crate) use self::reports::of_helper;
use crate::publish::Publish;
use crate::view::{Change, HelperState, Report};

/// The helper, as this application uses it. Cheap to clone.
#[derive(Clone)]
pub struct Machine {
    shared: Arc<Shared>,
}

struct Shared {
    publish: Arc<dyn Publish>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    told: HelperState,
    /// How many use it.
    uses: usize,
}

/// Somebody uses the helper. It ends by itself soon after the last one has let go.
pub(crate) struct Use {
    pub(crate) helper: Helper,
    _counted: Counted,
}

/// Tells that the helper is not used any more.
struct Counted(Machine);

impl Machine {
    /// Nothing has been started.
    pub fn new(publish: Arc<dyn Publish>) -> Self {
        Self { shared: Arc::new(Shared { publish, state: Mutex::default() }) }
    }

    /// How the helper stands.
    pub(crate) fn helper_state(&self) -> HelperState {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).told.clone()
    }

    /// Whether the system would ask the user before the helper starts.
    pub(crate) async fn asks(&self) -> bool {
        !Helper::needs_no_prompt() && !matches!(Helper::connect().await, Ok(Some(_)))
    }

    /// The helper, which is started if it does not run: the user has been told what for.
    ///
    /// # Errors
    ///
    /// When the rights are not granted (`not_granted`), or it cannot be started (`helper`).
    pub(crate) async fn helper(&self) -> Result<Use, Report> {
        self.tell(|state| match state.uses {
            0 => HelperState::Starting,
            _ => HelperState::Running,
        });
        let started = Helper::connect_or_start().await;
        let told = started.as_ref().map_or_else(after, |_| HelperState::Running);
        self.tell(|state| {
            state.uses += usize::from(started.is_ok());
            if state.uses > 0 { HelperState::Running } else { told }
        });
        let helper = started.map_err(|error| of_helper(&error))?;
        Ok(Use { helper, _counted: Counted(self.clone()) })
    }

    fn tell(&self, next: impl FnOnce(&mut State) -> HelperState) {
        let helper = {
            let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            let told = next(&mut state);
            if told == state.told {
                return;
            }
            state.told = told.clone();
            told
        };
        self.shared.publish.put(Change::Helper { helper });
    }
}

fn after(error: &HelperError) -> HelperState {
    match error {
        HelperError::NotGranted { .. } | HelperError::NoPrompt { .. } => HelperState::NotGranted,
        error => HelperState::Failed { message: error.to_string() },
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.tell(|state| {
            state.uses = state.uses.saturating_sub(1);
            if state.uses > 0 { HelperState::Running } else { HelperState::Idle }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::testing::Published;

    #[test]
    fn the_helper_is_idle_when_nobody_uses_it_any_more() {
        let published = Arc::new(Published::default());
        let machine = Machine::new(published.clone());
        machine.tell(|state| {
            state.uses = 2;
            HelperState::Running
        });
        let (first, second) = (Counted(machine.clone()), Counted(machine.clone()));
        drop(first);
        assert_eq!(machine.helper_state(), HelperState::Running);
        drop(second);
        assert_eq!(machine.helper_state(), HelperState::Idle);
        let told = published.take();
        assert_eq!(told.len(), 2, "what has not changed is not told: {told:?}");
    }

    #[test]
    fn a_no_is_no_failure() {
        let no = HelperError::NotGranted { detail: String::new() };
        assert_eq!(after(&no), HelperState::NotGranted);
        assert_eq!(of_helper(&no).code, "not_granted");
        let missing = HelperError::NotInstalled { tried: vec!["/x/towline-helper".into()] };
        assert!(matches!(after(&missing), HelperState::Failed { .. }));
        let report = of_helper(&missing);
        assert_eq!(report.code, "helper");
        assert!(report.message.contains("/x/towline-helper"), "{report:?}");
        assert!(report.hint.is_some_and(|hint| !hint.contains("--no-admin")));
    }
}
