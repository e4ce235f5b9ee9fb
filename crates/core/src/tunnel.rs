//! The tunnel to one agent: a port-forward to its pod, the handshake, and many streams over it.

mod keep;
mod portforward;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use towline_wire::control::{self, Heard, Message};
use towline_wire::files::{self, Ask};
use towline_wire::frame::{self, FrameError};
use towline_wire::handshake::{self, Accepted, HandshakeError, Hello, Refusal, ResumePosition};
use towline_wire::header::Variable;
use towline_wire::mux::{Acceptor, MuxStream, Opener, Side, multiplex};
use towline_wire::{Protocol, ToAgent, ToClient, resume};

use portforward::{PortForward, PortForwardFailed};

/// Asking the API server for a port-forward may take this long, the connection to it included.
const OPEN: Duration = Duration::from_secs(10);

/// A question to the agent is answered within this time, or never.
const ANSWER: Duration = Duration::from_secs(10);

/// How many events may wait before the tunnel's own tasks do.
const EVENTS: usize = 64;

/// A tunnel that stands. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Tunnel {
    streams: Streams,
    accepted: Accepted,
    _closes: DropGuard,
}

/// Opens streams on a tunnel. Cheap to clone, and does not keep the tunnel open.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    opener: Opener,
    ended: watch::Receiver<Option<String>>,
}

/// What a tunnel tells.
#[derive(Debug)]
pub(crate) enum TunnelEvent {
    /// Somebody in the cluster connected to one of the container's ports.
    Incoming {
        /// The container's port.
        port: u16,
        /// What it speaks: for UDP somebody has sent a datagram.
        protocol: Protocol,
        /// Who.
        peer: SocketAddr,
        /// Its bytes, as chunks; awaits Ready or Failed.
        stream: MuxStream,
    },
    /// The agent cannot listen on a port of the pod.
    NotListening {
        /// The container's port.
        port: u16,
        /// What it speaks.
        protocol: Protocol,
        /// Why.
        reason: String,
    },
    /// A ping came back after this time.
    RoundTrip(Duration),
    /// The pod was told to end.
    Ending,
    /// Another connection took the place of one that was lost, after this time.
    Resumed(Duration),
}

/// A tunnel could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TunnelError {
    /// The pod is not there any more.
    #[error("pod {pod} is gone")]
    PodGone {
        /// Which.
        pod: String,
    },
    /// The user may not forward ports of pods.
    #[error("the port-forward to pod {pod} was refused: {message}")]
    Forbidden {
        /// Which.
        pod: String,
        /// The API server's words.
        message: String,
    },
    /// The API server or the way to it failed.
    #[error("the port-forward to pod {pod} could not be made: {source}")]
    Request {
        /// Which.
        pod: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
    /// The pod is there, and its agent does not listen yet.
    #[error("the agent in pod {pod} does not listen yet: {reason}")]
    NotListening {
        /// Which.
        pod: String,
        /// The kubelet's words.
        reason: String,
    },
    /// The API server did not answer in time.
    #[error("the port-forward to pod {pod} was not made within {} s", OPEN.as_secs())]
    TimedOut {
        /// Which.
        pod: String,
    },
    /// The agent did not take this client.
    #[error("the agent in pod {pod} did not take the session: {source}")]
    Handshake {
        /// Which.
        pod: String,
        /// Why.
        #[source]
        source: HandshakeError,
    },
}

impl TunnelError {
    /// Whether a right is missing.
    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden { .. })
    }

    /// The agent's refusal, if it is that.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Handshake { source: HandshakeError::Refused { reason, .. }, .. } => Some(*reason),
            _ => None,
        }
    }
}

/// A question was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// The tunnel is gone.
    #[error("the tunnel is closed")]
    Closed,
    /// Nothing came.
    #[error("the agent did not answer within {} s", ANSWER.as_secs())]
    TimedOut,
    /// What came was no answer.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Where an agent is, and what it is told.
#[derive(Clone)]
pub(crate) struct Dial {
    pub(crate) client: kube::Client,
    pub(crate) namespace: String,
    pub(crate) pod: String,
    /// The port of the pod's loopback that the agent listens on.
    pub(crate) control_port: u16,
    pub(crate) hello: Hello,
}

