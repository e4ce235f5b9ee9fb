//! Stopping a holder.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use towline_helper::client::{Helper, HelperError};
use towline_machine::holder::{self, Claim, Holder, StopSignal};

use super::{Way, way};
use crate::report::{Code, Explain, Report, causes};

/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// How hard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// SIGTERM, or `systemctl stop`; a process that does not end within 10 s stays.
    #[default]
    Ask,
    /// SIGKILL: the user has said it a second time.
    Kill,
}

/// A holder that was stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Who it was.
    pub holder: Holder,
    /// How it was done: `SIGTERM`, `SIGKILL`, or `systemctl stop NAME`.
    pub by: String,
    /// Who holds the port now: other processes that shared the listener, or that a service manager has started in its place.
    pub left: Vec<Holder>,
}

/// The holder still holds the port.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// This user does not see it, and there is no helper, which could.
    #[error("port {} is held by {holder}; only the administrator sees which process it is", .holder.port)]
    Unseen {
        /// As far as it is known.
        holder: Holder,
    },
    /// The helper does not see it either.
    #[error("port {} is held by {holder}, neither by this user nor by the administrator: it runs in another namespace of processes, as in a container, or in the kernel", .holder.port)]
    Hidden {
        /// As far as it is known.
        holder: Holder,
    },
    /// It is not stopped for a port.
    #[error("port {} is held by {holder}, which is not stopped: {why}", .holder.port)]
    Never {
        /// Who.
        holder: Holder,
        /// Why.
        why: String,
        /// What to do instead.
        instead: String,
    },
    /// It did not end.
    #[error("{holder} has not ended within 10 s of SIGTERM, and still holds port {}", .holder.port)]
    StillRunning {
        /// Who.
        holder: Holder,
    },
    /// The system says no, or the port has another holder now.
    #[error("{holder} is not stopped, and holds port {} no less than before", .holder.port)]
    Machine {
        /// Who.
        holder: Holder,
        /// Why.
        #[source]
        source: holder::StopError,
    },
    /// The port's holder changed between looking and stopping. Nothing was stopped.
    #[error("{holder} is not stopped: it does not hold port {} any more", .holder.port)]
    Changed {
        /// Who held it before.
        holder: Holder,
        /// What is there now.
        #[source]
        source: holder::StopError,
    },
    /// The helper does not do it.
    #[error("{holder} is not stopped: the helper does not do it")]
    Helper {
        /// Who.
        holder: Holder,
        /// Why.
        #[source]
        source: HelperError,
    },
    /// It cannot be told whether it has ended.
    #[error("it cannot be told whether {holder} has ended")]
    Unknown {
        /// Who.
        holder: Holder,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Stops this holder, if it still is one, and waits for its end. The caller has the user's word for it.
///
/// `helper` is used for processes that this user may not stop; without one they are refused.
///
/// # Errors
/// When it is protected, is another user's, holds the port no more, or does not end. Only [`StopError::StillRunning`] and [`StopError::Unknown`] come
/// after something was sent.
pub async fn stop_holder(
    holder: &Holder,
    force: Force,
    helper: Option<&Helper>,
) -> Result<Stopped, StopError> {
    let Some(claim) = holder.claim() else {
        let holder = holder.clone();
        return Err(match helper {
            None => StopError::Unseen { holder },
            Some(_) => StopError::Hidden { holder },
        });
    };
    let by = match (way(holder), force) {
        (Way::Never { why, instead }, _) => {
            return Err(StopError::Never { holder: holder.clone(), why, instead });
        }
        // The service manager itself goes on to SIGKILL.
        (Way::Unit { unit }, _) => {
            let (asked, local) = (unit.clone(), claim);
            let stopped = blocking(holder, move || holder::stop_unit(&local, &asked)).await;
            match stopped {
                // As systemd answers to somebody without the right: the helper has it.
                Err(StopError::Machine {
                    source: holder::StopError::Systemctl { .. } | holder::StopError::Denied { .. },
                    ..
                }) if helper.is_some() => {
                    by_helper(
                        holder,
                        async |helper| helper.stop_unit(claim, unit.clone()).await.map(|()| true),
                        helper,
                    )
                    .await?;
                }
                stopped => stopped?,
            }
            format!("systemctl stop {unit}")
        }
        (_, force) => signal(holder, claim, force, helper).await?.to_owned(),
    };
    let left = super::holders(claim.address, claim.port, None).await.unwrap_or_default();
    Ok(Stopped { holder: holder.clone(), by, left })
}

async fn signal(
    holder: &Holder,
    claim: Claim,
    force: Force,
    helper: Option<&Helper>,
) -> Result<&'static str, StopError> {
    let (signal, name) = match force {
        Force::Ask => (StopSignal::Term, "SIGTERM"),
        Force::Kill => (StopSignal::Kill, "SIGKILL"),
    };
    let sent = blocking(holder, move || holder::signal(&claim, signal)).await;
    let ended = match sent {
        Err(StopError::Machine { source: holder::StopError::Denied { .. }, .. })
            if helper.is_some() =>
        {
            by_helper(holder, async |helper| helper.stop_holder(claim, signal).await, helper)
                .await?
        }
        sent => {
            let ending = sent?;
            let waited = tokio::task::spawn_blocking(move || ending.wait(GRACE)).await;
            let unknown = |source| StopError::Unknown { holder: holder.clone(), source };
            waited.map_err(|error| unknown(error.into()))?.map_err(unknown)?
        }
    };
    if ended { Ok(name) } else { Err(StopError::StillRunning { holder: holder.clone() }) }
}

