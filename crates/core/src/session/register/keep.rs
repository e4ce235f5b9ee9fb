//! The names through a session: after each change, and with another helper where the first has ended.

use std::sync::Arc;
use std::time::Duration;

use towline_helper::client::{Helper, HelperError};

use super::{NamesError, Register};
use crate::event::What;
use crate::text::capitalised;

/// Services that come and go together, as in a deployment of many, are one change of the hosts file.
const TOGETHER: Duration = Duration::from_millis(200);

/// How often another helper is looked for, where the session has lost its own and nobody has been asked for the rights again.
const LOOK: Duration = Duration::from_secs(1);

/// See [`Register::turn`].
enum Turn {
    Lost(HelperError),
    Found(Helper),
}

impl Register {
    /// Writes after each change, for ever; and takes up again what the helper did, should that end.
    pub(in crate::session) async fn keep(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = self.outbound.changed.notified() => {
                    tokio::time::sleep(TOGETHER).await;
                    if let Err(error) = self.write().await
                        && !matches!(error, NamesError::Helper(HelperError::Gone { .. }))
                    {
                        let message = format!("The hosts file does not have the session's latest names: {error}");
                        self.chronicle.tell(What::Warning { message });
                    }
                }
                turn = self.turn() => match turn {
                    Turn::Lost(error) => self.begin_again(&error).await,
                    Turn::Found(helper) => self.go_on_with(helper, "a helper runs again").await,
                },
            }
        }
    }

    /// What happens next with the helper: it ends; or where it has, there is one again, whoever was asked for the rights.
    async fn turn(&self) -> Turn {
        let Some(hosts) = self.outbound.ground.hosts().filter(|hosts| !hosts.has_own_file()) else {
            return std::future::pending().await;
        };
        if let Some(helper) = hosts.helper() {
            return Turn::Lost(helper.gone().await);
        }
        loop {
            tokio::time::sleep(LOOK).await;
            if let Ok(Some(helper)) = Helper::connect().await {
                return Turn::Found(helper);
            }
        }
    }

    /// The helper has ended. A new one is started where nobody has to be asked.
    async fn begin_again(&self, error: &HelperError) {
        let Some(hosts) = self.outbound.ground.hosts() else { return };
        hosts.set_helper(None);
        self.written.lock().await.block = None;
        let again = match Helper::needs_no_prompt() {
            true => Helper::connect_or_start().await.map(Some),
            false => Helper::connect().await,
        };
        let helper = again.unwrap_or_else(|error| {
            tracing::warn!(%error, "no other helper");
            None
        });
        if let Some(helper) = helper {
            let what = format!("{error}; another has taken its place");
            return self.go_on_with(helper, &what).await;
        }
        let message = format!(
            "{error}. Names and ports that the session has go on; what comes later gets none. The session takes up the next helper that Towline starts: \
             for another session, or a repair of the hosts file in the window's diagnostics."
        );
        self.chronicle.tell(What::Warning { message: capitalised(&message) });
    }

    /// Gives the session to another helper. `what` has happened.
    async fn go_on_with(&self, helper: Helper, what: &str) {
        let Some(hosts) = self.outbound.ground.hosts() else { return };
        hosts.set_helper(Some(helper));
        let message = match self.write().await {
            Ok(()) => format!("{what}, and the hosts file is as before"),
            Err(error) => format!("{what}, but the hosts file cannot be changed: {error}"),
        };
        self.chronicle.tell(What::Warning { message: capitalised(&message) });
    }
}
