//! The control stream, with the side that listens to it.

use tokio::sync::mpsc;
use towline_wire::control::{ControlError, Heard, Message, SILENCE, run};
use towline_wire::frame::LONGEST;

use super::pipe::both_ways;
use crate::frames::read;

/// Messages are told in their order, pings are answered with their own numbers, and the end of the stream is the end.
pub(super) fn check(bytes: &[u8], size: usize) {
    let ((error, heard), said) = both_ways(bytes, size, async |near| {
        let (_, quiet) = mpsc::channel(1);
        let (tell, mut told) = mpsc::channel(4);
        let listen = async {
            let mut heard = Vec::new();
            while let Some(one) = told.recv().await {
                heard.push(one);
            }
            heard
        };
        tokio::join!(run(near, quiet, tell, SILENCE), listen)
    });
    assert!(matches!(error, ControlError::Frame(_)), "{error}");
    let (messages, _) = read::<Message>(bytes, LONGEST as usize);
    let is_heartbeat =
        |message: &Message| matches!(message, Message::Ping { .. } | Message::Pong { .. });
    let told = heard.iter().filter_map(|heard| match heard {
        Heard::Message(message) => Some(message),
        Heard::RoundTrip(_) => None,
    });
    assert!(told.eq(messages.iter().filter(|message| !is_heartbeat(message))), "{heard:?}");
    let mut asked = messages.iter().filter_map(|message| match message {
        Message::Ping { sequence } => Some(*sequence),
        _ => None,
    });
    let (answers, _) = read::<Message>(&said, LONGEST as usize);
    for answer in answers {
        match answer {
            Message::Pong { sequence } => assert!(asked.any(|asked| asked == sequence)),
            Message::Ping { .. } => {}
            other => panic!("{other:?} was said unasked"),
        }
    }
}
