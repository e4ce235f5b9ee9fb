//! This machine's side of sessions: the helper with administrator rights, and who holds ports.

mod holders;
mod hosts;
mod reports;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;
use towline_helper::client::{Helper, HelperError};

pub(crate) use self::holders::{taken, unprivileged_from};
pub(crate) use self::hosts::{check as hosts_check, helper_check};
pub(crate) use self::reports::of_helper;
use crate::publish::Publish;
use crate::view::{Change, HelperState, Report};

/// How often another helper is looked for, where the one that is needed has ended.
const LOOK: Duration = Duration::from_secs(1);

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
    /// It has ended all the same.
    lost: bool,
}

impl State {
    /// How it stands while nobody waits for it.
    fn standing(&self) -> HelperState {
        match self.uses {
            0 => HelperState::Idle,
            _ if self.lost => HelperState::Lost,
            _ => HelperState::Running,
        }
    }
}

/// Somebody uses the helper. It ends by itself soon after the last one has let go.
pub(crate) struct Use {
    pub(crate) helper: Helper,
    _watch: AbortOnDropHandle<()>,
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
        self.tell(|state| match state.standing() {
            HelperState::Running => HelperState::Running,
            _ => HelperState::Starting,
        });
        let started = Helper::connect_or_start().await;
        self.tell(|state| {
            match &started {
                Ok(_) => (state.uses, state.lost) = (state.uses + 1, false),
                Err(error) if state.uses == 0 => return after(error),
                Err(_) => {}
            }
            state.standing()
        });
        let helper = started.map_err(|error| of_helper(&error))?;
        let counted = Counted(self.clone());
        let watch = tokio::spawn(self.clone().watch(helper.clone()));
        Ok(Use { helper, _watch: AbortOnDropHandle::new(watch), _counted: counted })
    }

    /// Tells when the helper ends although it is used; and when there is another, which the sessions take up.
    async fn watch(self, mut helper: Helper) {
        loop {
            let error = helper.gone().await;
            tracing::warn!(%error, "the helper is used, and has ended");
            self.tell_lost(true);
            helper = loop {
                tokio::time::sleep(LOOK).await;
                if let Ok(Some(helper)) = Helper::connect().await {
                    break helper;
                }
            };
            self.tell_lost(false);
        }
    }

    fn tell_lost(&self, lost: bool) {
        self.tell(|state| {
            state.lost = lost;
            state.standing()
        });
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
            state.lost &= state.uses > 0;
            state.standing()
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
        let (first, second) = used_twice(&machine);
        drop(first);
        assert_eq!(machine.helper_state(), HelperState::Running);
        drop(second);
        assert_eq!(machine.helper_state(), HelperState::Idle);
        let told = published.take();
        assert_eq!(told.len(), 2, "what has not changed is not told: {told:?}");
    }

    fn used_twice(machine: &Machine) -> (Counted, Counted) {
        machine.tell(|state| {
            state.uses = 2;
            state.standing()
        });
        (Counted(machine.clone()), Counted(machine.clone()))
    }

    #[test]
    fn one_that_has_ended_while_it_is_used_is_lost_until_there_is_another() {
        let machine = Machine::new(Arc::new(Published::default()));
        let (first, second) = used_twice(&machine);
        machine.tell_lost(true);
        assert_eq!(machine.helper_state(), HelperState::Lost);
        drop(first);
        assert_eq!(machine.helper_state(), HelperState::Lost, "the other still needs it");
        machine.tell_lost(false);
        assert_eq!(machine.helper_state(), HelperState::Running);
        machine.tell_lost(true);
        drop(second);
        assert_eq!(machine.helper_state(), HelperState::Idle);
        // The next one begins anew.
        let _again = used_twice(&machine);
        assert_eq!(machine.helper_state(), HelperState::Running);
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
