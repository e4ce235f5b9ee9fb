//! The task that has the socket: sends what is asked, and gives each answer to who asked.

use std::collections::HashMap;

use tokio::sync::{mpsc, oneshot, watch};

use super::HelperError;
use crate::channel::{ChannelError, Inbox, receive, send};
use crate::protocol::{Answer, Call, Reply, Request};
use crate::system::{Socket, Stream};

/// A request, and who waits for the answer.
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) answer: Option<oneshot::Sender<Result<Outcome, HelperError>>>,
}

/// An answer, and the socket that came with it.
pub(super) struct Outcome {
    pub(super) answer: Answer,
    pub(super) file: Option<Socket>,
}

/// The error for a connection that ended without a word.
pub(super) fn ended() -> HelperError {
    HelperError::Gone { reason: "the connection ended".to_owned() }
}

/// Runs until nobody can ask any more, or the connection is lost.
pub(super) async fn run(
    stream: Stream,
    mut inbox: Inbox,
    mut asked: mpsc::UnboundedReceiver<Asked>,
    gone: watch::Sender<Option<HelperError>>,
) {
    let mut waiting = HashMap::new();
    let reason = converse(&stream, &mut inbox, &mut asked, &mut waiting).await;
    // Who asks from now on learns it at once.
    asked.close();
    drop(stream);
    gone.send_replace(Some(reason));
}

async fn converse(
    stream: &Stream,
    inbox: &mut Inbox,
    asked: &mut mpsc::UnboundedReceiver<Asked>,
    waiting: &mut HashMap<u32, Option<oneshot::Sender<Result<Outcome, HelperError>>>>,
) -> HelperError {
    let mut last = 0_u32;
    loop {
        tokio::select! {
            next = asked.recv() => {
                let Some(Asked { request, answer }) = next else { return ended() };
                last = last.wrapping_add(1);
                match send(stream, &Call { id: last, request }, None).await {
                    Ok(()) => {
                        waiting.insert(last, answer);
                    }
                    // Nothing has been sent of a frame that is too long.
                    Err(error @ ChannelError::Frame(_)) => {
                        if let Some(answer) = answer {
                            let _ = answer.send(Err(too_long(&error)));
                        }
                    }
                    // Why it closed may stand in what it sent before.
                    Err(error) => {
                        return last_words(stream, inbox).await.unwrap_or(lost(&error));
                    }
                }
            }
            reply = receive::<Reply>(stream, inbox) => match reply {
                Ok(Some(Reply { id: Some(id), answer })) => {
                    let file = matches!(answer, Answer::Listening).then(|| inbox.take_file()).flatten();
                    if let Some(Some(asker)) = waiting.remove(&id) {
                        // One that does not wait any more drops the socket.
                        let _ = asker.send(Ok(Outcome { answer, file }));
                    }
                }
                Ok(Some(Reply { id: None, answer })) => return farewell(&answer),
                Ok(None) => return ended(),
                Err(error) => return lost(&error),
            },
        }
    }
}

async fn last_words(stream: &Stream, inbox: &mut Inbox) -> Option<HelperError> {
    while let Ok(Some(reply)) = receive::<Reply>(stream, inbox).await {
        if reply.id.is_none() {
            return Some(farewell(&reply.answer));
        }
    }
    None
}

fn farewell(answer: &Answer) -> HelperError {
    match answer {
        Answer::Refused(refusal) => HelperError::Gone { reason: refusal.message.clone() },
        _ => ended(),
    }
}

fn lost(error: &ChannelError) -> HelperError {
    HelperError::Gone { reason: error.to_string() }
}

fn too_long(error: &ChannelError) -> HelperError {
    use crate::protocol::{Refusal, RefusalCode};
    HelperError::Refused(Refusal::new(RefusalCode::TooMany, error))
}
