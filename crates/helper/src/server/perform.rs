//! The requests, but for those of the hosts file and of sockets.

use std::num::NonZeroU16;

use tokio::task::spawn_blocking;
use towline_machine::LoopbackAddress;
use towline_machine::holder::{self, Claim, StopError, StopSignal, Unit};

use super::limits;
use crate::protocol::{Answer, Refusal, RefusalCode};

/// Who holds the port.
pub(super) async fn holders(address: LoopbackAddress, port: NonZeroU16) -> Answer {
    let found = blocking(move || holder::find(address.ip(), port.get())).await;
    match found {
        Ok(holders) => Answer::Holders(holders),
        Err(error) => {
            let message = format!("cannot tell who holds port {port} of {address}: {error}");
            Answer::Refused(Refusal::new(RefusalCode::System, message))
        }
    }
}

/// Tells the process to end, and waits a little.
pub(super) async fn signal(claim: Claim, signal: StopSignal) -> Answer {
    let stopped = blocking(move || {
        let ending = holder::signal(&claim, signal)?;
        ending.wait(limits::STOP).map_err(|source| StopError::System { pid: claim.pid, source })
    });
    match stopped.await {
        Ok(ended) => Answer::Signalled { ended },
        Err(error) => Answer::Refused(refusal(&error)),
    }
}

/// Stops the service.
pub(super) async fn stop_unit(claim: Claim, unit: Unit) -> Answer {
    match blocking(move || holder::stop_unit(&claim, &unit)).await {
        Ok(()) => Answer::Done,
        Err(error) => Answer::Refused(refusal(&error)),
    }
}

fn refusal(error: &StopError) -> Refusal {
    let code = match error {
        StopError::Changed { .. } | StopError::AnotherUnit { .. } => RefusalCode::Changed,
        StopError::Protected { .. } | StopError::OwnUnit(_) => RefusalCode::Protected,
        _ => RefusalCode::System,
    };
    Refusal::new(code, error)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.expect("the work does not panic")
}
