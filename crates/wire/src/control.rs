//! The control stream: heartbeats both ways, and what the agent has to tell.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use crate::frame::{self, FrameError};
use crate::header::Protocol;

/// Each side sends a ping this often.
pub const PING_EVERY: Duration = Duration::from_secs(5);

/// A side that has heard nothing for this long takes the connection for dead: the tunnel, or what [`crate::resume`] has it on.
///
/// A network that was gone for 7 s is a tunnel that is silent for up to 18 s: TCP sends again after 0.2, 0.6, 1.4, 3, 6.2 and 12.6 s (RFC 6298,
/// with Linux's least timeout of 0.2 s), so what was lost at the beginning comes through 13 s after it, and the last sign of life was up to
/// [`PING_EVERY`] before. Such a loss must not cost the open connections.
pub const SILENCE: Duration = Duration::from_secs(20);

/// What travels on the control stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum Message {
    /// "I am here"; answered by [`Message::Pong`] with the same number.
    Ping {
        /// Counts up from 0.
        sequence: u64,
    },
    /// The answer.
    Pong {
        /// The ping's number.
        sequence: u64,
    },
    /// From the agent: it listens on this port of the pod.
    Listening {
        /// The container's port.
        port: u16,
        /// What it speaks.
        #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
        protocol: Protocol,
    },
    /// From the agent: it cannot listen on this port of the pod.
    NotListening {
        /// The container's port.
        port: u16,
        /// What it speaks.
        #[serde(default, skip_serializing_if = "Protocol::is_tcp")]
        protocol: Protocol,
        /// Why.
        reason: String,
    },
    /// From the agent: it is about to end, because its pod was told to.
    Ending,
}

/// The control stream has ended.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nothing was heard for so long.
    #[error("nothing was heard from the other side for {} s", .0.as_secs())]
    Silent(Duration),
    /// The stream failed.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// What [`run`] reports to its side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A message other than ping and pong.
    Message(Message),
    /// A ping came back after this time.
    RoundTrip(Duration),
}

/// Speaks on the control stream until it fails or is silent for `patience`: sends what comes from `say`, pings, answers pings, and hands the rest to
/// `heard`.
///
/// # Errors
/// Always ends with one, as [`ControlError`] says.
pub async fn run(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin,
    mut say: mpsc::Receiver<Message>,
    heard: mpsc::Sender<Heard>,
    patience: Duration,
) -> ControlError {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (answer, mut answers) = mpsc::channel(16);
    let (sent, mut sents) = mpsc::channel::<Instant>(16);
    let read = async {
        loop {
            let message = match tokio::time::timeout(patience, frame::read(&mut reader)).await {
                Err(_) => return ControlError::Silent(patience),
                Ok(Err(error)) => return error.into(),
                Ok(Ok(message)) => message,
            };
            match message {
                // A full queue of answers means that the writer is stuck; the far side's clock tells it soon enough.
                Message::Ping { sequence } => drop(answer.try_send(Message::Pong { sequence })),
                Message::Pong { .. } => {
                    if let Ok(at) = sents.try_recv() {
                        let _ = heard.try_send(Heard::RoundTrip(at.elapsed()));
                    }
                }
                other => drop(heard.send(Heard::Message(other)).await),
            }
        }
    };
    let write = async {
        let mut tick = tokio::time::interval(PING_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sequence = 0;
        let mut talking = true;
        loop {
            let message = tokio::select! {
                _ = tick.tick() => {
                    let _ = sent.try_send(Instant::now());
                    sequence += 1;
                    Message::Ping { sequence: sequence - 1 }
                }
                Some(pong) = answers.recv() => pong,
                said = say.recv(), if talking => match said {
                    Some(message) => message,
                    None => { talking = false; continue }
                },
            };
            if let Err(error) = frame::write(&mut writer, &message).await {
                return ControlError::from(error);
            }
        }
    };
    tokio::select! { error = read => error, error = write => error }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn two_sides_hear_each_other_for_long() {
        let (a, b) = tokio::io::duplex(1024);
        let (say, said) = mpsc::channel(4);
        let (_quiet, quiet) = mpsc::channel(4);
        let (heard_a, mut hears_a) = mpsc::channel(64);
        let (heard_b, mut hears_b) = mpsc::channel(64);
        let one = tokio::spawn(run(a, said, heard_a, SILENCE));
        let two = tokio::spawn(run(b, quiet, heard_b, SILENCE));
        say.send(Message::Listening { port: 80, protocol: Protocol::Tcp }).await.unwrap();
        let mut first = hears_b.recv().await.unwrap();
        while matches!(first, Heard::RoundTrip(_)) {
            first = hears_b.recv().await.unwrap();
        }
        assert_eq!(first, Heard::Message(Message::Listening { port: 80, protocol: Protocol::Tcp }));
        tokio::time::sleep(SILENCE * 4).await;
        assert!(!one.is_finished() && !two.is_finished());
        assert!(matches!(hears_a.recv().await.unwrap(), Heard::RoundTrip(_)));
        one.abort();
        assert!(matches!(two.await.unwrap(), ControlError::Frame(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_noticed_after_its_time() {
        let (a, _mute) = tokio::io::duplex(64 * 1024);
        let (_say, said) = mpsc::channel(1);
        let (heard, _hears) = mpsc::channel(1);
        let start = Instant::now();
        assert!(matches!(run(a, said, heard, SILENCE).await, ControlError::Silent(SILENCE)));
        assert_eq!(start.elapsed(), SILENCE);
    }
}
