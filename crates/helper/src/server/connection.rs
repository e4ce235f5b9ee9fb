//! One client, from its hello to its end.

use std::num::NonZeroU16;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use towline_machine::LoopbackAddress;

use super::hosts::{ConnectionId, Hosts};
use super::{limits, perform};
use crate::channel::{ChannelError, Inbox, receive, send};
use crate::protocol::{
    Answer, Call, Greeting, Hello, PROTOCOL, Refusal, RefusalCode, Reply, Request,
};
use crate::system::{self, Socket, Stream};

/// Says why, and closes.
pub(super) async fn refuse(stream: Stream, refusal: Refusal) {
    let _ = timeout(limits::SEND, send(&stream, &Greeting::Refused(refusal), None)).await;
}

/// Speaks with the client until it goes, must go, or the helper ends; then undoes what it asked for.
pub(super) async fn run(stream: Stream, hosts: Arc<Hosts>, ending: watch::Receiver<()>) {
    let mut client = Client {
        stream,
        inbox: Inbox::default(),
        id: hosts.connect(),
        hosts,
        sockets: 0,
        slow: JoinSet::new(),
    };
    let end = client.converse(ending).await;
    // The file first: it is what others see.
    client.hosts.undo(client.id).await;
    if let End::Refused { greeted, refusal } = end {
        let words = async {
            if greeted {
                let reply = Reply { id: None, answer: Answer::Refused(refusal) };
                send(&client.stream, &reply, None).await
            } else {
                send(&client.stream, &Greeting::Refused(refusal), None).await
            }
        };
        let _ = timeout(limits::SEND, words).await;
    }
}

struct Client {
    stream: Stream,
    inbox: Inbox,
    id: ConnectionId,
    hosts: Arc<Hosts>,
    sockets: usize,
    /// Calls that are waited for beside the others.
    slow: JoinSet<Reply>,
}

/// Why a conversation is over.
enum End {
    /// There is nobody to tell anything.
    Gone,
    Refused {
        greeted: bool,
        refusal: Refusal,
    },
}

impl End {
    fn refused(code: RefusalCode, message: impl std::fmt::Display) -> Self {
        Self::Refused { greeted: true, refusal: Refusal::new(code, message) }
    }
}

impl From<ChannelError> for End {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::Frame(error) => Self::refused(RefusalCode::Malformed, error),
            ChannelError::Slow => Self::refused(RefusalCode::TooSlow, error),
            ChannelError::Io(_) | ChannelError::Cut => Self::Gone,
        }
    }
}

impl Client {
    async fn converse(&mut self, mut ending: watch::Receiver<()>) -> End {
        if let Err(end) = self.greet().await {
            return match end {
                End::Refused { refusal, .. } => End::Refused { greeted: false, refusal },
                End::Gone => End::Gone,
            };
        }
        loop {
            let done = tokio::select! {
                biased;
                _ = ending.changed() => {
                    return End::refused(RefusalCode::Ending, "the helper was told to end");
                }
                Some(finished) = self.slow.join_next() => match finished {
                    Ok(reply) => self.reply(&reply, None).await,
                    Err(_) => Ok(()),
                },
                call = receive::<Call>(&self.stream, &mut self.inbox) => match call {
                    Ok(Some(call)) => self.answer(call).await,
                    Ok(None) => return End::Gone,
                    Err(error) => return error.into(),
                },
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Versions are compared before anything else is understood.
    async fn greet(&mut self) -> Result<(), End> {
        let hello = timeout(limits::FRAME, receive::<Hello>(&self.stream, &mut self.inbox)).await;
        let hello = hello
            .map_err(|_| End::refused(RefusalCode::TooSlow, "no hello came"))??
            .ok_or(End::Gone)?;
        self.send(&Greeting::Welcome(Hello::own()), None).await?;
        // The client says it to its user: it has just read which version this is.
        if hello.protocol == PROTOCOL { Ok(()) } else { Err(End::Gone) }
    }

    async fn answer(&mut self, Call { id, request }: Call) -> Result<(), End> {
        let mut socket = None;
        let answer = match request {
            Request::Hosts { session, entries } => {
                answer_of(self.hosts.set(self.id, session, entries).await)
            }
            Request::Listen { address, port } => match self.listen(address, port) {
                Ok(listening) => {
                    socket = Some(listening);
                    Answer::Listening
                }
                Err(refusal) => Answer::Refused(refusal),
            },
            // Others need not wait for these.
            request if self.slow.len() < limits::SLOW_CALLS => {
                self.slow.spawn(async move { Reply { id: Some(id), answer: slow(request).await } });
                return Ok(());
            }
            _ => {
                let message =
                    format!("{} such calls are being answered already", limits::SLOW_CALLS);
                Answer::Refused(Refusal::new(RefusalCode::TooMany, message))
            }
        };
        self.reply(&Reply { id: Some(id), answer }, socket).await
    }

    fn listen(&mut self, address: LoopbackAddress, port: NonZeroU16) -> Result<Socket, Refusal> {
        if self.sockets == limits::SOCKETS {
            let message = format!("a program is given {} sockets at most", limits::SOCKETS);
            return Err(Refusal::new(RefusalCode::TooMany, message));
        }
        self.hosts.addresses.provide([address]).map_err(|error| {
            Refusal::new(RefusalCode::System, format!("cannot add the address {address}: {error}"))
        })?;
        let socket = system::listen(address, port)?;
        self.sockets += 1;
        Ok(socket)
    }

    async fn reply(&self, reply: &Reply, socket: Option<Socket>) -> Result<(), End> {
        self.send(reply, socket).await
    }

    async fn send(&self, value: &impl Serialize, file: Option<Socket>) -> Result<(), End> {
        match timeout(limits::SEND, send(&self.stream, value, file.as_ref())).await {
            Ok(sent) => Ok(sent?),
            // It would not take the reason either.
            Err(_) => Err(End::Gone),
        }
    }
}

fn answer_of(done: Result<(), Refusal>) -> Answer {
    match done {
        Ok(()) => Answer::Done,
        Err(refusal) => Answer::Refused(refusal),
    }
}

/// Requests that may take seconds.
async fn slow(request: Request) -> Answer {
    match request {
        Request::Holders { address, port } => perform::holders(address, port).await,
        Request::Signal { claim, signal } => perform::signal(claim, signal).await,
        Request::StopUnit { claim, unit } => perform::stop_unit(claim, unit).await,
        Request::Hosts { .. } | Request::Listen { .. } => {
            Answer::Refused(Refusal::new(RefusalCode::Malformed, "this is not answered here"))
        }
    }
}