impl Dial {
    /// A connection whose handshake is done. `resume` is where an earlier tunnel is to go on.
    async fn connect(
        &self,
        resume: Option<ResumePosition>,
    ) -> Result<(PortForward, Accepted), TunnelError> {
        let pod = || self.pod.clone();
        let opening =
            PortForward::open(&self.client, &self.namespace, &self.pod, self.control_port);
        let mut pipe = tokio::time::timeout(OPEN, opening)
            .await
            .map_err(|_| TunnelError::TimedOut { pod: pod() })?
            .map_err(|error| explain(error, &self.pod))?;
        let hello = Hello { resume, ..self.hello.clone() };
        let accepted = handshake::greet(&mut pipe, &hello).await;
        let accepted = accepted.map_err(|error| match kubelet_says(&error) {
            Some(reason) => TunnelError::NotListening { pod: pod(), reason },
            None => TunnelError::Handshake { pod: pod(), source: error },
        })?;
        Ok((pipe, accepted))
    }
}

impl Tunnel {
    /// Opens a tunnel. The events must be read, or incoming connections wait.
    ///
    /// # Errors
    /// As [`TunnelError`] says.
    pub(crate) async fn open(
        dial: Dial,
    ) -> Result<(Self, mpsc::Receiver<TunnelEvent>), TunnelError> {
        let (io, accepted) = dial.connect(None).await?;
        Ok(match accepted.resume {
            // An agent of an earlier release.
            None => Self::over(io, accepted, None),
            Some(position) => {
                let (pipe, handle) = resume::begin(position.pipe, io);
                Self::over(pipe, accepted, Some((handle, dial)))
            }
        })
    }

    /// A tunnel over a pipe. One that outlives its connection comes with how another is had.
    fn over(
        pipe: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        accepted: Accepted,
        kept: Option<(resume::Handle, Dial)>,
    ) -> (Self, mpsc::Receiver<TunnelEvent>) {
        let (opener, acceptor, driver) = multiplex(pipe, Side::Client);
        let (events, received) = mpsc::channel(EVENTS);
        let (tell_end, ended) = watch::channel(None);
        let cancel = CancellationToken::new();
        let patience = if kept.is_some() { resume::WORST } else { control::SILENCE };
        let control = control(opener.clone(), events.clone(), patience);
        let accept = accept(acceptor, events.clone());
        let cancelled = cancel.clone();
        tokio::spawn(async move {
            let keep = async {
                match &kept {
                    Some((handle, dial)) => keep::keep(handle, dial, &events).await,
                    None => std::future::pending().await,
                }
            };
            // Whichever ends first ends the others with it, and so resets all streams.
            let reason = tokio::select! {
                ended = driver => match ended {
                    Ok(()) => "the connection was closed".to_owned(),
                    Err(error) => error.to_string(),
                },
                reason = control => reason,
                reason = keep => reason,
                () = accept => "the connection was closed".to_owned(),
                () = cancelled.cancelled() => "the session closed it".to_owned(),
            };
            tell_end.send_replace(Some(reason));
            // The agent is not to wait for another connection.
            if let Some((handle, _)) = &kept {
                handle.close().await;
            }
        });
        let streams = Streams { opener, ended };
        (Self { streams, accepted, _closes: cancel.drop_guard() }, received)
    }

    /// What the agent said of itself.
    pub(crate) fn accepted(&self) -> &Accepted {
        &self.accepted
    }

    /// The streams of this tunnel.
    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }
}

impl Streams {
    /// Opens a connection from the pod to `host`, or a socket for datagrams; what comes on the stream says whether it stands.
    ///
    /// # Errors
    /// When the tunnel is gone.
    pub(crate) async fn dial(
        &self,
        host: &str,
        port: u16,
        protocol: Protocol,
    ) -> Result<MuxStream, AskError> {
        let host = host.to_owned();
        let question = match protocol {
            Protocol::Tcp => ToAgent::Dial { host, port },
            Protocol::Udp => ToAgent::DialUdp { host, port },
        };
        self.ask(&question).await
    }

    /// The agent's environment, which is the container's.
    ///
    /// # Errors
    /// As [`AskError`] says.
    pub(crate) async fn environment(&self) -> Result<Vec<Variable>, AskError> {
        self.answer(&ToAgent::Environment).await
    }

    /// The search list of the pod's /etc/resolv.conf. An agent of an earlier release does not know the question.
    ///
    /// # Errors
    /// As [`AskError`] says.
    pub(crate) async fn search_list(&self) -> Result<Vec<String>, AskError> {
        self.answer(&ToAgent::SearchList).await
    }

