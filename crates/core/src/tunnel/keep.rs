//! Keeping a tunnel through the loss of its connection.

use tokio::sync::mpsc;
use tokio::time::Instant;
use towline_wire::handshake::{Accepted, HandshakeError};
use towline_wire::resume::{Handle, Standing};

use super::{Dial, TunnelError, TunnelEvent};
use crate::backoff::Backoff;

/// Gives the pipe another connection each time that it has lost one, and tells that. Resolves with the reason when there is none to be had; when the pipe's patience is over,
/// that is for whoever reads it to tell.
pub(super) async fn keep(pipe: &Handle, dial: &Dial, events: &mpsc::Sender<TunnelEvent>) -> String {
    let mut standing = pipe.standing();
    loop {
        let lost = standing.wait_for(|standing| *standing != Standing::Carried).await;
        if !lost.is_ok_and(|standing| *standing == Standing::Lost) {
            return std::future::pending().await;
        }
        tracing::info!(pod = dial.pod, "the tunnel's connection is lost");
        let since = Instant::now();
        if let Err(reason) = renew(pipe, dial).await {
            return reason;
        }
        tracing::info!(pod = dial.pod, "the tunnel goes on over another connection");
        // Nobody reads them only when the tunnel is on its way out.
        let _ = events.send(TunnelEvent::Resumed(since.elapsed())).await;
    }
}

async fn renew(pipe: &Handle, dial: &Dial) -> Result<(), String> {
    let mut backoff = Backoff::new();
    loop {
        let Some(position) = pipe.detach() else { return std::future::pending().await };
        match dial.connect(Some(position)).await {
            Ok((io, Accepted { resume: Some(agents), .. })) if agents.pipe == position.pipe => {
                return pipe.resume(io, agents.received).map_err(|error| error.to_string());
            }
            // It was started anew, or has given up waiting.
            Ok(_) => return Err("the agent knows nothing of this tunnel any more".to_owned()),
            Err(error) if is_final(&error) => return Err(error.to_string()),
            Err(error) => {
                tracing::debug!(pod = dial.pod, %error, "no other connection yet");
                backoff.wait().await;
            }
        }
    }
}

/// Whether another try would be told the same.
fn is_final(error: &TunnelError) -> bool {
    match error {
        TunnelError::PodGone { .. } | TunnelError::Forbidden { .. } => true,
        TunnelError::Handshake { source, .. } => matches!(source, HandshakeError::Refused { .. }),
        _ => false,
    }
}