async fn by_helper(
    holder: &Holder,
    ask: impl AsyncFnOnce(&Helper) -> Result<bool, HelperError>,
    helper: Option<&Helper>,
) -> Result<bool, StopError> {
    let Some(helper) = helper else { return Err(StopError::Unseen { holder: holder.clone() }) };
    ask(helper).await.map_err(|source| StopError::Helper { holder: holder.clone(), source })
}

async fn blocking<T: Send + 'static>(
    holder: &Holder,
    work: impl FnOnce() -> Result<T, holder::StopError> + Send + 'static,
) -> Result<T, StopError> {
    let done = tokio::task::spawn_blocking(work).await;
    let holder = || holder.clone();
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(source @ holder::StopError::Changed { .. })) => {
            Err(StopError::Changed { holder: holder(), source })
        }
        Ok(Err(source)) => Err(StopError::Machine { holder: holder(), source }),
        Err(error) => Err(StopError::Unknown { holder: holder(), source: error.into() }),
    }
}

impl Explain for StopError {
    fn explain(&self) -> Report {
        let hint = match self {
            Self::Unseen { .. } => {
                "Stop it yourself, or run this with administrator's rights.".to_owned()
            }
            Self::Hidden { .. } => {
                "See which containers run here and publish the port, or map the port to another."
                    .to_owned()
            }
            Self::Never { instead, .. } => instead.clone(),
            Self::StillRunning { holder } => format!(
                "Wait for it, or have it ended by SIGKILL, which loses what it has in hand: --free-port {}:kill.",
                holder.port
            ),
            Self::Changed { .. } => {
                "Nothing was stopped. Plan again, and see who holds the port now.".to_owned()
            }
            Self::Machine { .. } | Self::Helper { .. } => {
                "Nothing was stopped. Stop it yourself, map the port to another, or leave it out."
                    .to_owned()
            }
            Self::Unknown { .. } => "See whether it still runs.".to_owned(),
        };
        let mut message = self.to_string();
        if let Some(source) = std::error::Error::source(self) {
            message += &format!(": {source}");
        }
        let code =
            if matches!(self, Self::Helper { .. }) { Code::Helper } else { Code::LocalPortTaken };
        Report { code, message: format!("{message}."), hint: Some(hint), detail: causes(self) }
    }
}
