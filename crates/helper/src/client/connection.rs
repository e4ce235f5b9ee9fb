//! One connection, and the task that has its socket.

mod actor;

use std::net::TcpListener;
use std::num::NonZeroU16;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use towline_machine::LoopbackAddress;

use self::actor::{Asked, Outcome};
use super::{HelperError, start};
use crate::channel::{ChannelError, Inbox, receive, send};
use crate::protocol::{Answer, Greeting, Hello, PROTOCOL, RefusalCode, Request};
use crate::system::{self, Place, Stream};

/// A helper that runs answers at once; one that is busy with a slow disk may take a while.
const GREETING_LIMIT: Duration = Duration::from_secs(10);

/// How long the user may think about the prompt. Polkit's own agents give up earlier.
const PROMPT_LIMIT: Duration = Duration::from_secs(300);

/// How often a helper that is being started is asked for.
const PAUSE: Duration = Duration::from_millis(20);

/// One prompt at a time.
static STARTING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A connection that has been greeted.
#[derive(Debug)]
pub(super) struct Connection {
    requests: mpsc::UnboundedSender<Asked>,
    gone: watch::Receiver<Option<HelperError>>,
}

impl Connection {
    pub(super) async fn open() -> Result<Option<Self>, HelperError> {
        Self::open_at(&own_place()?).await
    }

    pub(super) async fn open_or_start() -> Result<Self, HelperError> {
        let place = own_place()?;
        if let Some(connection) = Self::open_at(&place).await? {
            return Ok(connection);
        }
        let _alone = STARTING.lock().await;
        let program = super::program()?;
        let mut until = Instant::now() + PROMPT_LIMIT;
        let mut started = start::helper(&program, &place)?;
        loop {
            if let Some(connection) = Self::open_at(&place).await? {
                return Ok(connection);
            }
            match started.ended() {
                Some(start::End::Failed(HelperError::NoPrompt { .. }))
                    if started.ask_in_terminal().await? => {}
                // Another program may just have been given one.
                Some(start::End::Failed(error)) => {
                    return Self::open_at(&place).await?.ok_or(error);
                }
                Some(start::End::Away) => until = until.min(Instant::now() + GREETING_LIMIT),
                None => {}
            }
            if Instant::now() > until {
                let detail =
                    "nobody answered in time, neither the prompt nor the helper".to_owned();
                return Err(HelperError::NotStarted { detail });
            }
            sleep(PAUSE).await;
        }
    }

    /// Nothing, if no helper is there, or it is just ending.
    pub(super) async fn open_at(place: &Place) -> Result<Option<Self>, HelperError> {
        let Some(stream) = system::connect(place).await? else { return Ok(None) };
        let socket = place.socket();
        let mut inbox = Inbox::with_files();
        let greeting = timeout(GREETING_LIMIT, greet(&stream, &mut inbox)).await;
        match greeting {
            Err(_) => {
                let detail = format!("it does not answer within {} s", GREETING_LIMIT.as_secs());
                Err(HelperError::Connect { socket, detail })
            }
            Ok(Ok(Some(Greeting::Welcome(theirs)))) if theirs.protocol != PROTOCOL => {
                Err(HelperError::OtherVersion { theirs, ours: Hello::own() })
            }
            Ok(Ok(Some(Greeting::Welcome(_)))) => Ok(Some(Self::of(stream, inbox))),
            Ok(Ok(Some(Greeting::Refused(refusal)))) => match refusal.code {
                RefusalCode::Ending => Ok(None),
                _ => Err(HelperError::Refused(refusal)),
            },
            Ok(Ok(None) | Err(ChannelError::Io(_) | ChannelError::Cut)) => Ok(None),
            Ok(Err(error @ (ChannelError::Frame(_) | ChannelError::Slow))) => {
                Err(HelperError::Connect { socket, detail: error.to_string() })
            }
        }
    }

    fn of(stream: Stream, inbox: Inbox) -> Self {
        let (requests, asked) = mpsc::unbounded_channel();
        let (tell_gone, gone) = watch::channel(None);
        tokio::spawn(actor::run(stream, inbox, asked, tell_gone));
        Self { requests, gone }
    }

    pub(super) async fn call(&self, request: Request) -> Result<Answer, HelperError> {
        Ok(self.ask(request).await?.answer)
    }

    pub(super) async fn listen(
        &self,
        address: LoopbackAddress,
        port: NonZeroU16,
    ) -> Result<TcpListener, HelperError> {
        let Outcome { answer, file } = self.ask(Request::Listen { address, port }).await?;
        match (answer, file) {
            (Answer::Listening, Some(socket)) => Ok(system::listener(socket)),
            (Answer::Refused(refusal), _) if refusal.code == RefusalCode::PortTaken => {
                Err(HelperError::PortTaken { address, port: port.get() })
            }
            (answer, _) => Err(HelperError::unexpected(&answer)),
        }
    }

    /// Asks without waiting for the answer.
    pub(super) fn tell(&self, request: Request) {
        // Where the helper is gone, there is nothing to ask for.
        let _ = self.requests.send(Asked { request, answer: None });
    }

    async fn ask(&self, request: Request) -> Result<Outcome, HelperError> {
        let (answer, outcome) = oneshot::channel();
        match self.requests.send(Asked { request, answer: Some(answer) }) {
            Ok(()) => match outcome.await {
                Ok(outcome) => outcome,
                Err(_) => Err(self.gone().await),
            },
            Err(_) => Err(self.gone().await),
        }
    }

    pub(super) async fn gone(&self) -> HelperError {
        let mut gone = self.gone.clone();
        match gone.wait_for(Option::is_some).await {
            Ok(error) => error.clone().unwrap_or_else(actor::ended),
            // The runtime ends.
            Err(_) => actor::ended(),
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.borrow().is_some() || self.requests.is_closed()
    }
}

fn own_place() -> Result<Place, HelperError> {
    Place::own().map_err(|error| HelperError::NotStarted { detail: error.to_string() })
}

async fn greet(stream: &Stream, inbox: &mut Inbox) -> Result<Option<Greeting>, ChannelError> {
    send(stream, &Hello::own(), None).await?;
    receive(stream, inbox).await
}