    /// Opens a stream of files: what comes on it, the question says.
    ///
    /// # Errors
    /// When the tunnel is gone.
    pub(crate) async fn files(&self, ask: Ask) -> Result<MuxStream, AskError> {
        self.ask(&ToAgent::Files(ask)).await
    }

    /// Asks something about files that one frame answers.
    ///
    /// # Errors
    /// As [`AskError`] says.
    pub(crate) async fn ask_files<T: serde::de::DeserializeOwned>(
        &self,
        ask: Ask,
    ) -> Result<Result<T, files::Refusal>, AskError> {
        self.answer(&ToAgent::Files(ask)).await
    }

    /// Resolves when the tunnel is gone, with the reason.
    pub(crate) async fn closed(&self) -> String {
        let mut ended = self.ended.clone();
        let reason = ended.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.unwrap_or_else(|| "the tunnel's task ended".to_owned())
    }

    /// Whether the tunnel is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.ended.borrow().is_some()
    }

    async fn ask(&self, question: &ToAgent) -> Result<MuxStream, AskError> {
        let mut stream = self.opener.open().await.map_err(|_| AskError::Closed)?;
        frame::write(&mut stream, question).await?;
        Ok(stream)
    }

    async fn answer<T: serde::de::DeserializeOwned>(
        &self,
        question: &ToAgent,
    ) -> Result<T, AskError> {
        let asked = async {
            let mut stream = self.ask(question).await?;
            Ok(frame::read(&mut stream).await?)
        };
        tokio::time::timeout(ANSWER, asked).await.unwrap_or(Err(AskError::TimedOut))
    }
}

/// Speaks on the control stream; resolves with the reason for which it ended.
async fn control(opener: Opener, events: mpsc::Sender<TunnelEvent>, patience: Duration) -> String {
    let Ok(mut stream) = opener.open().await else { return "the connection was closed".to_owned() };
    if let Err(error) = frame::write(&mut stream, &ToAgent::Control).await {
        return error.to_string();
    }
    let (_say, said) = mpsc::channel(1);
    let (hear, mut heard) = mpsc::channel(EVENTS);
    let pass_on = async {
        while let Some(heard) = heard.recv().await {
            let event = match heard {
                Heard::RoundTrip(time) => TunnelEvent::RoundTrip(time),
                Heard::Message(Message::NotListening { port, protocol, reason }) => {
                    TunnelEvent::NotListening { port, protocol, reason }
                }
                Heard::Message(Message::Ending) => TunnelEvent::Ending,
                Heard::Message(_) => continue,
            };
            if events.send(event).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        error = control::run(stream, said, hear, patience) => error.to_string(),
        () = pass_on => "nobody listens to the tunnel".to_owned(),
    }
}

/// Hands on the streams that the agent opens.
async fn accept(mut acceptor: Acceptor, events: mpsc::Sender<TunnelEvent>) {
    while let Some(mut stream) = acceptor.accept().await {
        let events = events.clone();
        // Each for itself: a stream whose header does not come must not hold up the others.
        tokio::spawn(async move {
            let header = tokio::time::timeout(ANSWER, frame::read::<ToClient>(&mut stream)).await;
            // A stream that says something else, or nothing, is reset by being dropped.
            let Ok(Ok(header)) = header else { return };
            let (port, peer, protocol) = match header {
                ToClient::Incoming { port, peer } => (port, peer, Protocol::Tcp),
                ToClient::IncomingUdp { port, peer } => (port, peer, Protocol::Udp),
            };
            let _ = events.send(TunnelEvent::Incoming { port, protocol, peer, stream }).await;
        });
    }
}

fn explain(error: kube::Error, pod: &str) -> TunnelError {
    let pod = pod.to_owned();
    match error {
        kube::Error::Api(status) if status.code == 404 => TunnelError::PodGone { pod },
        kube::Error::Api(status) if status.code == 403 => {
            TunnelError::Forbidden { pod, message: status.message }
        }
        other => TunnelError::Request { pod, source: Box::new(other) },
    }
}

/// What the kubelet said on the error channel, if that is what ended the handshake; or that the pipe was closed before a word was said, which is
/// how some container runtimes say that nobody listens.
fn kubelet_says(error: &HandshakeError) -> Option<String> {
    let HandshakeError::Frame(FrameError::Io(error)) = error else { return None };
    match error.get_ref().and_then(|inner| inner.downcast_ref::<PortForwardFailed>()) {
        Some(PortForwardFailed(text)) => Some(text.clone()),
        None => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
